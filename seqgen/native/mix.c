/* The mixture of a network, counted n-grams and repetitions: `seqgen/mixing/mixture.py` and
   `repeats.py` define it, in the same names. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

enum { LONGEST = 32, HISTORY = 2048, LAG_COUNT = 5, NO_TOKEN = -1, NONE = -1, MAX_ORDER = 16 };
enum { MOST_POSITION = (1 << 12) - 1, MOST_INDEX = (1 << 8) - 1, MAX_TABLES = 3 + LAG_COUNT };

#define DISCOUNT 0.75

static const uint32_t LAGS[LAG_COUNT] = {1, 2, 4, 8, 16};
static const int32_t MATCHES[] = {1, 2, 3, 4, 6, 8, 12, 16, 24}, RUNS[] = {1, 2, 4, 8, 16};
static const double TOPS[] = {0.2, 0.35, 0.5, 0.7, 0.85, 0.95};

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof *(array)))

struct mixture {
    int64_t order, vocabulary, suggestions, nodes, end_id; /* end_id: -1 without pieces */
    const int32_t *tokens, *counts;                        /* (nodes,) */
    const int32_t *first_child;                            /* (nodes + 1,) */
    const double *unigrams;                                /* (vocabulary,) */
    const double *log_unigrams;                            /* (vocabulary,) */
    const float *weights;  /* (1 + rows of all tables, features): `base`, then tables */
    const float *evidence; /* (suggestions, LONGEST + 1) */
    const int32_t *ticks;  /* (vocabulary,), NULL without bars */
    const uint8_t *starts; /* (vocabulary,), NULL without bars */
};

/* The state of one stream in `repeats`. */
struct repeats { int32_t *head, *suggested, *confidence, *tokens, *agreeing, *places; };

enum { READ, BAR, POSITION, INDEX, HEAD_SIZE }; /* of `head` */

static struct repeats parts(const struct mixture *m, const int32_t *state) {
    struct repeats r = {.head = (int32_t *)state, .suggested = (int32_t *)state + HEAD_SIZE};
    r.confidence = r.suggested + m->suggestions;
    r.tokens = r.confidence + m->suggestions;
    r.agreeing = r.tokens + HISTORY;
    r.places = r.agreeing + HISTORY; /* only with bars */
    return r;
}

static int64_t state_size(const struct mixture *m) {
    return HEAD_SIZE + 2 * m->suggestions + (m->ticks ? 3 : 2) * HISTORY;
}

static int64_t child(const struct mixture *m, int64_t node, int32_t token) {
    if (node == NONE) return NONE;
    int64_t low = m->first_child[node], end = m->first_child[node + 1], high = end;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (m->tokens[middle] < token) low = middle + 1;
        else high = middle;
    }
    return low < end && m->tokens[low] == token ? low : NONE;
}

static void read_context(const struct mixture *m, int32_t token, const int64_t *before,
                         int64_t *after) {
    after[0] = 0;
    for (int64_t n = 0; n < m->order; n++)
        after[n + 1] = n && token == m->end_id ? NONE : child(m, before[n], token);
}

static uint32_t place(const int32_t *head) {
    return ((uint32_t)head[BAR] << 20) + ((uint32_t)head[POSITION] << 8) + (uint32_t)head[INDEX];
}

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

static void read_match(int32_t token, struct repeats before, struct repeats after) {
    const int32_t read = after.head[READ];
    int32_t best = 0; /* m(d), and then the smallest d, in one number */
    after.agreeing[0] = 0;
    for (int32_t d = 1; d < read; d++) {
        int32_t longer = before.agreeing[d] + 1;
        longer = longer > LONGEST ? LONGEST : longer;
        longer = after.tokens[d] == token ? longer : 0;
        after.agreeing[d] = longer;
        int32_t key = longer * HISTORY + (HISTORY - 1 - d);
        best = key > best ? key : best;
    }
    if (read < HISTORY) memset(after.agreeing + read, 0, sizeof(int32_t) * (size_t)(HISTORY - read));
    after.confidence[0] = best / HISTORY;
    after.suggested[0] = best < HISTORY ? NO_TOKEN : after.tokens[HISTORY - 1 - best % HISTORY - 1];
}

static void read_bars(const struct mixture *m, int32_t token, struct repeats before,
                      struct repeats after) {
    for (int j = 1; j <= LAG_COUNT; j++) {
        int32_t right = before.confidence[j], suggested = before.suggested[j];
        if (suggested != NO_TOKEN) right = suggested == token ? least(right + 1, LONGEST) : 0;
        after.confidence[j] = right;
    }
    memcpy(after.places + 1, before.places, sizeof(int32_t) * (HISTORY - 1));
    after.places[0] = (int32_t)place(before.head);
    const int32_t starts = m->starts[token], ticks = m->ticks[token], *old = before.head;
    after.head[BAR] = (int32_t)((uint32_t)old[BAR] + (uint32_t)starts);
    after.head[POSITION] = starts ? 0 : least(old[POSITION] + ticks, MOST_POSITION);
    after.head[INDEX] = !starts && !ticks ? least(old[INDEX] + 1, MOST_INDEX) : 0;
    const uint32_t here = place(after.head);
    int32_t from = 0; /* places of earlier bars are further away */
    for (int j = 0; j < LAG_COUNT; j++) {
        const int32_t wanted = (int32_t)(here - (LAGS[j] << 20));
        int32_t d = from;
        while (d < after.head[READ] && after.places[d] != wanted) d++;
        after.suggested[j + 1] = d < after.head[READ] ? after.tokens[d] : NO_TOKEN;
        if (d < after.head[READ]) from = d;
    }
}

static void read_repeats(const struct mixture *m, int32_t token, const int32_t *from, int32_t *to) {
    struct repeats before = parts(m, from), after = parts(m, to);
    if (token == m->end_id) {
        memset(to, 0, sizeof(int32_t) * (size_t)state_size(m));
        for (int64_t j = 0; j < m->suggestions; j++) after.suggested[j] = NO_TOKEN;
        return;
    }
    memcpy(after.head, before.head, sizeof(int32_t) * HEAD_SIZE);
    after.head[READ] = least(before.head[READ] + 1, HISTORY);
    memcpy(after.tokens + 1, before.tokens, sizeof(int32_t) * (HISTORY - 1));
    after.tokens[0] = token;
    read_match(token, before, after);
    if (m->ticks) read_bars(m, token, before, after);
}

/* The number of bounds that are at most x. */
static int64_t bucket(const int32_t *bounds, int64_t count, int32_t x) {
    int64_t i = 0;
    while (i < count && x >= bounds[i]) i++;
    return i;
}

static int64_t fanout(const struct mixture *m, int64_t node) {
    return node == NONE ? 0 : m->first_child[node + 1] - m->first_child[node];
}

/* The sum of the vectors of weights of a place. */
static void weights_at(const struct mixture *m, double top, const int64_t *contexts,
                       const struct repeats *r, int with_repeats, int64_t features, double *theta) {
    int64_t row[MAX_TABLES], first = 1, longest = m->order;
    while (longest && !fanout(m, contexts[longest])) longest--;
    row[0] = 0;
    while (row[0] < COUNT(TOPS) && top >= TOPS[row[0]]) row[0]++;
    row[1] = 2 * longest + (longest && fanout(m, contexts[longest]) == 1);
    row[2] = with_repeats ? bucket(MATCHES, COUNT(MATCHES), r->confidence[0]) : 0;
    for (int64_t j = 1; j < m->suggestions; j++)
        row[2 + j] = with_repeats && r->suggested[j] != NO_TOKEN
                         ? 1 + bucket(RUNS, COUNT(RUNS), r->confidence[j])
                         : 0;
    for (int64_t i = 0; i < features; i++) theta[i] = m->weights[i];
    for (int64_t t = 0; t < 2 + m->suggestions; t++) {
        const float *vector = m->weights + (first + row[t]) * features;
        for (int64_t i = 0; i < features; i++) theta[i] += vector[i];
        first += t == 0   ? COUNT(TOPS) + 1
                 : t == 1 ? 2 * (m->order + 1)
                 : t == 2 ? COUNT(MATCHES) + 1
                          : COUNT(RUNS) + 2;
    }
}

static double excess(int32_t count) { return count > DISCOUNT ? count - DISCOUNT : 0; }

/* Add the n-grams of a context to the scores, and turn p_(n-1) into p_n. */
static void add_ngrams(const struct mixture *m, int64_t node, double weight, double *score,
                       double *p) {
    const int64_t first = m->first_child[node], end = m->first_child[node + 1];
    double total = 0;
    for (int64_t i = first; i < end; i++) total += excess(m->counts[i]);
    double count = fmax(m->counts[node], total + DISCOUNT * (double)(end - first));
    const double escape = count - total;
    for (int64_t i = first; i < end; i++) {
        const int32_t w = m->tokens[i];
        score[w] += weight * log1p(excess(m->counts[i]) / (escape * p[w]));
    }
    for (int64_t w = 0; w < m->vocabulary; w++) p[w] *= escape / count;
    for (int64_t i = first; i < end; i++) p[m->tokens[i]] += excess(m->counts[i]) / count;
}

static double log_sum(const double *x, int64_t size, double largest) {
    double sum = 0;
    for (int64_t i = 0; i < size; i++) sum += exp(x[i] - largest);
    return largest + log(sum);
}

static double largest_of(const double *x, int64_t size) {
    double largest = x[0];
    for (int64_t i = 1; i < size; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}

static void mix(const struct mixture *m, double strength, const float *logits, const int64_t *contexts,
                const int32_t *state, float *mixed, double *score) {
    const int64_t size = m->vocabulary, features = 2 + m->order + m->suggestions;
    double theta[2 + MAX_ORDER + 1 + LAG_COUNT], *p = score + size;
    const struct repeats r = parts(m, state);
    for (int64_t w = 0; w < size; w++) score[w] = logits[w];
    const double largest = largest_of(score, size), sum = log_sum(score, size, largest);
    weights_at(m, exp(largest - sum), contexts, &r, strength != 0, features, theta);
    for (int64_t w = 0; w < size; w++) {
        score[w] = theta[0] * (score[w] - sum) + theta[1] * m->log_unigrams[w];
        p[w] = m->unigrams[w];
    }
    for (int64_t n = 1; n <= m->order; n++)
        if (fanout(m, contexts[n])) add_ngrams(m, contexts[n], theta[1 + n], score, p);
    for (int64_t j = 0; strength != 0 && j < m->suggestions; j++)
        if (r.suggested[j] != NO_TOKEN)
            score[r.suggested[j]] +=
                strength * theta[2 + m->order + j] * m->evidence[j * (LONGEST + 1) + r.confidence[j]];
    const double total = log_sum(score, size, largest_of(score, size));
    for (int64_t w = 0; w < size; w++) mixed[w] = (float)(score[w] - total);
}

static int is_valid_mixture(const struct mixture *m) {
    return m->order >= 0 && m->order <= MAX_ORDER && m->vocabulary > 0 && m->nodes > 0 && m->tokens
           && m->counts && m->first_child && m->unigrams && m->log_unigrams && m->weights
           && m->evidence && !m->ticks == !m->starts && m->end_id < m->vocabulary
           && m->suggestions == (m->ticks ? 1 + LAG_COUNT : 1);
}

/* Whether numbers that are used as indices, or that could overflow, are in range. */
static int is_valid_state(const struct mixture *m, int64_t id, const int64_t *contexts,
                          const int32_t *state) {
    const struct repeats r = parts(m, state);
    int ok = id >= 0 && id < m->vocabulary && r.head[READ] >= 0 && r.head[READ] <= HISTORY
             && r.head[POSITION] >= 0 && r.head[POSITION] <= MOST_POSITION && r.head[INDEX] >= 0
             && r.head[INDEX] <= MOST_INDEX;
    for (int64_t n = 0; n <= m->order; n++) ok &= contexts[n] >= NONE && contexts[n] < m->nodes;
    for (int64_t j = 0; j < m->suggestions; j++)
        ok &= r.confidence[j] >= 0 && r.confidence[j] <= LONGEST;
    for (int64_t d = 0; d < HISTORY; d++) /* without branches, so that it is fast */
        ok &= ((uint32_t)r.tokens[d] < (uint32_t)m->vocabulary)
              & ((uint32_t)r.agreeing[d] <= (uint32_t)LONGEST);
    return ok;
}

/* Read one token of each stream, and mix the logits of the next. Returns OK, NO_MEMORY or
   BAD_ARGUMENT.

     strength               factor of the weights of suggestions; 0 ignores them
     ids                    (streams,), the tokens
     logits, mixed          (streams, vocabulary), those after them
     contexts, new_contexts (streams, order + 1), before and after them
     repeats, new_repeats   (streams, size), as `Repeats` describes it */
EXPORT int mixture_step(const struct mixture *m, double strength, int64_t streams, const int64_t *ids,
                        const float *logits, const int64_t *contexts, const int32_t *repeats,
                        int64_t *new_contexts, int32_t *new_repeats, float *mixed) {
    if (!m || !is_valid_mixture(m) || streams < 1 || !isfinite(strength) || !ids || !logits
        || !contexts || !repeats || !new_contexts || !new_repeats || !mixed)
        return BAD_ARGUMENT;
    const int64_t depth = m->order + 1, size = state_size(m);
    double *scratch = malloc(2 * sizeof(double) * (size_t)m->vocabulary);
    if (!scratch) return NO_MEMORY;
    int result = OK;
    for (int64_t s = 0; s < streams; s++) {
        const int64_t *before = contexts + s * depth;
        const int32_t *state = repeats + s * size;
        if (!is_valid_state(m, ids[s], before, state)) {
            result = BAD_ARGUMENT;
            break;
        }
        read_context(m, (int32_t)ids[s], before, new_contexts + s * depth);
        read_repeats(m, (int32_t)ids[s], state, new_repeats + s * size);
        mix(m, strength, logits + s * m->vocabulary, new_contexts + s * depth, new_repeats + s * size,
            mixed + s * m->vocabulary, scratch);
    }
    free(scratch);
    return result;
}
