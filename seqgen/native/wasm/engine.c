/* The engine of a shared page, in WebAssembly (`make wasm`): the step of the network, the mixture and
   the sampler as they stand, one stream, behind functions of plain numbers. Their structures are
   private to their files, so this is one translation unit.

   `seqgen/sharing/payload.py` writes what `open_model` reads. */

#include <stdbool.h>

#include "../infer_step.c"
#include "../isa.c"
#include "../mix.c"
#include "../sample.c"

#define PAGE(name) __attribute__((export_name(name)))
typedef unsigned __int128 uint128;

static struct network network;
static struct mixture mixture;
static bool is_mixed;
static int64_t vocabulary, gates_units, state_floats, repeats_size;
static float *table;            /* (vocabulary, gates units): W x of the first layer */
static float *state[2], *mixed; /* before and after a step; log p (vocabulary,) */
static int64_t *contexts[2];    /* of the mixture, likewise */
static int32_t *repeats[2];
static uint8_t *allowed; /* (vocabulary,) */
static uint128 random_state, random_increment;

static const uint8_t *cursor; /* in the payload */

static int64_t read_number(void) {
    int64_t number;
    memcpy(&number, cursor, sizeof number);
    cursor += sizeof number;
    return number;
}

/* `size` bytes, padded to a multiple of 8. */
static const void *read_bytes(int64_t size) {
    const void *bytes = cursor;
    cursor += (size + 7) & ~7;
    return bytes;
}

/* Numbers of `width` bytes whose first bytes come first, then their second ones, …: they compress
   better so. */
static void *read_planes(int64_t count, int64_t width) {
    const uint8_t *planes = read_bytes(count * width);
    uint8_t *numbers = malloc((size_t)(count * width));
    for (int64_t byte = 0; byte < width; byte++)
        for (int64_t i = 0; i < count; i++) numbers[i * width + byte] = planes[byte * count + i];
    return numbers;
}

static float *read_floats(int64_t count) { return read_planes(count, sizeof(float)); }

static struct matrix read_matrix(int64_t rows, int64_t width) {
    struct matrix m = {.rows = rows, .width = width};
    m.weights = read_bytes(rows * width);
    m.scales = read_floats(rows);
    return m;
}

/* In double precision, so that it does not depend on the order of the sums: as `CEngine` does. */
static void multiply_embedding(int64_t size) {
    const float *embedding = read_floats(vocabulary * size), *kernel = read_floats(size * gates_units);
    table = malloc(sizeof(float) * (size_t)(vocabulary * gates_units));
    double *sums = malloc(sizeof(double) * (size_t)gates_units);
    for (int64_t token = 0; token < vocabulary; token++) {
        memset(sums, 0, sizeof(double) * (size_t)gates_units);
        for (int64_t e = 0; e < size; e++)
            for (int64_t g = 0; g < gates_units; g++)
                sums[g] += (double)embedding[token * size + e] * kernel[e * gates_units + g];
        for (int64_t g = 0; g < gates_units; g++) table[token * gates_units + g] = (float)sums[g];
    }
    free(sums);
}

static void read_network(void) {
    network.isa = PLAIN;
    network.cell = (int32_t)read_number();
    network.layer_count = read_number();
    network.units = read_number();
    const int64_t units = network.units, embedding_size = read_number(), biases = read_number();
    gates_units = GATES[network.cell] * units;
    multiply_embedding(embedding_size);
    struct layer *layers = calloc((size_t)network.layer_count, sizeof *layers);
    for (int64_t i = 0; i < network.layer_count; i++) {
        if (i) layers[i].input = read_matrix(gates_units, units);
        layers[i].recurrent = read_matrix(gates_units, units);
        if (biases > 0) layers[i].bias = read_floats(gates_units);
        if (biases > 1) layers[i].recurrent_bias = read_floats(gates_units);
    }
    network.layer = layers;
    const int64_t rows = (vocabulary + ROWS - 1) / ROWS * ROWS;
    network.output = read_matrix(rows, units);
    network.output_bias = read_floats(rows);
    state_floats = network.layer_count * (network.cell == LSTM ? 2 : 1) * units + rows;
    for (int i = 0; i < 2; i++) state[i] = malloc(sizeof(float) * (size_t)state_floats);
}

/* Numbers of `width` bytes, one after another, as 32 bits. */
static int32_t *read_narrow(int64_t count, int64_t width) {
    const uint8_t *bytes = read_bytes(count * width);
    int32_t *numbers = calloc((size_t)count, sizeof *numbers);
    for (int64_t i = 0; i < count; i++) memcpy(numbers + i, bytes + i * width, (size_t)width);
    return numbers;
}

static void read_mixture(void) {
    mixture.vocabulary = vocabulary;
    mixture.order = read_number();
    mixture.suggestions = read_number();
    mixture.nodes = read_number();
    mixture.end_id = read_number();
    const int64_t width = read_number(), weights = read_number(), has_bars = read_number();
    mixture.tokens = read_narrow(mixture.nodes, width);
    int32_t *fanout = read_narrow(mixture.nodes, width);
    const uint8_t *codes = read_bytes(mixture.nodes);
    const int32_t *count_of_code = read_planes(256, sizeof(int32_t));
    int32_t *first = malloc(sizeof *first * (size_t)(mixture.nodes + 1));
    int32_t *counts = malloc(sizeof *counts * (size_t)mixture.nodes);
    first[0] = 1;
    for (int64_t i = 0; i < mixture.nodes; i++) {
        first[i + 1] = first[i] + fanout[i];
        counts[i] = count_of_code[codes[i]];
    }
    free(fanout);
    mixture.first_child = first;
    mixture.counts = counts;
    mixture.unigrams = read_planes(vocabulary, sizeof(double));
    mixture.log_unigrams = read_planes(vocabulary, sizeof(double));
    mixture.weights = read_floats(weights);
    mixture.evidence = read_floats(mixture.suggestions * (LONGEST + 1));
    if (has_bars) {
        mixture.ticks = read_planes(vocabulary, sizeof(int32_t));
        mixture.starts = read_bytes(vocabulary);
    }
    repeats_size = state_size(&mixture);
    mixed = malloc(sizeof(float) * (size_t)vocabulary);
    for (int i = 0; i < 2; i++) {
        contexts[i] = malloc(sizeof(int64_t) * (size_t)(mixture.order + 1));
        repeats[i] = malloc(sizeof(int32_t) * (size_t)repeats_size);
    }
}

/* Memory for the payload. */
PAGE("reserve") uint8_t *reserve(uint32_t size) { return malloc(size); }

/* Read the payload, which must stay where it is. */
PAGE("open_model") void open_model(const uint8_t *payload) {
    cursor = payload;
    vocabulary = read_number();
    is_mixed = read_number();
    read_network();
    if (is_mixed) read_mixture();
    allowed = malloc((size_t)vocabulary);
    memset(allowed, 1, (size_t)vocabulary);
}

/* The random numbers are those of `numpy.random.default_rng([seed, item])`: a SeedSequence, which
   hashes the words of a seed into a pool (O'Neill 2015), and a PCG64 (O'Neill 2014). */

static uint32_t hash_word(uint32_t word, uint32_t *constant, uint32_t multiplier) {
    word ^= *constant;
    *constant *= multiplier;
    word *= *constant;
    return word ^ word >> 16;
}

static uint32_t mix_words(uint32_t x, uint32_t y) {
    uint32_t word = 0xca01f9ddu * x - 0x4973f715u * y;
    return word ^ word >> 16;
}

static void step_random(void) {
    const uint128 multiplier = (uint128)0x2360ed051fc65da4u << 64 | 0x4385df649fccf645u;
    random_state = random_state * multiplier + random_increment;
}

static void seed_random(const uint32_t *words, int count) {
    enum { POOL = 4, WORDS = 8 };
    uint32_t pool[POOL], state_words[WORDS], constant = 0x43b0d7e5u;
    for (int i = 0; i < POOL; i++)
        pool[i] = hash_word(i < count ? words[i] : 0, &constant, 0x931e8875u);
    for (int from = 0; from < POOL; from++)
        for (int to = 0; to < POOL; to++)
            if (from != to)
                pool[to] = mix_words(pool[to], hash_word(pool[from], &constant, 0x931e8875u));
    constant = 0x8b51f9ddu;
    for (int i = 0; i < WORDS; i++) state_words[i] = hash_word(pool[i % POOL], &constant, 0x58f38dedu);
    uint64_t wide[WORDS / 2];
    for (int i = 0; i < WORDS / 2; i++)
        wide[i] = (uint64_t)state_words[2 * i + 1] << 32 | state_words[2 * i];
    random_increment = ((uint128)wide[2] << 64 | wide[3]) << 1 | 1;
    random_state = 0;
    step_random();
    random_state += (uint128)wide[0] << 64 | wide[1];
    step_random();
}

static double random_number(void) {
    step_random();
    const uint64_t word = (uint64_t)(random_state >> 64) ^ (uint64_t)random_state;
    const unsigned turn = (unsigned)(random_state >> 122);
    const uint64_t turned = word >> turn | word << (-turn & 63);
    return (double)(turned >> 11) * 0x1p-53;
}

/* Begin output `item` of a seed, before its first token. */
PAGE("start") void start(uint32_t low, uint32_t high, uint32_t item) {
    const uint32_t words[] = {low, high, item};
    if (high) seed_random(words, 3);
    else seed_random((uint32_t[]){low, item}, 2);
    memset(state[0], 0, sizeof(float) * (size_t)state_floats);
    if (!is_mixed) return;
    for (int64_t n = 0; n <= mixture.order; n++) contexts[0][n] = n ? NONE : 0;
    memset(repeats[0], 0, sizeof(int32_t) * (size_t)repeats_size);
    for (int64_t j = 0; j < mixture.suggestions; j++)
        parts(&mixture, repeats[0]).suggested[j] = NO_TOKEN;
}

static float *network_logits(void) { return state[0] + state_floats - network.output.rows; }

/* Read a token: OK, or the reason why not. */
PAGE("read_token") int read_token(int32_t token) {
    if (token < 0 || token >= vocabulary) return BAD_ARGUMENT;
    int result = network_step(&network, 1, table + token * gates_units, state[0], state[1]);
    float *after = state[1];
    state[1] = state[0], state[0] = after;
    if (result || !is_mixed) return result;
    const int64_t id = token;
    result = mixture_step(&mixture, 1, 1, &id, network_logits(), contexts[0], repeats[0], contexts[1],
                          repeats[1], mixed);
    int64_t *new_contexts = contexts[1];
    int32_t *new_repeats = repeats[1];
    contexts[1] = contexts[0], contexts[0] = new_contexts;
    repeats[1] = repeats[0], repeats[0] = new_repeats;
    return result;
}

/* The tokens that may be drawn, (vocabulary,): 1 or 0. */
PAGE("mask") uint8_t *mask(void) { return allowed; }

/* Draw a token with the next random number: its id, or -1. `top_k` 0, `top_p` 1 and `min_p` 0 keep
   all tokens. */
PAGE("draw_token") int32_t draw_token(double temperature, int32_t top_k, double top_p, double min_p) {
    const struct filters filters = {
        .top_k = top_k, .penalty = 1, .top_p = top_p, .min_logit = min_p > 0 ? log(min_p) : -INFINITY};
    const double number = random_number();
    int64_t id;
    int result = sample(&filters, temperature, 1, vocabulary, 0, is_mixed ? mixed : network_logits(),
                        allowed, NULL, &number, &id);
    return result ? -1 : (int32_t)id;
}
