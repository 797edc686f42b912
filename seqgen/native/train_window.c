/* The recurrent layers over a window, for training: once for each of the
   instruction sets at the end. What they do, in Python, stands in seqgen/kernels. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"


static const int KEPT[] = {1, 6, 5};          /* rows of a unit that backward wants of a time */
static const int GRADIENT_ROWS[] = {1, 4, 4}; /* a GRU's candidate has two sums */
enum { MOST_KEPT = 6, MOST_GRADIENT_ROWS = 4 };

struct window {
    int32_t isa, cell;
    int64_t units, width, steps, batch;
    const void *weights;           /* (width, gates units): what is packed, */
    uint32_t *packed;              /* and where to; then the recurrent kernel, packed, */
    const uint32_t *packed_kernel; /* and, forward, the kernel */
    const float *bias;             /* (gates units), a GRU's (2, gates units) */
    const void *inputs;            /* forward: (width, T, B) */
    void *outputs;                 /* (units, T, B): written forward; backward their gradient */
    float *hidden, *carry;         /* (units, B): before the window, then after it; or gradients */
    void *kept;                    /* (T, units, KEPT, B) */
    void *gradient;                /* backward: that of the sums, (GRADIENT_ROWS units, T, B), */
    float *d_bias;                 /* and summed over all times and columns */
};

struct isa {
    int columns;
    int (*available)(void);
    int (*pack_forward)(const struct window *), (*pack_backward)(const struct window *);
    int (*forward)(const struct window *), (*backward)(const struct window *);
};

enum { AHEAD = 8 }; /* units between what is worked on and what is fetched into the cache */

static void *scratch(int64_t words) {
    void *memory = NULL;
    return posix_memalign(&memory, 64, 4 * (size_t)words) ? NULL : memory;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define LOOPS(name) pack_forward_##name, pack_backward_##name, forward_##name, backward_##name

#define NAME(x) x##_avx512_bf16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define LANES 16
#define GROUPS 2
#define BFLOAT16 1
#include "simd.h"
#include "train_window.h"

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#define LANES 16
#define GROUPS 2
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define GROUPS 1
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"

static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static int has_avx512_bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static const struct isa ISAS[] = {
    {16, has_avx512_bf16, LOOPS(avx512_bf16)},
    {16, has_avx512, LOOPS(avx512)},
    {8, has_avx2, LOOPS(avx2)},
};

#else /* vectors of four, which every 64-bit ARM has */
#define NAME(x) x##_plain
#define TARGET
#define LANES 4
#define GROUPS 2
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"

static int always(void) { return 1; }

static int never(void) { return 0; }

static const struct isa ISAS[] = {
    {0, never, NULL, NULL, NULL, NULL},
    {0, never, NULL, NULL, NULL, NULL},
    {4, always, pack_forward_plain, pack_backward_plain, forward_plain, backward_plain},
};
#endif

/* What the batch size must be a multiple of; 0 if this processor lacks the instruction set. */
int window_columns(int isa) { return ISAS[isa].available() ? ISAS[isa].columns : 0; }

/* Weights, as the loop of that name reads them for such a batch. */
int window_pack_forward(const struct window *w) { return ISAS[w->isa].pack_forward(w); }

int window_pack_backward(const struct window *w) { return ISAS[w->isa].pack_backward(w); }

/* All times. Both return 0, or 1 where there was no memory. */
int window_forward(const struct window *w) { return ISAS[w->isa].forward(w); }

int window_backward(const struct window *w) { return ISAS[w->isa].backward(w); }
