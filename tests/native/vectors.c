/* Runs every function of the C library on fixed pseudo-random numbers, and writes all results to
   standard output as float32. Builds for other processors, instruction sets and sanitizers must
   agree. Usage: vectors ISA, where ISA is a number of isa.h that computes in float32. */

#include <stdio.h>

#include "../../seqgen/native/infer_step.c"
#include "../../seqgen/native/isa.c"
#include "../../seqgen/native/library.c"
#include "../../seqgen/native/sample.c"
#include "../../seqgen/native/train_window.c"

static uint32_t state = 1;

/* From -1 to 1 (a linear congruential generator: Numerical Recipes). */
static float number(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (1 << 23) - 1.0f;
}

static float *numbers(int64_t count, float scale) {
    float *array = allocate(count);
    if (!array) exit(2);
    for (int64_t i = 0; i < count; i++) array[i] = scale * number();
    return array;
}

static void expect(int code, int expected) {
    if (code == expected) return;
    fprintf(stderr, "expected code %d, got %d\n", expected, code);
    exit(1);
}

static void dump(const float *array, int64_t count) {
    fwrite(array, sizeof *array, (size_t)count, stdout);
}

/* Room for packed weights, which depends on the instruction set: no numbers are drawn for it. */
static uint32_t *words(int isa, int64_t rows, int64_t width, int64_t batch) {
    uint32_t *array = allocate(padded(rows, window_tile_rows(isa, batch)) * width);
    if (!array) exit(2);
    return array;
}

static void train(int isa, int cell, int64_t units, int64_t width, int64_t steps, int64_t batch) {
    const int64_t gates = GATES[cell] * units, size = units * batch,
                  rows = GRADIENT_ROWS[cell] * units;
    float *kernel = numbers(width * gates, 0.3f), *recurrent = numbers(units * gates, 0.3f);
    float *bias = numbers(2 * gates, 0.5f), *inputs = numbers(width * steps * batch, 1.0f);
    float *hidden = numbers(size, 0.5f), *cell_state = numbers(size, 0.5f);
    float *outputs = numbers(steps * size, 0.0f),
          *residuals = numbers(steps * size * RESIDUALS[cell], 0.0f);
    float *gradient = numbers(rows * steps * batch, 0.0f), *d_bias = numbers(rows, 0.0f);
    float *d_products = numbers(gates * width, 0.0f), *products = numbers(width * gates, 0.3f);
    uint32_t *packed_kernel = words(isa, gates, width, batch);
    uint32_t *packed = words(isa, gates, units, batch);
    uint32_t *packed_backward = words(isa, units, gates, batch);
    int32_t *ids = (int32_t *)numbers(steps * batch, 0.0f);
    for (int64_t n = 0; n < steps * batch; n++) ids[n] = (int32_t)(n % width);

    struct window w = {.isa = isa, .cell = cell, .units = units, .width = width, .batch = batch};
    w.weights = kernel, w.packed = packed_kernel;
    expect(window_pack_forward(&w), OK);
    w.width = units, w.weights = recurrent, w.packed = packed;
    expect(window_pack_forward(&w), OK);
    w.packed = packed_backward;
    expect(window_pack_backward(&w), OK);

    w.width = width, w.steps = steps, w.packed = packed, w.packed_kernel = packed_kernel,
    w.bias = bias;
    w.inputs = inputs, w.outputs = outputs, w.residuals = residuals, w.hidden = hidden;
    w.cell_state = cell == LSTM ? cell_state : NULL;
    expect(window_forward(&w), OK);
    dump(outputs, steps * size), dump(hidden, size), dump(cell_state, size);

    w.products = products, w.ids = ids;
    expect(window_forward(&w), OK);
    dump(outputs, steps * size), dump(hidden, size), dump(cell_state, size);
    w.outputs = outputs + 1;
    expect(window_forward(&w), BAD_ARGUMENT);
    w.outputs = outputs;
    ids[1] = (int32_t)width;
    expect(window_forward(&w), BAD_ARGUMENT);
    ids[1] = 0;

    for (int64_t i = 0; i < steps * size; i++) outputs[i] = number();
    w.packed = packed_backward, w.gradient = gradient, w.d_bias = d_bias;
    expect(window_backward(&w), OK);
    dump(gradient, rows * steps * batch), dump(d_bias, rows), dump(hidden, size),
        dump(cell_state, size);

    w.d_products = d_products;
    expect(window_scatter(&w), OK);
    dump(d_products, gates * width);
    ids[0] = -1;
    expect(window_scatter(&w), BAD_ARGUMENT);

    w.batch = batch + 1;
    expect(window_forward(&w), BAD_ARGUMENT);
    float *all[] = {kernel,
                    recurrent,
                    bias,
                    inputs,
                    hidden,
                    cell_state,
                    outputs,
                    residuals,
                    gradient,
                    d_bias,
                    products,
                    d_products,
                    (float *)ids,
                    (float *)packed_kernel,
                    (float *)packed,
                    (float *)packed_backward};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) release(all[i]);
}

static struct matrix matrix(int64_t rows, int64_t width) {
    int8_t *weights = allocate(rows * width / 4);
    float *scales = numbers(rows, 0.0f);
    if (!weights) exit(2);
    for (int64_t i = 0; i < rows * width; i++) weights[i] = (int8_t)(127 * number());
    for (int64_t i = 0; i < rows; i++) scales[i] = (2.0f + number()) / (127.0f * UNIT * 8.0f);
    return (struct matrix){weights, scales, rows, width};
}

static void infer(int isa, int cell, int64_t units, int64_t streams) {
    const int64_t gates = GATES[cell] * units, states = cell == LSTM ? 2 : 1, rows = 48;
    const int64_t size = 2 * states * units + rows;
    struct layer layers[2] = {{.recurrent = matrix(gates, units)},
                              {.input = matrix(gates, units), .recurrent = matrix(gates, units)}};
    float *biases[4];
    for (int i = 0; i < 4; i++) biases[i] = numbers(gates, 0.3f);
    for (int i = 0; i < 2; i++) {
        layers[i].bias = biases[i];
        layers[i].recurrent_bias = cell == GRU ? biases[2 + i] : NULL;
    }
    float *output_bias = numbers(rows, 0.3f);
    struct network n = {isa, cell, 2, units, layers, matrix(rows, units), output_bias};
    float *before = numbers(streams * size, 0.0f), *after = numbers(streams * size, 0.0f);
    for (int step = 0; step < 3; step++) {
        float *first = numbers(streams * gates, 0.5f), *swap = before;
        expect(network_step(&n, streams, first, before, after), OK);
        release(first);
        before = after, after = swap;
    }
    dump(before, streams * size);
    expect(network_step(&n, 0, before, before, after), BAD_ARGUMENT);
    struct matrix all[] = {layers[0].recurrent, layers[1].input, layers[1].recurrent, n.output};
    for (int i = 0; i < 4; i++) release((void *)all[i].weights), release((void *)all[i].scales);
    for (int i = 0; i < 4; i++) release(biases[i]);
    release(output_bias), release(before), release(after);
}

static void draw(void) {
    enum { ROWS_DRAWN = 40, SIZE = 65, WINDOW = 5 };
    const struct filters all[] = {{0, 1, 1, -INFINITY},
                                  {7, 1, 1, -INFINITY},
                                  {0, 1, 0.8, -INFINITY},
                                  {0, 1.3, 1, -2.5},
                                  {9, 0.7, 0.9, -3}};
    uint8_t allowed[ROWS_DRAWN * SIZE];
    int64_t recent[ROWS_DRAWN * WINDOW], ids[ROWS_DRAWN];
    double random[ROWS_DRAWN];
    float *logits = numbers(ROWS_DRAWN * SIZE, 4.0f), drawn[ROWS_DRAWN];
    for (int i = 0; i < ROWS_DRAWN * SIZE; i++) allowed[i] = number() > -0.5f;
    for (int i = 0; i < ROWS_DRAWN * WINDOW; i++) recent[i] = i % SIZE;
    for (int i = 0; i < ROWS_DRAWN; i++) random[i] = (number() + 1) / 2.01, allowed[i * SIZE] = 1;
    for (size_t f = 0; f < sizeof all / sizeof *all; f++)
        for (double temperature = 0; temperature < 2; temperature += 0.75) {
            expect(sample(all + f, temperature, ROWS_DRAWN, SIZE, WINDOW, logits, allowed, recent,
                          random, ids),
                   OK);
            for (int i = 0; i < ROWS_DRAWN; i++) drawn[i] = (float)ids[i];
            dump(drawn, ROWS_DRAWN);
        }
    recent[3] = SIZE;
    expect(sample(all, 1, ROWS_DRAWN, SIZE, WINDOW, logits, NULL, recent, random, ids), BAD_ARGUMENT);
    release(logits);
}

int main(int count, char **arguments) {
    const int isa = count > 1 ? atoi(arguments[1]) : PLAIN;
    if (!window_columns(isa)) return 3;
    for (int cell = 0; cell < CELL_COUNT; cell++) {
        train(isa, cell, 16, 3, 2, 16);
        train(isa, cell, 32, 5, 2, 48);
        train(isa, cell, 48, 33, 7, 32);
        if (network_supports(isa))
            for (int64_t streams = 1; streams < 12; streams += 5) infer(isa, cell, 32, streams);
    }
    draw();
    return 0;
}
