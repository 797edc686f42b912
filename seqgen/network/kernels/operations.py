"""Building blocks of all cells: products, derivatives, and gradients of weights."""

from __future__ import annotations

from seqgen.network.backend import tf
from seqgen.network.kernels.blas import matmul
from seqgen.types import Tensor


def float32(tensor: Tensor) -> Tensor:
    return tf.cast(tensor, tf.float32)


def product(matrix: Tensor, tensor: Tensor) -> Tensor:
    """matrix @ tensor in the dtype of the matrix, cast to float32."""
    return float32(tf.matmul(matrix, tf.cast(tensor, matrix.dtype)))


def d_sigmoid(value: Tensor, gradient: Tensor) -> Tensor:
    """gradient * value * (1 - value), the gradient before a sigmoid, in one operation."""
    return tf.raw_ops.SigmoidGrad(y=value, dy=gradient)


def d_tanh(value: Tensor, gradient: Tensor) -> Tensor:
    """gradient * (1 - value^2), the gradient before a tanh, in one operation."""
    return tf.raw_ops.TanhGrad(y=value, dy=gradient)


def columns(vector: Tensor, batch_size: int) -> Tensor:
    """Repeat a vector `(rows,)` as the columns of `(rows, B)`, which is faster to add at every step
    than to broadcast."""
    return tf.tile(vector[:, None], (1, batch_size))


def product_of_sequence(matrix: Tensor, sequence: Tensor) -> Tensor:
    """matrix `(rows, D)` @ sequence `(D, T, B)` → `(rows, T, B)`, in one product."""
    width, steps, batch_size = sequence.shape
    steps = steps or tf.shape(sequence)[1]
    product = matmul(matrix, tf.reshape(sequence, (width, steps * batch_size)))
    return tf.reshape(product, (matrix.shape[0], steps, batch_size))


def gradient_of_weights(inputs: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of the weights `(D, gates)` of a product, summed over all steps, from its inputs
    `(D, T, B)` and the gradient of its results `(gates, T, B)`."""
    inputs, gradient = (tf.reshape(each, (each.shape[0], -1)) for each in (inputs, gradient))
    return float32(matmul(inputs, gradient, transpose_b=True))
