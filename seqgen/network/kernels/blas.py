"""Products of matrices outside the loops.

Float32 goes to the BLAS that NumPy comes with: TensorFlow's product packs both factors again for
every block of the result, which takes as long as the product itself where there is no AVX-512.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from seqgen.network.backend import tf
from seqgen.network.kernels import arrays
from seqgen.types import Floats, Tensor


def matmul(a: Tensor, b: Tensor, *, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """As `tf.matmul` for matrices; float32 has no gradient.

    >>> matmul(tf.eye(2), tf.constant([[1.0, 2.0], [3.0, 4.0]]), transpose_b=True).numpy().tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    if a.dtype != tf.float32:
        return tf.matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
    multiply = partial(_multiply, transpose_a, transpose_b)
    product = tf.numpy_function(multiply, [a, b], tf.float32, stateful=False)
    product.set_shape((a.shape[1 if transpose_a else 0], b.shape[0 if transpose_b else 1]))
    return product


def _multiply(transpose_a: bool, transpose_b: bool, a: Floats, b: Floats) -> Floats:
    a, b = a.T if transpose_a else a, b.T if transpose_b else b
    return np.matmul(a, b, out=arrays.empty((a.shape[0], b.shape[1]), a.dtype))


@tf.custom_gradient
def transposed_product(
    a: Tensor, b: Tensor
) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor, Tensor]]]:
    """a^T b `(M, N)` of a `(K, M)` and b `(K, N)`; its gradient: da = b d^T, db = a d.

    >>> x = tf.Variable([[1.0, 2.0]])
    >>> with tf.GradientTape() as tape:
    ...     product = transposed_product(x, tf.constant([[3.0]]))
    >>> product.numpy().tolist(), tape.gradient(product, x).numpy().tolist()
    ([[3.0], [6.0]], [[3.0, 3.0]])
    """
    return matmul(a, b, transpose_a=True), lambda d: (matmul(b, d, transpose_b=True), matmul(a, d))
