/* A recurrent layer over a window of times, forward and backward. See train_window.c, which includes this
   once for every instruction set, after simd.h, and defines, besides what that wants:

     GROUPS    vectors of columns at the most that a product works on at once
     BFLOAT16  1: sequences, weights and products are bfloat16, sums float32; 0: all is float32

   Sequences are (rows, T, B), states (units, B), in rows as Keras orders its gates. What a product
   reads stands in words of four bytes: a float, or a pair of bfloat16 from two rows. */

#define element NAME(element)

#if BFLOAT16
enum { NAME(PAIR) = 2 };
typedef uint16_t element;

INLINE vec NAME(read)(const element *from) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from));
    return (vec)_mm512_slli_epi32(wide, 16);
}

INLINE void NAME(write)(element *to, vec v) {
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)v));
}

INLINE void NAME(write_words)(uint32_t *to, const vec *rows, long stride) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)rows[0]));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)rows[stride]));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

/* The words of a row and the one `stride` after it, or of one alone with a stride of 0. */
INLINE void NAME(copy_words)(uint32_t *to, const element *row, long stride) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)row)), high = {0};
    if (stride) high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(row + stride)));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

/* As write, for all vectors of columns, and past the caches: for what is read when all times are
   done. A line of it must be whole. */
INLINE void NAME(stream)(element *to, int groups, const vec *columns, long stride) {
    if (groups == 1) NAME(write)(to, *columns);
    else
        _mm512_stream_si512((__m512i *)to, (__m512i)_mm512_cvtne2ps_pbh((__m512)columns[stride],
                                                                        (__m512)columns[0]));
}

INLINE vec NAME(multiply_add)(vec sum, uint32_t weight, const uint32_t *words) {
    __m512i pairs = _mm512_loadu_si512(words), same = _mm512_set1_epi32((int)weight);
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)same, (__m512bh)pairs);
}

INLINE uint32_t NAME(word)(const element *at, long stride) {
    return stride ? at[0] | (uint32_t)at[stride] << 16 : at[0];
}
#else
enum { NAME(PAIR) = 1 };
typedef float element;

INLINE vec NAME(read)(const element *from) { return NAME(load)(from); }

INLINE void NAME(write)(element *to, vec v) { NAME(store)(to, v); }

INLINE void NAME(write_words)(uint32_t *to, const vec *rows, long stride) {
    (void)stride;
    memcpy(to, rows, sizeof *rows);
}

INLINE void NAME(copy_words)(uint32_t *to, const element *row, long stride) {
    (void)stride;
    memcpy(to, row, sizeof(vec));
}

INLINE void NAME(stream)(element *to, int groups, const vec *columns, long stride) {
    for (int c = 0; c < groups; c++)
#if LANES == 16
        _mm512_stream_ps(to + LANES * c, (__m512)columns[c * stride]);
#else
        NAME(write)(to + LANES * c, columns[c * stride]);
#endif
}

INLINE vec NAME(multiply_add)(vec sum, uint32_t weight, const uint32_t *words) {
    vec v;
    float same;
    memcpy(&v, words, sizeof v);
    memcpy(&same, &weight, sizeof same);
    return sum + same * v;
}

INLINE uint32_t NAME(word)(const element *at, long stride) {
    uint32_t word;
    (void)stride;
    memcpy(&word, at, sizeof word);
    return word;
}
#endif

/* What was streamed is seen by all threads from here on. */
INLINE void NAME(end_of_streams)(void) {
#if LANES == 16
    _mm_sfence();
#endif
}

/* The words of so many rows; the last word of an odd number holds one row and zeros. */
INLINE long NAME(words)(long rows) { return (rows + NAME(PAIR) - 1) / NAME(PAIR); }

INLINE int NAME(has_pair)(long word, long rows) { return (word + 1) * NAME(PAIR) <= rows; }

/* sums[r] += weights (rows, words) times the columns, for `groups` vectors of columns. */
INLINE void NAME(product)(int rows, int groups, const uint32_t *weights, const uint32_t *columns,
                          long batch, long words, vec sums[][GROUPS]) {
    for (long k = 0; k < words; k++, weights += rows, columns += batch)
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++)
                sums[r][c] = NAME(multiply_add)(sums[r][c], weights[r], columns + LANES * c);
}

/* Weights (width, gates units) as a product forward reads them: for each block of units, word by
   word, the block's rows of every gate. Sixteen units are packed side by side: the blocks of more
   lie so far apart that they would throw each other out of the cache. */
INLINE int NAME(pack_forward_cell)(int cell, int block, int groups, const struct window *w) {
    const int gates = GATES[cell];
    const long row = gates * w->units, words = NAME(words)(w->width), tile = 16;
    (void)groups;
    for (long first = 0; first < w->units; first += tile)
        for (long k = 0; k < words; k++)
            for (int gate = 0; gate < gates; gate++) {
                const element *from =
                    (const element *)w->weights + k * NAME(PAIR) * row + gate * w->units + first;
                const long stride = NAME(has_pair)(k, w->width) ? row : 0;
                uint32_t *to = w->packed + (first * words + k * block) * gates + gate * block;
                for (long unit = 0; unit < tile; unit += block, to += block * words * gates)
#pragma GCC unroll 16
                    for (int j = 0; j < block; j++) to[j] = NAME(word)(from + unit + j, stride);
            }
    return 0;
}

/* The recurrent kernel as a product backward reads it: for each block of rows, word by word. */
INLINE int NAME(pack_backward_cell)(int cell, int block, int groups, const struct window *w) {
    const long width = GATES[cell] * w->units, words = width / NAME(PAIR);
    const element *kernel = w->weights;
    uint32_t *to = w->packed;
    (void)groups;
    for (long first = 0; first < w->units; first += block)
        for (long k = 0; k < words; k++)
            for (long row = first; row < first + block; row++)
                *to++ = NAME(word)(kernel + row * width + k * NAME(PAIR), 1);
    return 0;
}

/* One time of one block of units: `groups` vectors of columns from `column` on. */
INLINE void NAME(forward_block)(int cell, int block, int groups, const struct window *w, long time,
                                long unit, long column, const uint32_t *inputs,
                                const uint32_t *columns, uint32_t *next) {
    const int gates = GATES[cell];
    const long units = w->units, batch = w->batch, step = w->steps * batch;
    const long words = NAME(words)(units), input_words = NAME(words)(w->width);
    element *outputs = (element *)w->outputs + time * batch;
    vec sums[16][GROUPS], hidden[16][GROUPS], input[16][GROUPS];
#pragma GCC unroll 4
    for (int gate = 0; gate < gates; gate++)
#pragma GCC unroll 16
        for (int j = 0; j < block; j++)
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++) {
                long row = gate * units + unit + j;
                sums[gate * block + j][c] = NAME(splat)(
                    w->bias[row] + (cell == GRU && gate < 2 ? w->bias[gates * units + row] : 0.0f));
            }
    NAME(product)(gates * block, groups, w->packed_kernel + unit * gates * input_words,
                  inputs + column, batch, input_words, sums);
    if (cell == GRU) /* the reset gate is between the candidate's two sums */
#pragma GCC unroll 16
        for (int j = 0; j < block; j++)
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++) {
                input[j][c] = sums[2 * block + j][c];
                sums[2 * block + j][c] = NAME(splat)(w->bias[(gates + 2) * units + unit + j]);
            }
    NAME(product)(gates * block, groups, w->packed + unit * gates * words, columns + column, batch,
                  words, sums);
#pragma GCC unroll 16
    for (int j = 0; j < block; j++) {
        vec kept[GROUPS][MOST_KEPT];
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++) {
            long at = (unit + j) * batch + column + LANES * c;
            vec h, *k = kept[c];
            if (cell == LSTM) {
                k[0] = NAME(sigmoid)(sums[j][c]), k[1] = NAME(sigmoid)(sums[block + j][c]);
                k[2] = NAME(tanh)(sums[2 * block + j][c]);
                k[3] = NAME(sigmoid)(sums[3 * block + j][c]);
                k[4] = NAME(load)(w->carry + at);
                vec carry = k[1] * k[4] + k[0] * k[2];
                k[5] = NAME(tanh)(carry);
                h = k[3] * k[5];
                NAME(store)(w->carry + at, carry);
            } else if (cell == GRU) {
                k[0] = NAME(sigmoid)(sums[j][c]), k[1] = NAME(sigmoid)(sums[block + j][c]);
                k[2] = sums[2 * block + j][c];
                k[3] = NAME(tanh)(input[j][c] + k[1] * k[2]);
                k[4] = NAME(load)(w->hidden + at) - k[3];
                h = k[3] + k[0] * k[4];
            } else {
                h = k[0] = NAME(tanh)(sums[j][c]);
            }
            NAME(store)(w->hidden + at, h);
            NAME(write)(outputs + (unit + j) * step + column + LANES * c, h);
            hidden[j][c] = h;
        }
#pragma GCC unroll 6
        for (int n = 0; n < KEPT[cell]; n++)
            NAME(stream)((element *)w->kept
                             + ((time * units + unit + j) * KEPT[cell] + n) * batch + column,
                         groups, &kept[0][n], MOST_KEPT);
    }
#pragma GCC unroll 16
    for (int j = 0; j < block; j += NAME(PAIR))
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++)
            NAME(write_words)(next + (unit + j) / NAME(PAIR) * batch + column + LANES * c,
                              &hidden[j][c], GROUPS);
}

INLINE int NAME(forward_cell)(int cell, int block, int groups, const struct window *w) {
    const long units = w->units, batch = w->batch, step = w->steps * batch;
    const long words = NAME(words)(units), input_words = NAME(words)(w->width);
    uint32_t *columns = scratch(words * batch), *next = scratch(words * batch);
    uint32_t *inputs = scratch(input_words * batch);
    const int failed = !columns || !next || !inputs;
    if (failed) goto end;
    for (long unit = 0; unit < units; unit += NAME(PAIR))
        for (long column = 0; column < batch; column += LANES) {
            vec rows[2];
            for (int n = 0; n < NAME(PAIR); n++)
                rows[n] = NAME(load)(w->hidden + (unit + n) * batch + column);
            NAME(write_words)(columns + unit / NAME(PAIR) * batch + column, rows, 1);
        }
    for (long time = 0; time < w->steps; time++) {
        const element *from = (const element *)w->inputs + time * batch;
        for (long k = 0; k < input_words; k++, from += NAME(PAIR) * step)
            for (long column = 0; column < batch; column += LANES) {
                __builtin_prefetch(from + AHEAD * step + column); /* rows lie far apart */
                __builtin_prefetch(from + (AHEAD + 1) * step + column);
                NAME(copy_words)(inputs + k * batch + column, from + column,
                                 NAME(has_pair)(k, w->width) ? step : 0);
            }
        for (long column = 0; column < batch; column += LANES * groups)
            for (long unit = 0; unit < units; unit += block)
                NAME(forward_block)(cell, block, groups, w, time, unit, column, inputs, columns, next);
        uint32_t *last = columns;
        columns = next;
        next = last;
    }
    NAME(end_of_streams)();
end:
    free(columns), free(next), free(inputs);
    return failed;
}

/* The gradient of one unit's sums at one time, `d`, from that of its state, which becomes what of
   it goes to the state before without a product. Kept are of an LSTM i, f, candidate, o, carry
   before, tanh of the carry; of a GRU z, r, the candidate's recurrent sum, candidate, difference. */
INLINE void NAME(backward_unit)(int cell, const struct window *w, long time, long unit, long column,
                                vec d[MOST_GRADIENT_ROWS]) {
    const long batch = w->batch, step = w->steps * batch, at = unit * batch + column;
    const element *kept =
        (const element *)w->kept + (time * w->units + unit) * KEPT[cell] * batch + column;
    const element *outputs = (const element *)w->outputs + time * batch + unit * step + column;
    vec k[MOST_KEPT];
#pragma GCC unroll 6
    for (int n = 0; n < KEPT[cell]; n++) {
        k[n] = NAME(read)(kept + n * batch);
        __builtin_prefetch(kept + (AHEAD * KEPT[cell] + n) * batch);
    }
    __builtin_prefetch(outputs + AHEAD * step); /* rows lie far apart */
    vec dh = NAME(load)(w->hidden + at) + NAME(read)(outputs);
    vec direct = {0};
    if (cell == LSTM) {
        vec dc = NAME(load)(w->carry + at) + dh * k[3] * (1.0f - k[5] * k[5]);
        d[0] = dc * k[2] * (k[0] - k[0] * k[0]);
        d[1] = dc * k[4] * (k[1] - k[1] * k[1]);
        d[2] = dc * k[0] * (1.0f - k[2] * k[2]);
        d[3] = dh * k[5] * (k[3] - k[3] * k[3]);
        NAME(store)(w->carry + at, dc * k[1]);
    } else if (cell == GRU) {
        direct = dh * k[0];
        d[3] = (dh - direct) * (1.0f - k[3] * k[3]);
        d[0] = dh * k[4] * (k[0] - k[0] * k[0]);
        d[1] = d[3] * k[2] * (k[1] - k[1] * k[1]);
        d[2] = d[3] * k[1];
    } else {
        d[0] = dh * (1.0f - k[0] * k[0]);
    }
    NAME(store)(w->hidden + at, direct);
}

INLINE int NAME(backward_cell)(int cell, int block, int groups, const struct window *w) {
    const int gates = GATES[cell], rows = GRADIENT_ROWS[cell];
    const long units = w->units, batch = w->batch, step = w->steps * batch;
    const long words = gates * units / NAME(PAIR);
    uint32_t *columns = scratch(words * batch);
    float *sums = (float *)scratch(rows * units * LANES);
    const int failed = !columns || !sums;
    if (failed) goto end;
    memset(sums, 0, sizeof *sums * rows * units * LANES);
    for (long time = w->steps - 1; time >= 0; time--) {
        element *gradient = (element *)w->gradient + time * batch;
        for (long unit = 0; unit < units; unit += NAME(PAIR))
            for (long column = 0; column < batch; column += LANES * groups) {
                vec d[GROUPS][2][MOST_GRADIENT_ROWS];
#pragma GCC unroll 2
                for (int c = 0; c < groups; c++)
#pragma GCC unroll 2
                    for (int n = 0; n < NAME(PAIR); n++)
                        NAME(backward_unit)(cell, w, time, unit + n, column + LANES * c, d[c][n]);
#pragma GCC unroll 4
                for (int gate = 0; gate < rows; gate++)
#pragma GCC unroll 2
                    for (int n = 0; n < NAME(PAIR); n++) {
                        long row = gate * units + unit + n;
                        NAME(stream)(gradient + row * step + column, groups, &d[0][n][gate],
                                     2 * MOST_GRADIENT_ROWS);
                        float *sum = sums + row * LANES;
                        vec total = NAME(load)(sum);
#pragma GCC unroll 2
                        for (int c = 0; c < groups; c++) total += d[c][n][gate];
                        NAME(store)(sum, total);
                    }
#pragma GCC unroll 4
                for (int gate = 0; gate < gates; gate++)
#pragma GCC unroll 2
                    for (int c = 0; c < groups; c++)
                        NAME(write_words)(columns + (gate * units + unit) / NAME(PAIR) * batch + column
                                              + LANES * c,
                                          &d[c][0][gate], MOST_GRADIENT_ROWS);
            }
        for (long column = 0; column < batch; column += LANES * groups)
            for (long row = 0; row < units; row += block) {
                vec product[16][GROUPS];
#pragma GCC unroll 16
                for (int r = 0; r < block; r++)
#pragma GCC unroll 2
                    for (int c = 0; c < groups; c++)
                        product[r][c] = NAME(load)(w->hidden + (row + r) * batch + column + LANES * c);
                NAME(product)(block, groups, w->packed + row * words, columns + column, batch, words,
                              product);
#pragma GCC unroll 16
                for (int r = 0; r < block; r++)
#pragma GCC unroll 2
                    for (int c = 0; c < groups; c++)
                        NAME(store)(w->hidden + (row + r) * batch + column + LANES * c, product[r][c]);
            }
    }
    for (long row = 0; row < rows * units; row++) {
        w->d_bias[row] = 0.0f;
        for (int lane = 0; lane < LANES; lane++) w->d_bias[row] += sums[row * LANES + lane];
    }
    NAME(end_of_streams)();
end:
    free(columns), free(sums);
    return failed;
}

/* A block has as many rows as there are registers for its sums: 16, or 8 and 12. */
#if GROUPS == 2
#define FOR_BATCH(work, cell, one, two) \
    (w->batch % (2 * LANES) ? NAME(work)(cell, one, 1, w) : NAME(work)(cell, two, 2, w))
#else
#define FOR_BATCH(work, cell, one, two) NAME(work)(cell, two, 1, w)
#endif

#define DEFINE(name, lstm_one, lstm_two, gru_one, gru_two)                            \
    static TARGET int NAME(name)(const struct window *w) {                            \
        if (w->cell == LSTM) return FOR_BATCH(name##_cell, LSTM, lstm_one, lstm_two); \
        if (w->cell == GRU) return FOR_BATCH(name##_cell, GRU, gru_one, gru_two);     \
        return FOR_BATCH(name##_cell, SIMPLE_RNN, 16, 8);                             \
    }

DEFINE(pack_forward, 4, 2, 4, 4)
DEFINE(forward, 4, 2, 4, 4)
DEFINE(pack_backward, 16, 8, 16, 8)
DEFINE(backward, 16, 8, 16, 8)

#undef FOR_BATCH
#undef DEFINE
#undef INLINE
#undef vec
#undef ints
#undef element
#undef NAME
#undef TARGET
#undef LANES
#undef GROUPS
#undef BFLOAT16
