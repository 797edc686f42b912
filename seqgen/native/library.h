/* What all files of the library share: the functions that Python calls are marked EXPORT, and return
   OK or the reason why they did nothing. */

#ifndef SEQGEN_LIBRARY_H
#define SEQGEN_LIBRARY_H

enum { OK = 0, NO_MEMORY = 1, BAD_ARGUMENT = 2, NOT_FINITE = 3 };

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#endif
