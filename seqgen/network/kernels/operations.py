"""What a step of any layer is made of: products, derivatives, and the gradient of the weights."""

from __future__ import annotations

from typing import Any

from seqgen.network.backend import tf

Tensor = Any


def float32(tensor: Tensor) -> Tensor:
    return tf.cast(tensor, tf.float32)


def product(matrix: Tensor, tensor: Tensor) -> Tensor:
    """In the matrix's precision; the result is float32."""
    return float32(tf.matmul(matrix, tf.cast(tensor, matrix.dtype)))


def d_sigmoid(value: Tensor, gradient: Tensor) -> Tensor:
    """The gradient before a sigmoid of that value, in one operation."""
    return tf.raw_ops.SigmoidGrad(y=value, dy=gradient)


def d_tanh(value: Tensor, gradient: Tensor) -> Tensor:
    """The gradient before a tanh of that value, in one operation."""
    return tf.raw_ops.TanhGrad(y=value, dy=gradient)


def columns(vector: Tensor, batch_size: int) -> Tensor:
    """The vector `(rows,)` as every column of `(rows, B)`: adding that is faster than broadcasting
    at every step."""
    return tf.tile(vector[:, None], (1, batch_size))


def product_of_sequence(matrix: Tensor, sequence: Tensor) -> Tensor:
    """`(rows, D)` by `(D, T, B)`, in one product."""
    width, steps, batch_size = sequence.shape
    steps = steps or tf.shape(sequence)[1]
    product = tf.matmul(matrix, tf.reshape(sequence, (width, steps * batch_size)))
    return tf.reshape(product, (matrix.shape[0], steps, batch_size))


def gradient_of_weights(inputs: Tensor, gradient: Tensor) -> Tensor:
    """Of a product's weights, from its inputs `(D, T, B)` and the gradient of what came out,
    `(gates, T, B)`, summed over all steps in one product: `(D, gates)`."""
    inputs, gradient = (tf.reshape(each, (each.shape[0], -1)) for each in (inputs, gradient))
    return float32(tf.matmul(inputs, gradient, transpose_b=True))
