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

/* Forward, `outputs` and `residuals`, and backward, `gradient` begin at a cache line. */
struct window {
    int32_t isa, cell;
    int64_t units, width, steps, batch; /* width: of the inputs; with `products` their rows, N */
    const void *weights;                /* packing: (width, gates units) */
    uint32_t *packed;              /* packing: the result; otherwise the packed recurrent kernel */
    const uint32_t *packed_kernel; /* forward: the packed kernel, if `products` is NULL */
    const float *products;         /* forward: rows of the kernel's products, (N, gates units) */
    const int32_t *ids;            /* forward: rows of `products`, (T, B); NULL: 0, 1, … */
    const float *bias;             /* forward: (gates units), of a GRU (2, gates units) */
    const void *inputs;            /* forward: (width, T, B), if `products` is NULL */
    void *outputs;                 /* (units, T, B): written forward; backward their gradient */
    float *hidden, *cell_state;    /* (units, B): before the window → after it, or their gradients */
    void *residuals;               /* (T, units, RESIDUALS, B) */
    void *gradient;                /* backward: of the pre-activations, (GRADIENT_ROWS units, T, B) */
    float *d_products;             /* scatter: the gradient of `products`, (gates units, N) */
    float *d_bias;                 /* backward: that summed over steps and columns */
};

typedef int work(const struct window *);

struct loops {
    int lanes;   /* numbers in a vector */
    int rows[2]; /* of a tile that is one vector of columns wide, or 0, and of one that is two wide */
    int pair;    /* numbers in a word: 1 float or 2 bfloat16 */
    work *forward, *backward;
};

enum { MAX_ROWS = 24 }; /* of a tile */

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

/* The next multiple of the rows of a tile. */
static inline int64_t padded(int64_t rows, int tile) { return (rows + tile - 1) / tile * tile; }

static inline int has_pair(int64_t word, int64_t rows, int pair) { return (word + 1) * pair <= rows; }

#if defined(__x86_64__)
#include <immintrin.h>

#define NAME(x) x##_avx512_bf16
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma")))
#define LANES 16
#define TILE 12
#define TALL_TILE 24
#define BFLOAT16 1
#include "simd.h"
#include "train_window.h"

#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma")))
#define LANES 16
#define TILE 12
#define TALL_TILE 24
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"

#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TILE 6
#define TALL_TILE 0
#define BFLOAT16 0
#include "simd.h"
#include "train_window.h"
#endif

/* Vectors of four floats, which every 64-bit processor has. */
#define NAME(x) x##_plain
#define TARGET
#define LANES 4
#if defined(__x86_64__) /* sixteen registers, and no fused products */
#define TILE 4
#else
#define TILE 12
#endif
#define TALL_TILE 0
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

/* The rows of a tile, for a batch size. */
static int tile_rows(int isa, int64_t batch) {
    return ALL[isa]->rows[batch % (2 * ALL[isa]->lanes) == 0];
}

/* Pack a matrix (rows, K) in tiles of rows: of a tile word by word, with zeros for the rows that the
   last one lacks. `strides` are those of the matrix; a word of two holds columns k and k + 1. */
static void pack(const struct window *w, int64_t rows, int64_t columns, int64_t row_stride,
                 int64_t column_stride) {
    const int pair = ALL[w->isa]->pair, tile = tile_rows(w->isa, w->batch);
    const int64_t words = word_count(columns, pair);
    uint32_t *to = w->packed;
    for (int64_t first = 0; first < rows; first += tile)
        for (int64_t k = 0; k < words; k++)
            for (int64_t row = first; row < first + tile; row++, to++) {
                int64_t from = row * row_stride + pair * k * column_stride;
                *to = 0;
                if (row >= rows) continue;
                if (pair == 1) {
                    *to = ((const uint32_t *)w->weights)[from];
                } else {
                    const uint16_t *numbers = (const uint16_t *)w->weights + from;
                    *to = numbers[0];
                    if (has_pair(k, columns, pair)) *to |= (uint32_t)numbers[column_stride] << 16;
                }
            }
}

/* What the batch size must be a multiple of; 0 if there are no loops for this processor. */
EXPORT int window_columns(int isa) {
    if (isa < 0 || isa >= ISA_COUNT || !has_isa(isa)) return 0;
    return ALL[isa]->lanes * (ALL[isa]->rows[0] ? 1 : 2);
}

/* Whether a window has loops, and every array that they use. */
static int is_valid_window(const struct window *w) {
    const int columns = window_columns(w->isa);
    return columns && w->cell >= 0 && w->cell < CELL_COUNT && w->units > 0 && w->units % UNITS == 0
           && w->width >= 0 && w->steps >= 0 && w->batch > 0 && w->batch % columns == 0;
}

/* Whether an array may be written past the caches. */
static int is_aligned(const void *array) { return array && (uintptr_t)array % LINE == 0; }

static int has_states(const struct window *w) {
    return w->packed && w->outputs && w->residuals && w->hidden
           && (w->cell == LSTM) == (w->cell_state != NULL);
}

/* The rows of a tile for a batch size; 0 if there are no loops for it. Packed weights have that multiple
   of rows. */
EXPORT int window_tile_rows(int isa, int64_t batch) {
    const int columns = window_columns(isa);
    return columns && batch > 0 && batch % columns == 0 ? tile_rows(isa, batch) : 0;
}

/* All of these return OK, NO_MEMORY or BAD_ARGUMENT. Packed weights are `padded` rows of words. */
EXPORT int window_pack_forward(const struct window *w) {
    if (!is_valid_window(w) || !w->weights || !w->packed) return BAD_ARGUMENT;
    const int64_t rows = GATES[w->cell] * w->units;
    pack(w, rows, w->width, 1, rows);
    return OK;
}

EXPORT int window_pack_backward(const struct window *w) {
    if (!is_valid_window(w) || !w->weights || !w->packed) return BAD_ARGUMENT;
    const int64_t columns = GATES[w->cell] * w->units;
    pack(w, w->units, columns, columns, 1);
    return OK;
}

static inline float read_bfloat16(uint16_t number) {
    uint32_t bits = (uint32_t)number << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static inline float read_float(float number) { return number; }

/* sums (4, width) += numbers (4, count), at the ids. Four sums do not wait for one another. */
#define DEFINE_SCATTER(element, read)                                                     \
    static void scatter_##read(const element *numbers, const int32_t *ids, int64_t count, \
                               float *sums, int64_t width) {                              \
        for (int64_t n = 0; n < count; n++)                                               \
            for (int row = 0; row < 4; row++)                                             \
                sums[row * width + ids[n]] += read(numbers[row * count + n]);             \
    }

DEFINE_SCATTER(float, read_float)
DEFINE_SCATTER(uint16_t, read_bfloat16)

static int has_valid_ids(const struct window *w) {
    for (int64_t n = 0; n < w->steps * w->batch; n++)
        if (w->ids[n] < 0 || w->ids[n] >= w->width) return 0;
    return 1;
}

static int has_inputs(const struct window *w) {
    if (!w->products) return w->packed_kernel && w->inputs;
    return w->ids ? has_valid_ids(w) : w->width == w->steps * w->batch;
}

EXPORT int window_forward(const struct window *w) {
    const int complete = is_valid_window(w) && has_states(w) && is_aligned(w->outputs)
                         && is_aligned(w->residuals) && w->bias && has_inputs(w);
    return complete ? ALL[w->isa]->forward(w) : BAD_ARGUMENT;
}

EXPORT int window_backward(const struct window *w) {
    const int complete = is_valid_window(w) && has_states(w) && is_aligned(w->gradient) && w->d_bias;
    return complete ? ALL[w->isa]->backward(w) : BAD_ARGUMENT;
}

/* The gradient of `products`, of which `ids` names the rows: that of the pre-activations, (gates units,
   T, B), is summed over all steps and columns with the same id. */
EXPORT int window_scatter(const struct window *w) {
    if (!is_valid_window(w) || !w->gradient || !w->d_products || !w->ids || !has_valid_ids(w))
        return BAD_ARGUMENT;
    const int64_t rows = GATES[w->cell] * w->units, count = w->steps * w->batch, width = w->width;
    const int is_bfloat16 = ALL[w->isa]->pair == 2;
    memset(w->d_products, 0, sizeof(float) * rows * width);
    for (int64_t row = 0; row < rows; row += 4) {
        float *sums = w->d_products + row * width;
        if (is_bfloat16)
            scatter_read_bfloat16((uint16_t *)w->gradient + row * count, w->ids, count, sums, width);
        else scatter_read_float((float *)w->gradient + row * count, w->ids, count, sums, width);
    }
    return OK;
}
