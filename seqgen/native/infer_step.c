/* One step of a trained network, for generation: a token for each of some streams.

   Weights are int8 with a float scale for each row; inputs lie between -1 and 1 and are quantised to
   14 bits. Products are summed as int32, whose result does not depend on the order, so that a
   stream's logits do not depend on the other streams in the batch. */

#include <stdint.h>
#include <string.h>

#include "cells.h"

#define UNIT 8191.0f /* what 1 is as a whole number */

struct matrix {
    const int8_t *weights; /* for each block of ROWS rows, for each two columns: (ROWS, 2) */
    const float *scales;   /* (rows,): what a sum is multiplied with */
    int64_t rows, width;   /* rows a multiple of 16, width of 2 */
};

struct layer {
    struct matrix input, recurrent;     /* input: not of the first layer */
    const float *bias, *recurrent_bias; /* (gates units) or NULL; recurrent: of a GRU */
};

struct network {
    int32_t isa, cell;
    int64_t layers, units;
    const struct layer *of_layer;
    struct matrix output;
    const float *output_bias;
    float *scratch; /* for each stream 2 gates units, and units / 2 */
};

#define ROWS 16 /* of a block in every instruction set, so that weights are packed in one way */

static inline int32_t load_pair_i16(const int16_t *numbers) {
    int32_t pair;
    memcpy(&pair, numbers, sizeof pair);
    return pair;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define NAME(x) step_vnni_##x
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")))
#define LANES 16
#define TILES 8
#define STREAMS 8
#include "simd.h"

typedef __m512i NAME(sums);
typedef __m512i NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)weights));
}

INLINE NAME(sums) NAME(dot)(NAME(sums) sums, NAME(wide) wide, const int16_t *numbers) {
    return _mm512_dpwssd_epi32(sums, wide, _mm512_set1_epi32(load_pair_i16(numbers)));
}

#include "infer_step.h"

#define NAME(x) step_avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TILES 4
#define STREAMS 4
#include "simd.h"

typedef struct { __m256i low, high; } NAME(sums), NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    const __m128i *halves = (const __m128i *)weights;
    return (NAME(wide)){_mm256_cvtepi8_epi16(_mm_loadu_si128(halves)),
                        _mm256_cvtepi8_epi16(_mm_loadu_si128(halves + 1))};
}

INLINE NAME(sums) NAME(dot)(NAME(sums) sums, NAME(wide) wide, const int16_t *numbers) {
    __m256i pair = _mm256_set1_epi32(load_pair_i16(numbers));
    return (NAME(sums)){_mm256_add_epi32(sums.low, _mm256_madd_epi16(wide.low, pair)),
                        _mm256_add_epi32(sums.high, _mm256_madd_epi16(wide.high, pair))};
}

#include "infer_step.h"

static int has_vnni(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
           && __builtin_cpu_supports("avx512vnni");
}

static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

#define NAME(x) step_plain_##x
#define TARGET
#define LANES 4
#define TILES 2
#define STREAMS 2
#include "simd.h"

typedef struct { int32_t lanes[ROWS]; } NAME(sums);
typedef struct { int16_t lanes[2 * ROWS]; } NAME(wide);

INLINE NAME(wide) NAME(widen)(const int8_t *weights) {
    NAME(wide) wide;
    for (int i = 0; i < 2 * ROWS; i++) wide.lanes[i] = weights[i];
    return wide;
}

INLINE NAME(sums) NAME(dot)(NAME(sums) sums, NAME(wide) wide, const int16_t *numbers) {
    for (int r = 0; r < ROWS; r++)
        sums.lanes[r] += wide.lanes[2 * r] * numbers[0] + wide.lanes[2 * r + 1] * numbers[1];
    return sums;
}

#include "infer_step.h"

/* The fastest instruction set of this processor, from 0; every processor has 2. */
int network_set(void) {
#if defined(__x86_64__)
    if (has_vnni()) return 0;
    if (has_avx2()) return 1;
#endif
    return 2;
}

/* Each stream's numbers stand one after the other: of every layer its states, each (units,), then
   the logits. `first` is (streams, gates units): the sums that the tokens bring to the first layer. */
void network_step(const struct network *n, int64_t streams, const float *first, const float *before,
                  float *after) {
#if defined(__x86_64__)
    if (n->isa == 0) step_vnni_step(n, streams, first, before, after);
    else if (n->isa == 1) step_avx2_step(n, streams, first, before, after);
    else
#endif
        step_plain_step(n, streams, first, before, after);
}
