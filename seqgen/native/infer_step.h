/* One token through a network. infer_step.c includes this once for every instruction set, after
   simd.h, and defines in addition

     TILES        sums of ROWS rows in use at once, at most 8
     STREAMS      streams that share the weights read, a divisor of TILES
     NAME(wide)   weights of ROWS rows and two columns, widened to 16 bits
     NAME(widen)  bytes → NAME(wide)
     NAME(dot)    adds NAME(wide) times two elements of a vector to the sums of ROWS rows, `ints` */

/* A block of rows times `streams` vectors, `depth` pairs of columns at a time: independent
   sums hide the latency of the instructions. */
INLINE void NAME(block)(int depth, int streams, const struct matrix *m, int64_t first,
                        const int16_t *vectors, float *result, int64_t stride) {
    const int8_t *weights = m->weights + first * m->width;
    enum { PARTS = ROWS / LANES }; /* vectors of sums */
    ints sum[TILES][PARTS];
#pragma GCC unroll 8
    for (int t = 0; t < TILES; t++)
#pragma GCC unroll 4
        for (int p = 0; p < PARTS; p++) sum[t][p] = (ints){0};
    for (int64_t column = 0; column < m->width; column += 2 * depth)
#pragma GCC unroll 8
        for (int d = 0; d < depth; d++, weights += 2 * ROWS) {
            NAME(wide) wide = NAME(widen)(weights);
#pragma GCC unroll 8
            for (int s = 0; s < streams; s++)
                NAME(dot)(sum[d * streams + s], wide, vectors + s * m->width + column + 2 * d);
        }
#pragma GCC unroll 8
    for (int s = 0; s < streams; s++)
#pragma GCC unroll 4
        for (int p = 0; p < PARTS; p++) {
            const int64_t row = first + p * LANES;
            ints total = sum[s][p];
#pragma GCC unroll 8
            for (int d = 1; d < depth; d++) total += sum[d * streams + s][p];
            NAME(store)(result + s * stride + row,
                        __builtin_convertvector(total, vec) * NAME(load)(m->scales + row));
        }
}

/* result (streams, stride) = matrix (rows, width) times vectors (streams, width). */
static TARGET void NAME(product)(const struct matrix *m, int64_t streams, const int16_t *vectors,
                                 float *result, int64_t stride) {
    for (int64_t row = 0; row < m->rows; row += ROWS) {
        int64_t s = 0;
        for (; s + STREAMS <= streams; s += STREAMS)
            NAME(block)(TILES / STREAMS, STREAMS, m, row, vectors + s * m->width, result + s * stride,
                        stride);
        for (; s < streams; s++)
            NAME(block)(TILES, 1, m, row, vectors + s * m->width, result + s * stride, stride);
    }
}

/* Floats from -1 to 1 → whole numbers from -UNIT to UNIT. */
INLINE void NAME(quantise)(const float *from, int16_t *to, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        float shifted = from[i] * UNIT + 12582912.0f; /* 1.5 * 2^23: rounds to a whole number */
        int32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        to[i] = (int16_t)bits;
    }
}

INLINE vec NAME(add_bias)(const float *product, const float *bias, int64_t at) {
    vec x = NAME(load)(product + at);
    return bias ? x + NAME(load)(bias + at) : x;
}

/* The new state of one stream and layer, from W x in `input` and U h in `recurrent`; the equations
   are in cells.h. */
INLINE void NAME(cell)(int cell, int64_t units, const struct layer *l, const float *input,
                       const float *recurrent, const float *before, float *after) {
    const int gates = GATES[cell];
    for (int64_t u = 0; u < units; u += LANES) {
        vec x[4], h[4];
        for (int gate = 0; gate < gates; gate++) {
            x[gate] = NAME(add_bias)(input, l->bias, gate * units + u);
            h[gate] = NAME(add_bias)(recurrent, l->recurrent_bias, gate * units + u);
        }
        if (cell == LSTM) {
            vec i = NAME(sigmoid)(x[0] + h[0]), f = NAME(sigmoid)(x[1] + h[1]);
            vec candidate = NAME(tanh)(x[2] + h[2]), o = NAME(sigmoid)(x[3] + h[3]);
            vec c = f * NAME(load)(before + units + u) + i * candidate;
            NAME(store)(after + units + u, c);
            NAME(store)(after + u, o * NAME(tanh)(c));
        } else if (cell == GRU) {
            vec z = NAME(sigmoid)(x[0] + h[0]), r = NAME(sigmoid)(x[1] + h[1]);
            vec candidate = NAME(tanh)(x[2] + r * h[2]);
            NAME(store)(after + u, candidate + z * (NAME(load)(before + u) - candidate));
        } else {
            NAME(store)(after + u, NAME(tanh)(x[0] + h[0]));
        }
    }
}

static TARGET void NAME(step)(const struct network *n, int64_t streams, const float *first,
                              const float *before, float *after, float *scratch) {
    const int64_t units = n->units, gates = GATES[n->cell] * units, states = n->cell == LSTM ? 2 : 1;
    const int64_t stride = n->layer_count * states * units + n->output.rows;
    float *input = scratch, *recurrent = input + streams * gates;
    int16_t *vectors = (int16_t *)(recurrent + streams * gates);
    for (int64_t layer = 0; layer < n->layer_count; layer++) {
        const struct layer *l = n->layer + layer;
        const int64_t at = layer * states * units;
        if (layer) /* `vectors` holds the output of the layer below */
            NAME(product)(&l->input, streams, vectors, input, gates);
        for (int64_t s = 0; s < streams; s++)
            NAME(quantise)(before + s * stride + at, vectors + s * units, units);
        NAME(product)(&l->recurrent, streams, vectors, recurrent, gates);
        for (int64_t s = 0; s < streams; s++) {
            const float *x = (layer ? input : first) + s * gates, *h = recurrent + s * gates;
            const float *old = before + s * stride + at;
            float *new = after + s * stride + at;
            if (n->cell == LSTM) NAME(cell)(LSTM, units, l, x, h, old, new);
            else if (n->cell == GRU) NAME(cell)(GRU, units, l, x, h, old, new);
            else NAME(cell)(SIMPLE_RNN, units, l, x, h, old, new);
            NAME(quantise)(new, vectors + s * units, units);
        }
    }
    float *logits = after + n->layer_count * states * units;
    NAME(product)(&n->output, streams, vectors, logits, stride);
    for (int64_t s = 0; s < streams; s++)
        for (int64_t v = 0; v < n->output.rows; v++) logits[s * stride + v] += n->output_bias[v];
}

#undef INLINE
#undef vec
#undef ints
#undef NAME
#undef TARGET
#undef LANES
#undef TILES
#undef STREAMS
