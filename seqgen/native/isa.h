/* The instruction sets that code is compiled for, the fastest first, as `seqgen.native.ISAS`. */

#ifndef SEQGEN_ISA_H
#define SEQGEN_ISA_H

enum { AVX512_BF16, AVX512, AVX2, PLAIN, ISA_COUNT };

/* Whether this processor has an instruction set; PLAIN needs nothing special. */
int has_isa(int isa);

/* Whether AVX512 includes the products of 8 and 16 bits (VNNI). */
int has_vnni(void);

#endif
