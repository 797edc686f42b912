/* What Python asks the library as a whole. */

#include "isa.h"
#include "library.h"

/* `seqgen.native.VERSION`: changes with every structure and signature. */
EXPORT int library_version(void) { return 3; }

EXPORT int processor_has(int isa) { return isa >= 0 && isa < ISA_COUNT && has_isa(isa); }
