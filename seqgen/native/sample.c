/* Logits → ids, one row after another. `seqgen/sampling/sampler.py` defines the steps and their
   order. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "isa.h"

struct sampling {
    int64_t rows, size, window, top_k; /* size: V; window: recent tokens; top_k: 0 keeps all */
    double penalty, temperature, top_p, min_logit; /* top_p: 1 keeps all; min_logit: log(min_p) */
};

#define HIGHEST (1 - 0x1p-51) /* the largest factor whose product with a number is below it */

static void sift_down(double *heap, int64_t size, int64_t at) {
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {
        child += child + 1 < size && heap[child + 1] > heap[child];
        if (heap[at] >= heap[child]) return;
        double number = heap[at];
        heap[at] = heap[child], heap[child] = number;
    }
}

/* Move the largest number of a heap to its end, and shorten the heap by one. */
static double pop(double *heap, int64_t *size) {
    double largest = heap[0];
    heap[0] = heap[--*size];
    heap[*size] = largest;
    sift_down(heap, *size, 0);
    return largest;
}

/* The lowest logit that top-k and top-p keep. */
static double lowest(const struct sampling *s, const double *logits, double *heap) {
    int64_t size = s->size, popped = 0;
    double last = 0, total = 0, sum = 0;
    for (int64_t i = 0; i < size; i++) heap[i] = logits[i];
    for (int64_t i = size / 2; i--;) sift_down(heap, size, i);
    if (s->top_k)
        while (size && (popped < s->top_k || heap[0] == last)) {
            last = pop(heap, &size), popped++;
            total += exp(last);
        }
    else
        for (int64_t i = 0; i < size; i++) total += exp(logits[i]);
    if (s->top_p == 1) return last;
    for (int64_t i = 0; sum < s->top_p * total && (i < popped || (size && !s->top_k)); i++) {
        last = i < popped ? heap[s->size - 1 - i] : pop(heap, &size);
        sum += exp(last);
    }
    return last;
}

static int64_t sample_row(const struct sampling *s, const float *given, const uint8_t *allowed,
                          const int64_t *recent, double number, double *logits, double *heap) {
    for (int64_t i = 0; i < s->size; i++) logits[i] = given[i];
    for (int64_t i = 0; i < s->window; i++) {
        float before = given[recent[i]], penalty = (float)s->penalty;
        logits[recent[i]] = before > 0 ? before / penalty : before * penalty;
    }
    if (allowed)
        for (int64_t i = 0; i < s->size; i++)
            if (!allowed[i]) logits[i] = -INFINITY;
    int64_t likeliest = 0, drawn = 0;
    for (int64_t i = 1; i < s->size; i++)
        if (logits[i] > logits[likeliest]) likeliest = i;
    if (s->temperature == 0) return likeliest;
    const double highest = logits[likeliest];
    for (int64_t i = 0; i < s->size; i++) logits[i] = (logits[i] - highest) / s->temperature;
    double least = s->min_logit, sum = 0;
    if (s->top_k || s->top_p < 1) least = fmax(least, lowest(s, logits, heap));
    for (int64_t i = 0; i < s->size; i++) {
        if (logits[i] >= least) sum += exp(logits[i]);
        heap[i] = sum;
    }
    number = fmin(number, HIGHEST) * sum;
    while (drawn < s->size - 1 && heap[drawn] <= number) drawn++;
    return drawn;
}

/* Draw one id per row. Returns OK or BAD_ARGUMENT.

     logits   (rows, size)
     allowed  (rows, size), or NULL if every token is allowed
     recent   (rows, window) ids
     numbers  (rows,), 0 <= number < 1
     ids      (rows,), the result
     scratch  (2 size,) */
int sample(const struct sampling *s, const float *logits, const uint8_t *allowed,
           const int64_t *recent, const double *numbers, int64_t *ids, double *scratch) {
    if (s->rows < 0 || s->size < 1 || s->window < 0 || s->top_k < 0 || !(s->temperature >= 0)
        || !(s->top_p > 0 && s->top_p <= 1) || !(s->penalty > 0) || !logits || !numbers || !ids
        || !scratch || (s->window && !recent))
        return BAD_ARGUMENT;
    for (int64_t i = 0; i < s->rows * s->window; i++)
        if (recent[i] < 0 || recent[i] >= s->size) return BAD_ARGUMENT;
    for (int64_t row = 0; row < s->rows; row++)
        ids[row] = sample_row(s, logits + row * s->size, allowed ? allowed + row * s->size : NULL,
                              recent + row * s->window, numbers[row], scratch, scratch + s->size);
    return OK;
}
