/* A recurrent layer over a window, forward and backward. train_window.c includes this once for every
   instruction set, after simd.h, and defines in addition

     GROUPS    largest number of vectors of columns that a product works on at once
     BFLOAT16  1: sequences, weights and factors of products are bfloat16, sums float32;
               0: everything is float32

   Sequences are (rows, T, B), states (units, B), with the gates in the order of Keras. Factors of
   products are packed into words of four bytes: a float, or a pair of bfloat16 from two rows. */

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

INLINE void NAME(write_words)(uint32_t *to, const vec *rows, int64_t stride) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)rows[0]));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)rows[stride]));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

/* The words of a row and the row `stride` after it; a stride of 0 takes zeros instead. */
INLINE void NAME(copy_words)(uint32_t *to, const element *row, int64_t stride) {
    __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)row)), high = {0};
    if (stride) high = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(row + stride)));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}

/* Write all vectors of columns past the caches: for data that is read after the last step. They
   must fill whole cache lines. */
INLINE void NAME(stream)(element *to, int groups, const vec *columns, int64_t stride) {
    if (groups == 1) NAME(write)(to, *columns);
    else
        _mm512_stream_si512((__m512i *)to,
                            (__m512i)_mm512_cvtne2ps_pbh((__m512)columns[stride], (__m512)columns[0]));
}

INLINE vec NAME(multiply_add)(vec sum, uint32_t weight, const uint32_t *words) {
    __m512i pairs = _mm512_loadu_si512(words), same = _mm512_set1_epi32((int)weight);
    return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)same, (__m512bh)pairs);
}
#else
enum { NAME(PAIR) = 1 };
typedef float element;

INLINE vec NAME(read)(const element *from) { return NAME(load)(from); }

INLINE void NAME(write)(element *to, vec v) { NAME(store)(to, v); }

INLINE void NAME(write_words)(uint32_t *to, const vec *rows, int64_t stride) {
    (void)stride;
    memcpy(to, rows, sizeof *rows);
}

INLINE void NAME(copy_words)(uint32_t *to, const element *row, int64_t stride) {
    (void)stride;
    memcpy(to, row, sizeof(vec));
}

INLINE void NAME(stream)(element *to, int groups, const vec *columns, int64_t stride) {
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
#endif

/* Make streamed data visible to all threads. */
INLINE void NAME(end_of_streams)(void) {
#if LANES == 16
    _mm_sfence();
#endif
}

/* sums (rows, groups) += weights (rows, words) times the columns, for `groups` vectors of columns.
   The sums are copied so that compilers keep them in registers: only these loops are unrolled. */
INLINE void NAME(product)(int rows, int groups, const uint32_t *weights, const uint32_t *columns,
                          int64_t batch, int64_t words, vec sums[][GROUPS]) {
    vec acc[16][GROUPS];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++) acc[r][c] = sums[r][c];
    for (int64_t k = 0; k < words; k++, weights += rows, columns += batch)
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++)
                acc[r][c] = NAME(multiply_add)(acc[r][c], weights[r], columns + LANES * c);
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++) sums[r][c] = acc[r][c];
}

/* One forward step of `block` units for `groups` vectors of columns from `column` on. The equations
   are in cells.h; the residuals of a unit are

     SIMPLE_RNN  h'
     LSTM        i, f, g, o, c, tanh(c')
     GRU         z, r, U h + b_r (candidate), g, h - g */
INLINE void NAME(forward_block)(int cell, int block, int groups, const struct window *w, int64_t step,
                                int64_t unit, int64_t column, const uint32_t *inputs,
                                const uint32_t *columns, uint32_t *next) {
    const int gates = GATES[cell];
    const int64_t units = w->units, batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = word_count(units, NAME(PAIR)),
                  input_words = word_count(w->width, NAME(PAIR));
    element *outputs = (element *)w->outputs + step * batch;
    vec pre[16][GROUPS], hidden[16][GROUPS], input[16][GROUPS];
    for (int gate = 0; gate < gates; gate++)
        for (int j = 0; j < block; j++)
            for (int c = 0; c < groups; c++) {
                int64_t row = gate * units + unit + j;
                pre[gate * block + j][c] = NAME(splat)(
                    w->bias[row] + (cell == GRU && gate < 2 ? w->bias[gates * units + row] : 0.0f));
            }
    NAME(product)(gates * block, groups, w->packed_kernel + unit * gates * input_words,
                  inputs + column, batch, input_words, pre);
    if (cell == GRU) /* the reset gate applies to the recurrent part of the candidate only */
        for (int j = 0; j < block; j++)
            for (int c = 0; c < groups; c++) {
                input[j][c] = pre[2 * block + j][c];
                pre[2 * block + j][c] = NAME(splat)(w->bias[(gates + 2) * units + unit + j]);
            }
    NAME(product)(gates * block, groups, w->packed + unit * gates * words, columns + column, batch,
                  words, pre);
    for (int j = 0; j < block; j++) {
        vec k_all[GROUPS][MAX_RESIDUALS];
        for (int c = 0; c < groups; c++) {
            int64_t at = (unit + j) * batch + column + LANES * c;
            vec h, *k = k_all[c];
            if (cell == LSTM) {
                k[0] = NAME(sigmoid)(pre[j][c]), k[1] = NAME(sigmoid)(pre[block + j][c]);
                k[2] = NAME(tanh)(pre[2 * block + j][c]);
                k[3] = NAME(sigmoid)(pre[3 * block + j][c]);
                k[4] = NAME(load)(w->cell_state + at);
                vec c_new = k[1] * k[4] + k[0] * k[2];
                k[5] = NAME(tanh)(c_new);
                h = k[3] * k[5];
                NAME(store)(w->cell_state + at, c_new);
            } else if (cell == GRU) {
                k[0] = NAME(sigmoid)(pre[j][c]), k[1] = NAME(sigmoid)(pre[block + j][c]);
                k[2] = pre[2 * block + j][c];
                k[3] = NAME(tanh)(input[j][c] + k[1] * k[2]);
                k[4] = NAME(load)(w->hidden + at) - k[3];
                h = k[3] + k[0] * k[4];
            } else {
                h = k[0] = NAME(tanh)(pre[j][c]);
            }
            NAME(store)(w->hidden + at, h);
            NAME(write)(outputs + (unit + j) * row_stride + column + LANES * c, h);
            hidden[j][c] = h;
        }
        for (int n = 0; n < RESIDUALS[cell]; n++)
            NAME(stream)((element *)w->residuals
                             + ((step * units + unit + j) * RESIDUALS[cell] + n) * batch + column,
                         groups, &k_all[0][n], MAX_RESIDUALS);
    }
    for (int j = 0; j < block; j += NAME(PAIR))
        for (int c = 0; c < groups; c++)
            NAME(write_words)(next + (unit + j) / NAME(PAIR) * batch + column + LANES * c,
                              &hidden[j][c], GROUPS);
}

INLINE int NAME(forward_cell)(int cell, int groups, const struct window *w) {
    const int block = FORWARD_BLOCK[cell][GROUPS > groups];
    const int64_t units = w->units, batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = word_count(units, NAME(PAIR)),
                  input_words = word_count(w->width, NAME(PAIR));
    uint32_t *columns = allocate(words * batch), *next = allocate(words * batch);
    uint32_t *inputs = allocate(input_words * batch);
    const int failed = !columns || !next || !inputs;
    if (failed) goto end;
    for (int64_t unit = 0; unit < units; unit += NAME(PAIR))
        for (int64_t column = 0; column < batch; column += LANES) {
            vec rows[2];
            for (int n = 0; n < NAME(PAIR); n++)
                rows[n] = NAME(load)(w->hidden + (unit + n) * batch + column);
            NAME(write_words)(columns + unit / NAME(PAIR) * batch + column, rows, 1);
        }
    for (int64_t step = 0; step < w->steps; step++) {
        const element *from = (const element *)w->inputs + step * batch;
        for (int64_t k = 0; k < input_words; k++, from += NAME(PAIR) * row_stride)
            for (int64_t column = 0; column < batch; column += LANES) {
                __builtin_prefetch(from + AHEAD * row_stride + column); /* rows are far apart */
                __builtin_prefetch(from + (AHEAD + 1) * row_stride + column);
                NAME(copy_words)(inputs + k * batch + column, from + column,
                                 has_pair(k, w->width, NAME(PAIR)) ? row_stride : 0);
            }
        for (int64_t column = 0; column < batch; column += LANES * groups)
            for (int64_t unit = 0; unit < units; unit += block)
                NAME(forward_block)(cell, block, groups, w, step, unit, column, inputs, columns, next);
        uint32_t *last = columns;
        columns = next;
        next = last;
    }
    NAME(end_of_streams)();
end:
    release(columns), release(next), release(inputs);
    return failed ? NO_MEMORY : OK;
}

/* One backward step of one unit: from dh' and dc' the gradients `d` of the pre-activations, and in
   `hidden` and `cell_state` the part of dh and dc that involves no product. The rest of dh is U^T d.

     SIMPLE_RNN  d = dh' (1 - h'^2);  dh = U^T d
     LSTM        dc' += dh' o (1 - tanh(c')^2)
                 di = dc' g i (1 - i);  df = dc' c f (1 - f);  dg = dc' i (1 - g^2)
                 do = dh' tanh(c') o (1 - o);  dc = dc' f;  dh = U^T (di, df, dg, do)
     GRU         dg = dh' (1 - z) (1 - g^2);  dz = dh' (h - g) z (1 - z)
                 dr = dg (U h + b_r) r (1 - r);  dh = dh' z + U^T (dz, dr, dg r)

   `d` has the rows in that order; of a GRU dz, dr, dg r (recurrent product), dg (input's product). */
INLINE void NAME(backward_unit)(int cell, const struct window *w, int64_t step, int64_t unit,
                                int64_t column, vec d[MAX_GRADIENT_ROWS]) {
    const int64_t batch = w->batch, row_stride = w->steps * batch, at = unit * batch + column;
    const element *residuals =
        (const element *)w->residuals + (step * w->units + unit) * RESIDUALS[cell] * batch + column;
    const element *outputs = (const element *)w->outputs + step * batch + unit * row_stride + column;
    vec k[MAX_RESIDUALS];
    for (int n = 0; n < RESIDUALS[cell]; n++) {
        k[n] = NAME(read)(residuals + n * batch);
        __builtin_prefetch(residuals + (AHEAD * RESIDUALS[cell] + n) * batch);
    }
    __builtin_prefetch(outputs + AHEAD * row_stride); /* rows are far apart */
    vec dh = NAME(load)(w->hidden + at) + NAME(read)(outputs);
    vec direct = {0};
    if (cell == LSTM) {
        vec dc = NAME(load)(w->cell_state + at) + dh * k[3] * (1.0f - k[5] * k[5]);
        d[0] = dc * k[2] * (k[0] - k[0] * k[0]);
        d[1] = dc * k[4] * (k[1] - k[1] * k[1]);
        d[2] = dc * k[0] * (1.0f - k[2] * k[2]);
        d[3] = dh * k[5] * (k[3] - k[3] * k[3]);
        NAME(store)(w->cell_state + at, dc * k[1]);
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

INLINE int NAME(backward_cell)(int cell, int groups, const struct window *w) {
    const int gates = GATES[cell], rows = GRADIENT_ROWS[cell], block = BACKWARD_BLOCK[GROUPS > groups];
    const int64_t units = w->units, batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = gates * units / NAME(PAIR);
    uint32_t *columns = allocate(words * batch);
    float *bias_sums = (float *)allocate(rows * units * LANES);
    const int failed = !columns || !bias_sums;
    if (failed) goto end;
    memset(bias_sums, 0, sizeof *bias_sums * rows * units * LANES);
    for (int64_t step = w->steps - 1; step >= 0; step--) {
        element *gradient = (element *)w->gradient + step * batch;
        for (int64_t unit = 0; unit < units; unit += NAME(PAIR))
            for (int64_t column = 0; column < batch; column += LANES * groups) {
                vec d[GROUPS][2][MAX_GRADIENT_ROWS];
                for (int c = 0; c < groups; c++)
                    for (int n = 0; n < NAME(PAIR); n++)
                        NAME(backward_unit)(cell, w, step, unit + n, column + LANES * c, d[c][n]);
                for (int gate = 0; gate < rows; gate++)
                    for (int n = 0; n < NAME(PAIR); n++) {
                        int64_t row = gate * units + unit + n;
                        NAME(stream)(gradient + row * row_stride + column, groups, &d[0][n][gate],
                                     2 * MAX_GRADIENT_ROWS);
                        float *sum = bias_sums + row * LANES;
                        vec total = NAME(load)(sum);
                        for (int c = 0; c < groups; c++) total += d[c][n][gate];
                        NAME(store)(sum, total);
                    }
                for (int gate = 0; gate < gates; gate++)
                    for (int c = 0; c < groups; c++)
                        NAME(write_words)(columns + (gate * units + unit) / NAME(PAIR) * batch + column
                                              + LANES * c,
                                          &d[c][0][gate], MAX_GRADIENT_ROWS);
            }
        for (int64_t column = 0; column < batch; column += LANES * groups)
            for (int64_t row = 0; row < units; row += block) {
                vec product[16][GROUPS];
                for (int r = 0; r < block; r++)
                    for (int c = 0; c < groups; c++)
                        product[r][c] = NAME(load)(w->hidden + (row + r) * batch + column + LANES * c);
                NAME(product)(block, groups, w->packed + row * words, columns + column, batch, words,
                              product);
                for (int r = 0; r < block; r++)
                    for (int c = 0; c < groups; c++)
                        NAME(store)(w->hidden + (row + r) * batch + column + LANES * c, product[r][c]);
            }
    }
    for (int64_t row = 0; row < rows * units; row++) {
        w->d_bias[row] = 0.0f;
        for (int lane = 0; lane < LANES; lane++) w->d_bias[row] += bias_sums[row * LANES + lane];
    }
    NAME(end_of_streams)();
end:
    release(columns), release(bias_sums);
    return failed ? NO_MEMORY : OK;
}

#if GROUPS == 2
#define FOR_BATCH(work, cell) \
    (w->batch % (2 * LANES) ? NAME(work)(cell, 1, w) : NAME(work)(cell, 2, w))
#else
#define FOR_BATCH(work, cell) NAME(work)(cell, 1, w)
#endif

#define DEFINE(name)                                              \
    static TARGET int NAME(name)(const struct window *w) {        \
        if (w->cell == LSTM) return FOR_BATCH(name##_cell, LSTM); \
        if (w->cell == GRU) return FOR_BATCH(name##_cell, GRU);   \
        return FOR_BATCH(name##_cell, SIMPLE_RNN);                \
    }

DEFINE(forward)
DEFINE(backward)

static const struct loops NAME(loops) = {LANES, GROUPS, NAME(PAIR), NAME(forward), NAME(backward)};

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
