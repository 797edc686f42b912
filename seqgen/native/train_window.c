/* A recurrent layer over a window, for training: forward and backward through all steps, compiled
   for every instruction set. `seqgen/network/kernels/tf_loop.py` does the same in TensorFlow. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "isa.h"
#include "library.h"

static const int RESIDUALS[] = {1, 6, 5};     /* rows of a unit that forward stores for backward */
static const int GRADIENT_ROWS[] = {1, 4, 4}; /* a GRU's candidate has two products */
enum { MAX_RESIDUALS = 6, MAX_GRADIENT_ROWS = 4 };
enum { UNITS = 16 }; /* `units` must be a multiple of it */

struct window {
    int32_t isa, cell;
    int64_t units, width, steps, batch;
    const void *weights;           /* packing: (width, gates units) */
    uint32_t *packed;              /* packing: the result; otherwise the packed recurrent kernel */
    const uint32_t *packed_kernel; /* forward: the packed kernel */
    const float *bias;             /* forward: (gates units), of a GRU (2, gates units) */
    const void *inputs;            /* forward: (width, T, B) */
    void *outputs;                 /* (units, T, B): written forward; backward their gradient */
    float *hidden, *cell_state;    /* (units, B): before the window → after it, or their gradients */
    void *residuals;               /* (T, units, RESIDUALS, B) */
    void *gradient;                /* backward: of the pre-activations, (GRADIENT_ROWS units, T, B) */
    float *d_bias;                 /* backward: that summed over steps and columns */
};

typedef int work(const struct window *);

struct loops {
    int columns; /* the batch size must be a multiple of it */
    work *pack_forward, *pack_backward, *forward, *backward;
};

enum { AHEAD = 8 }; /* distance in units between the rows in use and those that are prefetched */

enum { LINE = 64 }; /* bytes of a cache line */

/* Memory for `words` words, aligned to a cache line, or NULL. The pointer to free precedes it. */
static void *allocate(int64_t words) {
    char *memory = malloc(sizeof(void *) + LINE + 4 * (size_t)words);
    if (!memory) return NULL;
    char *aligned = memory + sizeof(void *);
    aligned += LINE - (uintptr_t)aligned % LINE;
    memcpy(aligned - sizeof(void *), &memory, sizeof(void *));
    return aligned;
}

static void release(void *aligned) {
    void *memory;
    if (!aligned) return;
    memcpy(&memory, (char *)aligned - sizeof(void *), sizeof(void *));
    free(memory);
}

#define LOOPS(name) pack_forward_##name, pack_backward_##name, forward_##name, backward_##name

#if defined(__x86_64__)
#include <immintrin.h>

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
#endif

/* Vectors of four floats, which every 64-bit processor has. */
#define NAME(x) x##_plain
#define TARGET
#define LANES 4
#if defined(__x86_64__) /* sixteen registers */
#define GROUPS 1
#else
#define GROUPS 2
#endif
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"

static const struct loops ALL[ISA_COUNT] = {
#if defined(__x86_64__)
    [AVX512_BF16] = {16, LOOPS(avx512_bf16)},
    [AVX512] = {16, LOOPS(avx512)},
    [AVX2] = {8, LOOPS(avx2)},
#endif
    [PLAIN] = {4, LOOPS(plain)},
};

/* What the batch size must be a multiple of; 0 if there are no loops for this processor. */
EXPORT int window_columns(int isa) {
    return isa >= 0 && isa < ISA_COUNT && has_isa(isa) ? ALL[isa].columns : 0;
}

/* Whether a window has loops, and every array that they use. */
static int is_valid_window(const struct window *w) {
    const int columns = window_columns(w->isa);
    return columns && w->cell >= 0 && w->cell < CELL_COUNT && w->units > 0 && w->units % UNITS == 0
           && w->width >= 0 && w->steps >= 0 && w->batch > 0 && w->batch % columns == 0 && w->packed;
}

static int has_states(const struct window *w) {
    return w->outputs && w->residuals && w->hidden && (w->cell == LSTM) == (w->cell_state != NULL);
}

/* All of these return OK, NO_MEMORY or BAD_ARGUMENT. */
EXPORT int window_pack_forward(const struct window *w) {
    return is_valid_window(w) && w->weights ? ALL[w->isa].pack_forward(w) : BAD_ARGUMENT;
}

EXPORT int window_pack_backward(const struct window *w) {
    return is_valid_window(w) && w->weights ? ALL[w->isa].pack_backward(w) : BAD_ARGUMENT;
}

EXPORT int window_forward(const struct window *w) {
    const int complete =
        is_valid_window(w) && has_states(w) && w->packed_kernel && w->bias && w->inputs;
    return complete ? ALL[w->isa].forward(w) : BAD_ARGUMENT;
}

EXPORT int window_backward(const struct window *w) {
    const int complete = is_valid_window(w) && has_states(w) && w->gradient && w->d_bias;
    return complete ? ALL[w->isa].backward(w) : BAD_ARGUMENT;
}
