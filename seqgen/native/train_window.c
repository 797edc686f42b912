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
    int groups;  /* largest number of vectors of columns that a product works on at once */
    int pair;    /* numbers in a word: 1 float or 2 bfloat16 */
    work *forward, *backward;
};

/* Units, or rows, of a block: as many as there are registers for their sums. The second number is
   for a single vector of columns where there are registers for two. */
static const int FORWARD_BLOCK[CELL_COUNT][2] = {{8, 16}, {2, 4}, {4, 4}};
static const int BACKWARD_BLOCK[2] = {8, 16};

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

/* Number of words for `rows` rows; with an odd number the last word holds one row and zeros. */
static inline int64_t word_count(int64_t rows, int pair) { return (rows + pair - 1) / pair; }

static inline int has_pair(int64_t word, int64_t rows, int pair) { return (word + 1) * pair <= rows; }

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

static const struct loops *const ALL[ISA_COUNT] = {
#if defined(__x86_64__)
    [AVX512_BF16] = &loops_avx512_bf16,
    [AVX512] = &loops_avx512,
    [AVX2] = &loops_avx2,
#endif
    [PLAIN] = &loops_plain,
};

/* Whether a product works on one vector of columns where there are registers for two. */
static int is_single(const struct window *w) {
    const struct loops *loops = ALL[w->isa];
    return loops->groups == 2 && w->batch % (2 * loops->columns) != 0;
}

#define INLINE static inline __attribute__((always_inline)) /* with a block whose size is known */

/* Pack weights (width, gates units) for the forward products: for each block of units, word by word,
   the block's rows of every gate. Sixteen units are packed together: with more, the blocks would be
   so far apart that they evict each other from the cache. */
INLINE int pack_forward(int block, const struct window *w) {
    const int gates = GATES[w->cell], pair = ALL[w->isa]->pair;
    const int64_t row = gates * w->units, words = word_count(w->width, pair);
    for (int64_t first = 0; first < w->units; first += UNITS)
        for (int64_t k = 0; k < words; k++)
            for (int gate = 0; gate < gates; gate++) {
                int64_t from = k * pair * row + gate * w->units + first;
                uint32_t *to = w->packed + (first * words + k * block) * gates + gate * block;
                for (int unit = 0; unit < UNITS; unit += block, from += block) {
                    const uint16_t *numbers = (const uint16_t *)w->weights + from;
                    const int has_second = has_pair(k, w->width, pair);
                    if (pair == 1) memcpy(to, (const float *)w->weights + from, sizeof(float) * block);
                    else
#pragma GCC unroll 16
                        for (int j = 0; j < block; j++)
                            to[j] = numbers[j] | (has_second ? (uint32_t)numbers[row + j] << 16 : 0);
                    to += block * words * gates;
                }
            }
    return OK;
}

/* Pack the recurrent kernel for the backward products: for each block of rows, word by word. The
   words are floats, or pairs of bfloat16, of one row. */
INLINE int pack_backward(int block, const struct window *w) {
    const int64_t width = GATES[w->cell] * w->units / ALL[w->isa]->pair;
    const char *rows = w->weights;
    uint32_t *to = w->packed;
    for (int64_t first = 0; first < w->units; first += block, rows += 4 * block * width)
        for (int64_t k = 0; k < width; k++, to += block)
#pragma GCC unroll 16
            for (int row = 0; row < block; row++)
                memcpy(to + row, rows + 4 * (row * width + k), sizeof *to);
    return OK;
}

/* What the batch size must be a multiple of; 0 if there are no loops for this processor. */
EXPORT int window_columns(int isa) {
    return isa >= 0 && isa < ISA_COUNT && has_isa(isa) ? ALL[isa]->columns : 0;
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
    if (!is_valid_window(w) || !w->weights) return BAD_ARGUMENT;
    switch (FORWARD_BLOCK[w->cell][is_single(w)]) {
    case 2:
        return pack_forward(2, w);
    case 4:
        return pack_forward(4, w);
    case 8:
        return pack_forward(8, w);
    default:
        return pack_forward(16, w);
    }
}

EXPORT int window_pack_backward(const struct window *w) {
    if (!is_valid_window(w) || !w->weights) return BAD_ARGUMENT;
    return BACKWARD_BLOCK[is_single(w)] == 8 ? pack_backward(8, w) : pack_backward(16, w);
}

EXPORT int window_forward(const struct window *w) {
    const int complete =
        is_valid_window(w) && has_states(w) && w->packed_kernel && w->bias && w->inputs;
    return complete ? ALL[w->isa]->forward(w) : BAD_ARGUMENT;
}

EXPORT int window_backward(const struct window *w) {
    const int complete = is_valid_window(w) && has_states(w) && w->gradient && w->d_bias;
    return complete ? ALL[w->isa]->backward(w) : BAD_ARGUMENT;
}
