/* Vectors of floats, and the activations, in one instruction set. Whoever includes this names

     NAME(x)   what a function is called in this set
     TARGET    the attribute that lets the compiler use the set
     LANES     floats in a vector */

#define INLINE static inline __attribute__((always_inline)) TARGET
#define vec NAME(vec)
#define ints NAME(ints)

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));

INLINE vec NAME(load)(const float *from) {
    vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

INLINE void NAME(store)(float *to, vec v) { memcpy(to, &v, sizeof v); }

INLINE vec NAME(splat)(float number) { return number - (vec){0}; }

/* e^x, to the last bit or two: 2^n e^r with |r| <= log(2) / 2, as Cephes has it. Where no instruction
   scales by 2^n, which gives 0 and infinity as it should, x is taken to be no further out than 87. */
INLINE vec NAME(exponential)(vec x) {
#if LANES == 16
    vec n = (vec)_mm512_roundscale_ps((__m512)(x * 1.44269504f), _MM_FROUND_TO_NEAREST_INT);
#else
    ints over = x > 87.0f, under = x < -87.0f;
    x = (vec)(((ints)x & ~(over | under)) | ((ints)NAME(splat)(87.0f) & over)
              | ((ints)NAME(splat)(-87.0f) & under));
    vec shifted = x * 1.44269504f + 12582912.0f; /* 1.5 * 2^23: rounds to a whole number */
    vec n = shifted - 12582912.0f;
#endif
    vec r = x - n * 0.693359375f - n * -2.12194440e-4f;
    vec p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + (r + 1.0f);
#if LANES == 16
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    ints exponent = (ints)shifted << 23; /* the low bits of `shifted` are those of n */
    return (vec)((ints)p + exponent);
#endif
}

INLINE vec NAME(sigmoid)(vec x) { return 1.0f / (1.0f + NAME(exponential)(-x)); }

INLINE vec NAME(tanh)(vec x) { return 1.0f - 2.0f / (1.0f + NAME(exponential)(x + x)); }
