/* A recurrent layer over a window, forward and backward. train_window.c includes this once for every
   instruction set, after simd.h, and defines in addition

     TILE      rows of a tile that is two vectors of columns wide: as many sums as there are registers
     TALL_TILE rows of a tile that is one vector wide, or 0 for none
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
#pragma GCC unroll 2
    for (int c = 0; c < groups; c++)
#if LANES == 16
        _mm512_stream_ps(to + LANES * c, (__m512)columns[c * stride]);
#elif LANES == 8
        _mm256_stream_ps(to + LANES * c, (__m256)columns[c * stride]);
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
#if LANES >= 8
    _mm_sfence();
#endif
}

/* sums (rows, groups) += weights (words, rows)^T columns (words, groups), where `groups` counts vectors
   of columns. The sums stay in registers: only these loops are unrolled. */
INLINE void NAME(tile)(int rows, int groups, const uint32_t *weights, const uint32_t *columns,
                       int64_t words, float *sums, int64_t batch) {
    vec acc[MAX_ROWS][2];
#pragma GCC unroll 32
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++) acc[r][c] = NAME(load)(sums + r * batch + LANES * c);
    for (int64_t k = 0; k < words; k++, weights += rows, columns += LANES * groups)
#pragma GCC unroll 32
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++)
                acc[r][c] = NAME(multiply_add)(acc[r][c], weights[r], columns + LANES * c);
#pragma GCC unroll 32
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int c = 0; c < groups; c++) NAME(store)(sums + r * batch + LANES * c, acc[r][c]);
}

/* sums (rows, B) += packed weights times columns, of which a panel of `groups` vectors follows another.
   A tile of weights is used for all panels while it is in the first cache. */
static TARGET void NAME(multiply)(int64_t rows, int groups, const uint32_t *weights,
                                  const uint32_t *columns, int64_t words, int64_t batch, float *sums) {
    const int tile = groups == 2 ? TILE : TALL_TILE;
    for (int64_t row = 0; row < rows; row += tile, weights += tile * words)
        for (int64_t column = 0; column < batch; column += LANES * groups) {
            const uint32_t *panel = columns + column * words;
            float *to = sums + row * batch + column;
            if (groups == 2) NAME(tile)(TILE, 2, weights, panel, words, to, batch);
#if TALL_TILE
            else NAME(tile)(TALL_TILE, 1, weights, panel, words, to, batch);
#endif
        }
}

/* Word `k` of a vector of columns, in panels. */
INLINE uint32_t *NAME(word)(uint32_t *columns, int groups, int64_t words, int64_t k, int64_t column) {
    const int64_t width = LANES * groups, within = column % width;
    return columns + (column - within) * words + k * width + within;
}

/* The sums before the products: pre (gates units, B) = bias + the input's products of a step, if they
   were taken before. Sixteen rows are written for all columns in turn, as the first cache holds them. */
INLINE void NAME(begin)(int gates, const struct window *w, int64_t step, float *pre) {
    const int64_t width = gates * w->units, batch = w->batch;
    for (int64_t first = 0; first < width; first += UNITS)
        for (int64_t column = 0; column < batch; column++) {
            const float *bias = w->bias + first;
            float *to = pre + first * batch + column;
            if (w->products) {
                int64_t place = step * batch + column;
                const float *from = w->products + (w->ids ? w->ids[place] : place) * width + first;
                for (int n = 0; n < UNITS; n++) to[n * batch] = bias[n] + from[n];
            } else {
                for (int n = 0; n < UNITS; n++) to[n * batch] = bias[n];
            }
        }
}

/* The input's words of a step, whose rows are far apart. */
INLINE void NAME(copy_inputs)(int groups, const struct window *w, int64_t step, uint32_t *inputs) {
    const int64_t batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = word_count(w->width, NAME(PAIR));
    const element *from = (const element *)w->inputs + step * batch;
    for (int64_t k = 0; k < words; k++, from += NAME(PAIR) * row_stride)
        for (int64_t column = 0; column < batch; column += LANES) {
            __builtin_prefetch(from + AHEAD * row_stride + column);
            __builtin_prefetch(from + (AHEAD + 1) * row_stride + column);
            NAME(copy_words)(NAME(word)(inputs, groups, words, k, column), from + column,
                             has_pair(k, w->width, NAME(PAIR)) ? row_stride : 0);
        }
}

/* One forward step of a unit for a vector of columns: the new output, and in `k` the residuals. The
   equations are in cells.h. `pre` are the sums of both products, of a GRU those of the input's alone,
   and `recurrent` those of the other. The residuals are

     SIMPLE_RNN  h'
     LSTM        i, f, g, o, c, tanh(c')
     GRU         z, r, U h + b_r (candidate), g, h - g */
INLINE vec NAME(forward_unit)(int cell, const struct window *w, int64_t unit, int64_t column,
                              const float *pre, const float *recurrent, vec k[MAX_RESIDUALS]) {
    const int64_t at = unit * w->batch + column, gate = w->units * w->batch;
    vec h;
    pre += at, recurrent += at;
    if (cell == LSTM) {
        k[0] = NAME(sigmoid)(NAME(load)(pre)), k[1] = NAME(sigmoid)(NAME(load)(pre + gate));
        k[2] = NAME(tanh)(NAME(load)(pre + 2 * gate));
        k[3] = NAME(sigmoid)(NAME(load)(pre + 3 * gate));
        k[4] = NAME(load)(w->cell_state + at);
        vec c_new = k[1] * k[4] + k[0] * k[2];
        k[5] = NAME(tanh)(c_new);
        h = k[3] * k[5];
        NAME(store)(w->cell_state + at, c_new);
    } else if (cell == GRU) {
        k[0] = NAME(sigmoid)(NAME(load)(pre) + NAME(load)(recurrent));
        k[1] = NAME(sigmoid)(NAME(load)(pre + gate) + NAME(load)(recurrent + gate));
        k[2] = NAME(load)(recurrent + 2 * gate);
        k[3] = NAME(tanh)(NAME(load)(pre + 2 * gate) + k[1] * k[2]);
        k[4] = NAME(load)(w->hidden + at) - k[3];
        h = k[3] + k[0] * k[4];
    } else {
        h = k[0] = NAME(tanh)(NAME(load)(pre));
    }
    NAME(store)(w->hidden + at, h);
    return h;
}

/* Code for each cell. */
#define FOR_CELL(cell, work, ...)                           \
    do {                                                    \
        if (cell == LSTM) NAME(work)(LSTM, __VA_ARGS__);    \
        else if (cell == GRU) NAME(work)(GRU, __VA_ARGS__); \
        else NAME(work)(SIMPLE_RNN, __VA_ARGS__);           \
    } while (0)

/* Forward through all units and columns of a step, after the products. */
INLINE void NAME(forward_step)(int cell, int groups, const struct window *w, int64_t step,
                               const float *pre, const float *recurrent, uint32_t *columns) {
    const int64_t units = w->units, batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = word_count(units, NAME(PAIR));
    element *outputs = (element *)w->outputs + step * batch;
    element *residuals = (element *)w->residuals + step * units * RESIDUALS[cell] * batch;
    for (int64_t unit = 0; unit < units; unit += NAME(PAIR))
        for (int64_t column = 0; column < batch; column += LANES * groups) {
            vec h[2][2], k[2][2][MAX_RESIDUALS];
#pragma GCC unroll 2
            for (int n = 0; n < NAME(PAIR); n++)
#pragma GCC unroll 2
                for (int c = 0; c < groups; c++)
                    h[c][n] = NAME(forward_unit)(cell, w, unit + n, column + LANES * c, pre, recurrent,
                                                 k[n][c]);
#pragma GCC unroll 2
            for (int n = 0; n < NAME(PAIR); n++) {
                NAME(stream)(outputs + (unit + n) * row_stride + column, groups, &h[0][n], 2);
#pragma GCC unroll 6
                for (int r = 0; r < RESIDUALS[cell]; r++)
                    NAME(stream)(residuals + ((unit + n) * RESIDUALS[cell] + r) * batch + column,
                                 groups, &k[n][0][r], MAX_RESIDUALS);
            }
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++)
                NAME(write_words)(
                    NAME(word)(columns, groups, words, unit / NAME(PAIR), column + LANES * c), h[c],
                    1);
        }
}

INLINE int NAME(forward_batch)(int groups, const struct window *w) {
    const int cell = w->cell, gates = GATES[cell];
    const int64_t units = w->units, batch = w->batch, rows = gates * units;
    const int64_t words = word_count(units, NAME(PAIR)),
                  input_words = word_count(w->width, NAME(PAIR));
    const int64_t sums = padded(rows, groups == 2 ? TILE : TALL_TILE) * batch;
    uint32_t *columns = allocate(words * batch);
    uint32_t *inputs = w->products ? NULL : allocate(input_words * batch);
    float *pre = (float *)allocate(sums), *recurrent = pre;
    if (cell == GRU) recurrent = (float *)allocate(sums);
    const int failed = !columns || !(inputs || w->products) || !pre || !recurrent;
    if (failed) goto end;
    memset(pre, 0, sizeof *pre * sums);
    memset(recurrent, 0, sizeof *pre * sums);
    for (int64_t unit = 0; unit < units; unit += NAME(PAIR))
        for (int64_t column = 0; column < batch; column += LANES) {
            vec h[2];
            for (int n = 0; n < NAME(PAIR); n++)
                h[n] = NAME(load)(w->hidden + (unit + n) * batch + column);
            NAME(write_words)(NAME(word)(columns, groups, words, unit / NAME(PAIR), column), h, 1);
        }
    for (int64_t step = 0; step < w->steps; step++) {
        NAME(begin)(gates, w, step, pre);
        if (inputs) {
            NAME(copy_inputs)(groups, w, step, inputs);
            NAME(multiply)(rows, groups, w->packed_kernel, inputs, input_words, batch, pre);
        }
        if (cell == GRU)
            for (int64_t row = 0; row < rows; row++)
                for (int64_t column = 0; column < batch; column += LANES)
                    NAME(store)(recurrent + row * batch + column, NAME(splat)(w->bias[rows + row]));
        NAME(multiply)(rows, groups, w->packed, columns, words, batch, recurrent);
        FOR_CELL(cell, forward_step, groups, w, step, pre, recurrent, columns);
    }
    NAME(end_of_streams)();
end:
    if (recurrent != pre) release(recurrent);
    release(columns), release(inputs), release(pre);
    return failed ? NO_MEMORY : OK;
}

/* One backward step of a unit for a vector of columns: from dh' and dc' the gradients `d` of the
   pre-activations, and in their place the part of dh and dc that involves no product. The rest of dh
   is U^T d.

     SIMPLE_RNN  d = dh' (1 - h'^2);  dh = U^T d
     LSTM        dc' += dh' o (1 - tanh(c')^2)
                 di = dc' g i (1 - i);  df = dc' c f (1 - f);  dg = dc' i (1 - g^2)
                 do = dh' tanh(c') o (1 - o);  dc = dc' f;  dh = U^T (di, df, dg, do)
     GRU         dg = dh' (1 - z) (1 - g^2);  dz = dh' (h - g) z (1 - z)
                 dr = dg (U h + b_r) r (1 - r);  dh = dh' z + U^T (dz, dr, dg r)

   `d` has the rows in that order; of a GRU dz, dr, dg r (recurrent product), dg (input's product). */
INLINE void NAME(backward_unit)(int cell, const struct window *w, int64_t step, int64_t unit,
                                int64_t column, float *d_hidden, vec d[MAX_GRADIENT_ROWS]) {
    const int64_t batch = w->batch, row_stride = w->steps * batch, at = unit * batch + column;
    const element *residuals =
        (const element *)w->residuals + (step * w->units + unit) * RESIDUALS[cell] * batch + column;
    const element *outputs = (const element *)w->outputs + step * batch + unit * row_stride + column;
    vec k[MAX_RESIDUALS];
#pragma GCC unroll 6
    for (int n = 0; n < RESIDUALS[cell]; n++) {
        k[n] = NAME(read)(residuals + n * batch);
        __builtin_prefetch(residuals + (AHEAD * RESIDUALS[cell] + n) * batch);
    }
    __builtin_prefetch(outputs + AHEAD * row_stride); /* rows are far apart */
    vec dh = NAME(load)(d_hidden + at) + NAME(read)(outputs);
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
    NAME(store)(d_hidden + at, direct);
}

/* Backward through all units and columns of a step, before the product. */
INLINE void NAME(backward_step)(int cell, int groups, const struct window *w, int64_t step,
                                float *d_hidden, float *bias_sums, uint32_t *columns) {
    const int rows = GRADIENT_ROWS[cell];
    const int64_t units = w->units, batch = w->batch, row_stride = w->steps * batch;
    const int64_t words = GATES[cell] * units / NAME(PAIR);
    element *gradient = (element *)w->gradient + step * batch;
    for (int64_t unit = 0; unit < units; unit += NAME(PAIR))
        for (int64_t column = 0; column < batch; column += LANES * groups) {
            vec d[2][2][MAX_GRADIENT_ROWS];
#pragma GCC unroll 2
            for (int c = 0; c < groups; c++)
#pragma GCC unroll 2
                for (int n = 0; n < NAME(PAIR); n++)
                    NAME(backward_unit)(cell, w, step, unit + n, column + LANES * c, d_hidden,
                                        d[c][n]);
#pragma GCC unroll 4
            for (int gate = 0; gate < rows; gate++)
#pragma GCC unroll 2
                for (int n = 0; n < NAME(PAIR); n++) {
                    int64_t row = gate * units + unit + n;
                    NAME(stream)(gradient + row * row_stride + column, groups, &d[0][n][gate],
                                 2 * MAX_GRADIENT_ROWS);
                    vec total = NAME(load)(bias_sums + row * LANES);
#pragma GCC unroll 2
                    for (int c = 0; c < groups; c++) total += d[c][n][gate];
                    NAME(store)(bias_sums + row * LANES, total);
                }
#pragma GCC unroll 4
            for (int gate = 0; gate < GATES[cell]; gate++)
#pragma GCC unroll 2
                for (int c = 0; c < groups; c++)
                    NAME(write_words)(NAME(word)(columns, groups, words,
                                                 (gate * units + unit) / NAME(PAIR),
                                                 column + LANES * c),
                                      &d[c][0][gate], MAX_GRADIENT_ROWS);
        }
}

INLINE int NAME(backward_batch)(int groups, const struct window *w) {
    const int cell = w->cell, rows = GRADIENT_ROWS[cell];
    const int64_t units = w->units, batch = w->batch, words = GATES[cell] * units / NAME(PAIR);
    const int64_t sums = padded(units, groups == 2 ? TILE : TALL_TILE) * batch;
    uint32_t *columns = allocate(words * batch);
    float *bias_sums = (float *)allocate(rows * units * LANES), *d_hidden = (float *)allocate(sums);
    const int failed = !columns || !bias_sums || !d_hidden;
    if (failed) goto end;
    memset(bias_sums, 0, sizeof *bias_sums * rows * units * LANES);
    memset(d_hidden, 0, sizeof *d_hidden * sums);
    memcpy(d_hidden, w->hidden, sizeof *d_hidden * units * batch);
    for (int64_t step = w->steps - 1; step >= 0; step--) {
        FOR_CELL(cell, backward_step, groups, w, step, d_hidden, bias_sums, columns);
        NAME(multiply)(units, groups, w->packed, columns, words, batch, d_hidden);
    }
    memcpy(w->hidden, d_hidden, sizeof *d_hidden * units * batch);
    for (int64_t row = 0; row < rows * units; row++) {
        w->d_bias[row] = 0.0f;
        for (int lane = 0; lane < LANES; lane++) w->d_bias[row] += bias_sums[row * LANES + lane];
    }
    NAME(end_of_streams)();
end:
    release(columns), release(bias_sums), release(d_hidden);
    return failed ? NO_MEMORY : OK;
}

#define DEFINE(name)                                                              \
    static TARGET int NAME(name)(const struct window *w) {                        \
        if (TALL_TILE && w->batch % (2 * LANES)) return NAME(name##_batch)(1, w); \
        return NAME(name##_batch)(2, w);                                          \
    }

DEFINE(forward)
DEFINE(backward)

static const struct loops NAME(loops) = {
    LANES, {TALL_TILE, TILE}, NAME(PAIR), NAME(forward), NAME(backward)};

#undef FOR_CELL
#undef DEFINE
#undef INLINE
#undef vec
#undef ints
#undef element
#undef NAME
#undef TARGET
#undef LANES
#undef TILE
#undef TALL_TILE
#undef BFLOAT16
