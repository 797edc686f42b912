"""What the layers share: the loop over time, products, and the gradient of a product's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seqgen.backend import tf

Tensor = Any
Array = Any  # a TensorArray
Step = Callable[..., tuple[Sequence[Tensor], Sequence[Tensor]]]


def scan(
    step: Step,
    carried: Sequence[Tensor],
    read: Sequence[Array],
    written: Sequence[tuple[int, Any]],
    *,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Array]]:
    """`step(*carried, *what is read of a time)` → what is carried on and what is written, for all
    times.

    What one loop writes another reads as it is, without a copy.

    Args:
        carried: each `(rows, B)`.
        written: the rows and the precision of each.

    Returns:
        What is carried out at the end, and what was written.
    """
    steps, batch_size = read[0].size(), carried[0].shape[1]
    arrays = [_array(dtype, steps, (rows, batch_size)) for rows, dtype in written]

    def body(count: Tensor, carried: Sequence[Tensor], arrays: Sequence[Array]) -> Any:
        time = steps - 1 - count if reverse else count
        carried, new = step(*carried, *(each.read(time) for each in read))
        arrays = [array.write(time, each) for array, each in zip(arrays, new, strict=True)]
        return count + 1, list(carried), arrays

    _, carried, arrays = tf.while_loop(
        lambda count, *_: count < steps, body, (0, list(carried), arrays), parallel_iterations=1
    )
    return list(carried), list(arrays)


def by_time(sequence: Tensor) -> Array:
    """A sequence `(T, rows, B)`, to be read by `scan`."""
    steps = sequence.shape[0] or tf.shape(sequence)[0]
    return _array(sequence.dtype, steps, sequence.shape[1:]).unstack(sequence)


def _array(dtype: Any, steps: Any, shape: Any) -> Array:
    return tf.TensorArray(dtype, steps, element_shape=shape, clear_after_read=False)


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


def columns(vector: Tensor, like: Tensor) -> Tensor:
    """The vector `(rows,)` as every column of `(rows, B)`: adding that is faster than broadcasting
    at every step."""
    return tf.tile(vector[:, None], (1, like.shape[1]))


def before_each(first: Tensor, sequence: Tensor) -> Tensor:
    """What stood before each step: `(units, B)` and `(T, units, B)` → `(T, units, B)`."""
    return tf.concat((tf.cast(first, sequence.dtype)[None], sequence[:-1]), 0)


def prepared(
    dtype: Any, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, hidden: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Both kernels in the products' precision, the recurrent one also transposed, as the forward
    pass wants it, and the bias as columns."""
    kernel, recurrent_kernel = tf.cast(kernel, dtype), tf.cast(recurrent_kernel, dtype)
    return kernel, recurrent_kernel, tf.transpose(recurrent_kernel), columns(bias, hidden)


def gradients(
    kernel: Tensor, inputs: Tensor, before: Tensor, d: Tensor, d_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of the inputs, the kernel, the recurrent kernel and the bias, where one sum of products
    feeds the gates.

    Args:
        kernel: of the inputs, `(D, gates)`.
        inputs: of the layer, `(T, D, B)`.
        before: the outputs one step earlier, `(T, units, B)`.
        d: the gradient of the sums, `(T, gates, B)`.
        d_bias: the same summed over time, `(gates, B)`, in float32.
    """
    return (
        tf.matmul(kernel, d),
        gradient_of_weights(inputs, d),
        gradient_of_weights(before, d),
        tf.reduce_sum(d_bias, 1),
    )


def gradient_of_weights(inputs: Tensor, gradient: Tensor) -> Tensor:
    """Of a product's weights, summed over all steps in one product: `(D, gates)`."""
    inputs, gradient = (
        tf.reshape(tf.transpose(each, (1, 0, 2)), (each.shape[1], -1))  # whole rows are moved
        for each in (inputs, gradient)
    )
    return float32(tf.matmul(inputs, gradient, transpose_b=True))
