/* One token through a network. See infer_step.c, which includes this once for every instruction set,
   after simd.h, and defines, besides what that wants:

     TILES     sums of ROWS rows that are added up side by side, at most 8
     STREAMS   streams that share the weights read, a part of the tiles

   and has defined

     NAME(sums)   the whole sums of ROWS rows, each a lane of 32 bits
     NAME(wide)   weights of ROWS rows and two columns, widened to 16 bits
     NAME(widen)  bytes → NAME(wide)
     NAME(dot)    NAME(sums) + NAME(wide) times two numbers of a vector */

/* A block of rows times `streams` vectors, `depth` pairs of columns at once: sums that do not wait
   for each other. */
INLINE void NAME(block)(int depth, int streams, const struct matrix *m, long first,
                        const int16_t *vectors, float *result, long stride) {
    const int8_t *weights = m->weights + first * m->width;
    NAME(sums) sums[TILES];
    memset(sums, 0, sizeof sums);
    for (long column = 0; column < m->width; column += 2 * depth)
#pragma GCC unroll 8
        for (int d = 0; d < depth; d++, weights += 2 * ROWS) {
            NAME(wide) wide = NAME(widen)(weights);
#pragma GCC unroll 8
            for (int s = 0; s < streams; s++)
                sums[d * streams + s] =
                    NAME(dot)(sums[d * streams + s], wide, vectors + s * m->width + column + 2 * d);
        }
#pragma GCC unroll 8
    for (int s = 0; s < streams; s++) {
        int32_t whole[ROWS] = {0};
#pragma GCC unroll 8
        for (int d = 0; d < depth; d++) {
            int32_t part[ROWS];
            memcpy(part, &sums[d * streams + s], sizeof part);
            for (int r = 0; r < ROWS; r++) whole[r] += part[r];
        }
        float *to = result + s * stride + first;
        for (int r = 0; r < ROWS; r++) to[r] = (float)whole[r] * m->scales[first + r];
    }
}

/* result (streams, stride) = the matrix times each of the vectors (streams, width). */
static TARGET void NAME(product)(const struct matrix *m, long streams, const int16_t *vectors,
                                 float *result, long stride) {
    for (long row = 0; row < m->rows; row += ROWS) {
        long s = 0;
        for (; s + STREAMS <= streams; s += STREAMS)
            NAME(block)(TILES / STREAMS, STREAMS, m, row, vectors + s * m->width,
                        result + s * stride, stride);
        for (; s < streams; s++)
            NAME(block)(TILES, 1, m, row, vectors + s * m->width, result + s * stride, stride);
    }
}

/* Numbers from -1 to 1 as whole ones. */
INLINE void NAME(quantise)(const float *from, int16_t *to, long count) {
    for (long i = 0; i < count; i++) {
        float shifted = from[i] * UNIT + 12582912.0f; /* 1.5 * 2^23: rounds to a whole number */
        int32_t bits;
        memcpy(&bits, &shifted, sizeof bits);
        to[i] = (int16_t)bits;
    }
}

INLINE vec NAME(sum)(const float *sums, const float *bias, long at) {
    vec sum = NAME(load)(sums + at);
    return bias ? sum + NAME(load)(bias + at) : sum;
}

/* One stream's new state of one layer, from the sums of both products. */
INLINE void NAME(cell)(int cell, long units, const struct layer *l, const float *input,
                       const float *recurrent, const float *before, float *after) {
    const int gates = GATES[cell];
    for (long u = 0; u < units; u += LANES) {
        vec x[4], h[4];
        for (int gate = 0; gate < gates; gate++) {
            x[gate] = NAME(sum)(input, l->bias, gate * units + u);
            h[gate] = NAME(sum)(recurrent, l->recurrent_bias, gate * units + u);
        }
        if (cell == LSTM) {
            vec i = NAME(sigmoid)(x[0] + h[0]), f = NAME(sigmoid)(x[1] + h[1]);
            vec candidate = NAME(tanh)(x[2] + h[2]), o = NAME(sigmoid)(x[3] + h[3]);
            vec carry = f * NAME(load)(before + units + u) + i * candidate;
            NAME(store)(after + units + u, carry);
            NAME(store)(after + u, o * NAME(tanh)(carry));
        } else if (cell == GRU) {
            vec z = NAME(sigmoid)(x[0] + h[0]), r = NAME(sigmoid)(x[1] + h[1]);
            vec candidate = NAME(tanh)(x[2] + r * h[2]);
            NAME(store)(after + u, candidate + z * (NAME(load)(before + u) - candidate));
        } else {
            NAME(store)(after + u, NAME(tanh)(x[0] + h[0]));
        }
    }
}

static TARGET void NAME(step)(const struct network *n, long streams, const float *first,
                              const float *before, float *after) {
    const long units = n->units, gates = GATES[n->cell] * units, states = n->cell == LSTM ? 2 : 1;
    const long stride = n->layers * states * units + n->output.rows;
    float *input = n->scratch, *recurrent = input + streams * gates;
    int16_t *vectors = (int16_t *)(recurrent + streams * gates);
    for (long layer = 0; layer < n->layers; layer++) {
        const struct layer *l = n->of_layer + layer;
        const long at = layer * states * units;
        if (layer) /* what the layer below has just given stands in `vectors` */
            NAME(product)(&l->input, streams, vectors, input, gates);
        for (long s = 0; s < streams; s++)
            NAME(quantise)(before + s * stride + at, vectors + s * units, units);
        NAME(product)(&l->recurrent, streams, vectors, recurrent, gates);
        for (long s = 0; s < streams; s++) {
            const float *x = (layer ? input : first) + s * gates, *h = recurrent + s * gates;
            const float *old = before + s * stride + at;
            float *new = after + s * stride + at;
            if (n->cell == LSTM) NAME(cell)(LSTM, units, l, x, h, old, new);
            else if (n->cell == GRU) NAME(cell)(GRU, units, l, x, h, old, new);
            else NAME(cell)(SIMPLE_RNN, units, l, x, h, old, new);
            NAME(quantise)(new, vectors + s * units, units);
        }
    }
    float *logits = after + n->layers * states * units;
    NAME(product)(&n->output, streams, vectors, logits, stride);
    for (long s = 0; s < streams; s++)
        for (long v = 0; v < n->output.rows; v++) logits[s * stride + v] += n->output_bias[v];
}

#undef INLINE
#undef vec
#undef ints
#undef NAME
#undef TARGET
#undef LANES
#undef TILES
#undef STREAMS
