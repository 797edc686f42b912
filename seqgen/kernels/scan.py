"""A loop over the times of a window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seqgen.backend import tf
from seqgen.kernels.operations import Tensor

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
