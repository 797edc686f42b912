/* What this processor has, asked for once, when the library is loaded.

   `__builtin_cpu_supports` would do with gcc, but always answers no in a library that zig builds. */

#include "isa.h"

#if defined(__x86_64__)
#include <cpuid.h>

static int has[ISA_COUNT], vnni;

/* The registers that the operating system saves (XCR0). */
static unsigned saved_registers(void) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

__attribute__((constructor)) static void ask_processor(void) {
    enum { YMM = 0x06, ZMM = 0xe6 };
    const unsigned basic = bit_OSXSAVE | bit_AVX | bit_FMA;
    const unsigned avx512 = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    unsigned a, b, c, d, b7, c7;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic) return;
    if (!__get_cpuid_count(7, 0, &a, &b7, &c7, &d)) return;
    const unsigned saved = saved_registers();
    has[AVX2] = (saved & YMM) == YMM && b7 & bit_AVX2;
    has[AVX512] = has[AVX2] && (saved & ZMM) == ZMM && (b7 & avx512) == avx512;
    vnni = has[AVX512] && c7 & bit_AVX512VNNI;
    if (has[AVX512] && a && __get_cpuid_count(7, 1, &a, &b, &c, &d))
        has[AVX512_BF16] = (a & bit_AVX512BF16) != 0;
}

int has_isa(int isa) { return isa == PLAIN || has[isa]; }

int has_vnni(void) { return vnni; }
#else
int has_isa(int isa) { return isa == PLAIN; }

int has_vnni(void) { return 0; }
#endif
