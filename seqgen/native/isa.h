/* The instruction sets that code is compiled for, the fastest first, as `seqgen.native.ISAS`. */

#ifndef SEQGEN_ISA_H
#define SEQGEN_ISA_H

enum { AVX512_BF16, AVX512, AVX2, PLAIN, ISA_COUNT };

/* Whether this processor has an instruction set; PLAIN needs nothing special. */
static inline int has_isa(int isa) {
    if (isa == PLAIN) return 1;
#if defined(__x86_64__)
    const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                       && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    if (isa == AVX512_BF16) return avx512 && __builtin_cpu_supports("avx512bf16");
    if (isa == AVX512) return avx512;
    if (isa == AVX2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return 0;
}

#endif
