/* Logits → ids, one row after another. `seqgen/sampling/sampler.py` defines the filters and their
   order. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>

struct drawing {
    int64_t rows, size, window, top_k; /* size: tokens; window: recent ones; top_k: 0 keeps all */
    double penalty, temperature, top_p, least; /* top_p: 1 keeps all; least: the logarithm of min_p */
    double *scratch;                           /* (2 size,) */
};

#define HIGHEST (1 - 0x1p-51) /* times any number, it is less than that number */

static void sink(double *heap, int64_t size, int64_t at) {
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {
        child += child + 1 < size && heap[child + 1] > heap[child];
        if (heap[at] >= heap[child]) return;
        double number = heap[at];
        heap[at] = heap[child], heap[child] = number;
    }
}

/* Take the largest out of a heap and put it after the rest. */
static double pop(double *heap, int64_t *size) {
    double largest = heap[0];
    heap[0] = heap[--*size];
    heap[*size] = largest;
    sink(heap, *size, 0);
    return largest;
}

/* The lowest logit that top-k and top-p keep. */
static double lowest(const struct drawing *d, const double *logits, double *heap) {
    int64_t size = d->size, taken = 0;
    double last = 0, total = 0, sum = 0;
    for (int64_t i = 0; i < size; i++) heap[i] = logits[i];
    for (int64_t i = size / 2; i--;) sink(heap, size, i);
    if (d->top_k)
        while (size && (taken < d->top_k || heap[0] == last)) {
            last = pop(heap, &size), taken++;
            total += exp(last);
        }
    else
        for (int64_t i = 0; i < size; i++) total += exp(logits[i]);
    if (d->top_p == 1) return last;
    for (int64_t i = 0; sum < d->top_p * total && (i < taken || (size && !d->top_k)); i++) {
        last = i < taken ? heap[d->size - 1 - i] : pop(heap, &size);
        sum += exp(last);
    }
    return last;
}

static int64_t one(const struct drawing *d, const float *given, const uint8_t *allowed,
                   const int64_t *recent, double number, double *logits, double *heap) {
    for (int64_t i = 0; i < d->size; i++) logits[i] = given[i];
    for (int64_t i = 0; i < d->window; i++) {
        float before = given[recent[i]], penalty = (float)d->penalty;
        logits[recent[i]] = before > 0 ? before / penalty : before * penalty;
    }
    if (allowed)
        for (int64_t i = 0; i < d->size; i++)
            if (!allowed[i]) logits[i] = -INFINITY;
    int64_t likeliest = 0, drawn = 0;
    for (int64_t i = 1; i < d->size; i++)
        if (logits[i] > logits[likeliest]) likeliest = i;
    if (d->temperature == 0) return likeliest;
    const double highest = logits[likeliest];
    for (int64_t i = 0; i < d->size; i++) logits[i] = (logits[i] - highest) / d->temperature;
    double least = d->least, sum = 0;
    if (d->top_k || d->top_p < 1) least = fmax(least, lowest(d, logits, heap));
    for (int64_t i = 0; i < d->size; i++) {
        if (logits[i] >= least) sum += exp(logits[i]);
        heap[i] = sum;
    }
    number = fmin(number, HIGHEST) * sum;
    while (drawn < d->size - 1 && heap[drawn] <= number) drawn++;
    return drawn;
}

/* For each row an id: logits and, if not everything is, what is allowed (rows, size), recent (rows,
   window), numbers (rows,). */
void draw(const struct drawing *d, const float *logits, const uint8_t *allowed, const int64_t *recent,
          const double *numbers, int64_t *ids) {
    for (int64_t row = 0; row < d->rows; row++)
        ids[row] = one(d, logits + row * d->size, allowed ? allowed + row * d->size : NULL,
                       recent + row * d->window, numbers[row], d->scratch, d->scratch + d->size);
}
