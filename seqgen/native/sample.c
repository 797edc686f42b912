/* Logits → ids, one row after another. `seqgen/sampling/sampler.py` defines the steps and their
   order. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "library.h"

struct filters {
    int64_t top_k;                    /* 0 keeps all */
    double penalty, top_p, min_logit; /* top_p: 1 keeps all; min_logit: log(min_p) */
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

/* The lowest of `all` logits that top-k and top-p keep. */
static double lowest(const struct filters *f, int64_t all, const double *logits, double *heap) {
    int64_t size = all, popped = 0;
    double last = 0, total = 0, sum = 0;
    for (int64_t i = 0; i < size; i++) heap[i] = logits[i];
    for (int64_t i = size / 2; i--;) sift_down(heap, size, i);
    if (f->top_k)
        while (size && (popped < f->top_k || heap[0] == last)) {
            last = pop(heap, &size), popped++;
            total += exp(last);
        }
    else
        for (int64_t i = 0; i < size; i++) total += exp(logits[i]);
    if (f->top_p == 1) return last;
    for (int64_t i = 0; sum < f->top_p * total && (i < popped || (size && !f->top_k)); i++) {
        last = i < popped ? heap[all - 1 - i] : pop(heap, &size);
        sum += exp(last);
    }
    return last;
}

enum { NO_ID = -1 }; /* of a row with NaN or infinity */

static int64_t sample_row(const struct filters *f, double temperature, int64_t size, int64_t window,
                          const float *given, const uint8_t *allowed, const int64_t *recent,
                          double number, double *logits, double *heap) {
    for (int64_t i = 0; i < size; i++) {
        if (!(given[i] < INFINITY)) return NO_ID; /* NaN is not */
        logits[i] = given[i];
    }
    for (int64_t i = 0; i < window; i++) {
        float before = given[recent[i]], penalty = (float)f->penalty;
        logits[recent[i]] = before > 0 ? before / penalty : before * penalty;
    }
    if (allowed)
        for (int64_t i = 0; i < size; i++)
            if (!allowed[i]) logits[i] = -INFINITY;
    int64_t likeliest = 0, drawn = 0;
    for (int64_t i = 1; i < size; i++)
        if (logits[i] > logits[likeliest]) likeliest = i;
    if (temperature == 0) return likeliest;
    const double highest = logits[likeliest];
    for (int64_t i = 0; i < size; i++) logits[i] = (logits[i] - highest) / temperature;
    double least = f->min_logit, sum = 0;
    if (f->top_k || f->top_p < 1) least = fmax(least, lowest(f, size, logits, heap));
    for (int64_t i = 0; i < size; i++) {
        if (logits[i] >= least) sum += exp(logits[i]);
        heap[i] = sum;
    }
    number = fmin(number, HIGHEST) * sum;
    while (drawn < size - 1 && heap[drawn] <= number) drawn++;
    return drawn;
}

/* Draw one id per row. Returns OK, NO_MEMORY, BAD_ARGUMENT, or NOT_FINITE for logits of NaN or
   infinity, from which nothing can be drawn.

     temperature  0 takes the most likely token
     logits       (rows, size)
     allowed      (rows, size), or NULL if every token is allowed
     recent       (rows, window) ids, NULL without a window
     numbers      (rows,), 0 <= number < 1
     ids          (rows,), the result */
EXPORT int sample(const struct filters *f, double temperature, int64_t rows, int64_t size,
                  int64_t window, const float *logits, const uint8_t *allowed, const int64_t *recent,
                  const double *numbers, int64_t *ids) {
    if (rows < 0 || size < 1 || window < 0 || !(temperature >= 0) || f->top_k < 0
        || !(f->top_p > 0 && f->top_p <= 1) || !(f->penalty > 0) || !logits || !numbers || !ids
        || (window && !recent))
        return BAD_ARGUMENT;
    for (int64_t i = 0; i < rows * window; i++)
        if (recent[i] < 0 || recent[i] >= size) return BAD_ARGUMENT;
    double *scratch = malloc(2 * sizeof(double) * (size_t)size);
    if (!scratch) return NO_MEMORY;
    int result = OK;
    for (int64_t row = 0; row < rows; row++) {
        ids[row] = sample_row(
            f, temperature, size, window, logits + row * size, allowed ? allowed + row * size : NULL,
            recent ? recent + row * window : NULL, numbers[row], scratch, scratch + size);
        if (ids[row] == NO_ID) result = NOT_FINITE;
    }
    free(scratch);
    return result;
}
