/* One step of a trained network, for generation: one token for each stream.

   Weights are int8 with a float scale per row; inputs are between -1 and 1 and quantised to 14 bits.
   Products are summed as int32, exactly, in any order: the logits of a stream do not depend on the
   other streams of the batch. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cells.h"
#include "isa.h"
#include "library.h"

#define UNIT 8191.0f       /* 1 as a whole number of 14 bits */
enum { MAX_UNITS = 2048 }; /* with more, a sum could exceed 32 bits */

struct matrix {
    const int8_t *weights; /* for each block of ROWS rows, for each two columns: (ROWS, 2) */
    const float *scales;   /* (rows,): factors of the sums */
    int64_t rows, width;   /* rows: a multiple of ROWS; width: of 2 */
};

struct layer {
    struct matrix input, recurrent;     /* input: empty in the first layer */
    const float *bias, *recurrent_bias; /* (gates units) or NULL; recurrent: of a GRU */
};

struct network {
    int32_t isa, cell;
    int64_t layer_count, units;
    const struct layer *layer;
    struct matrix output;
    const float *output_bias; /* (output rows,) */
};

#define ROWS 16 /* of a block, in every instruction set, so that there is one way to pack weights */

#if defined(__x86_64__)
#include <immintrin.h>

static inline int32_t load_pair_i16(const int16_t *numbers) {
    int32_t pair;
    memcpy(&pair, numbers, sizeof pair);
    return pair;
}

#define NAME(x) step_vnni_##x
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")))
#define LANES 16
#define TILES 8
#define STREAMS 8
#include "simd.h"

typedef __m512i NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)weights));
}

INLINE void NAME(dot)(ints sum[1], NAME(wide) wide, const int16_t *numbers) {
    __m512i pair = _mm512_set1_epi32(load_pair_i16(numbers));
    sum[0] = (ints)_mm512_dpwssd_epi32((__m512i)sum[0], wide, pair);
}

#include "infer_step.h"

#define NAME(x) step_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TILES 4
#define STREAMS 4
#include "simd.h"

typedef struct { __m256i part[2]; } NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    const __m128i *halves = (const __m128i *)weights;
    return (NAME(wide)){{_mm256_cvtepi8_epi16(_mm_loadu_si128(halves)),
                         _mm256_cvtepi8_epi16(_mm_loadu_si128(halves + 1))}};
}

INLINE void NAME(dot)(ints sum[2], NAME(wide) wide, const int16_t *numbers) {
    __m256i pair = _mm256_set1_epi32(load_pair_i16(numbers));
    sum[0] += (ints)_mm256_madd_epi16(wide.part[0], pair);
    sum[1] += (ints)_mm256_madd_epi16(wide.part[1], pair);
}

#include "infer_step.h"

#endif

#define NAME(x) step_plain_##x
#define TARGET
#define LANES 4
#if defined(__wasm__) /* one stream, and compilers of browsers that spill more sums */
#define TILES 1
#define STREAMS 1
#else
#define TILES 2
#define STREAMS 2
#endif
#include "simd.h"

#if defined(__x86_64__)
typedef struct { __m128i part[4]; } NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    NAME(wide) wide;
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(weights + 8 * i));
        wide.part[i] = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
    }
    return wide;
}

INLINE void NAME(dot)(ints sum[4], NAME(wide) wide, const int16_t *numbers) {
    __m128i pair = _mm_set1_epi32(load_pair_i16(numbers));
    for (int i = 0; i < 4; i++) sum[i] += (ints)_mm_madd_epi16(wide.part[i], pair);
}
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>

typedef struct { v128_t part[4]; } NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    NAME(wide) wide;
    for (int i = 0; i < 4; i++) wide.part[i] = wasm_i16x8_load8x8(weights + 8 * i);
    return wide;
}

INLINE void NAME(dot)(ints sum[4], NAME(wide) wide, const int16_t *numbers) {
    v128_t pair = wasm_v128_load32_splat(numbers);
    for (int i = 0; i < 4; i++) sum[i] += (ints)wasm_i32x4_dot_i16x8(wide.part[i], pair);
}
#else
typedef int8_t NAME(bytes) __attribute__((vector_size(8)));
typedef int16_t NAME(shorts) __attribute__((vector_size(16)));
typedef int16_t NAME(column) __attribute__((vector_size(8)));
typedef struct { NAME(column) first[4], second[4]; } NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    NAME(wide) wide;
    for (int i = 0; i < 4; i++) {
        NAME(bytes) bytes;
        memcpy(&bytes, weights + 8 * i, sizeof bytes);
        ints pairs = (ints) __builtin_convertvector(bytes, NAME(shorts));
        wide.first[i] = __builtin_convertvector(pairs, NAME(column));
        wide.second[i] = __builtin_convertvector(pairs >> 16, NAME(column));
    }
    return wide;
}

INLINE void NAME(dot)(ints sum[4], NAME(wide) wide, const int16_t *numbers) {
    for (int i = 0; i < 4; i++)
        sum[i] += __builtin_convertvector(wide.first[i], ints) * numbers[0]
                  + __builtin_convertvector(wide.second[i], ints) * numbers[1];
}
#endif

#include "infer_step.h"

/* Whether this processor runs `network_step` with an instruction set. */
EXPORT int network_supports(int isa) {
#if defined(__x86_64__)
    if (isa == AVX512) return has_vnni();
    if (isa == AVX2) return has_isa(AVX2);
#endif
    return isa == PLAIN;
}

static int is_valid_network(const struct network *n) {
    return network_supports(n->isa) && n->cell >= 0 && n->cell < CELL_COUNT && n->layer_count > 0
           && n->units > 0 && n->units % ROWS == 0 && n->units <= MAX_UNITS && n->layer
           && n->output.rows > 0 && n->output.rows % ROWS == 0 && n->output.width == n->units
           && n->output_bias;
}

/* One step of `streams` streams. Returns OK, NO_MEMORY or BAD_ARGUMENT.

     first          (streams, gates units): W x of the first layer, for the tokens
     before, after  (streams, size), size = layers states units + output rows: of every layer its
                    states, each (units,), then the logits */
EXPORT int network_step(const struct network *n, int64_t streams, const float *first,
                        const float *before, float *after) {
    if (!is_valid_network(n) || streams < 1 || !first || !before || !after) return BAD_ARGUMENT;
    /* both products, (streams, gates units) each, and the quantised vectors (streams, units) */
    const int64_t floats = (2 * GATES[n->cell] + 1) * n->units;
    float *scratch = malloc(sizeof(float) * (size_t)(streams * floats));
    if (!scratch) return NO_MEMORY;
#if defined(__x86_64__)
    if (n->isa == AVX512) step_vnni_step(n, streams, first, before, after, scratch);
    else if (n->isa == AVX2) step_avx2_step(n, streams, first, before, after, scratch);
    else
#endif
        step_plain_step(n, streams, first, before, after, scratch);
    free(scratch);
    return OK;
}
