"""The loops of a layer over the times of a window, forward and backward, as TensorFlow's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Array, Cell
from seqgen.network.kernels.operations import Tensor, float32, product_of_sequence

Step = Callable[..., tuple[Sequence[Tensor], Sequence[Tensor]]]


class Loops:
    """The loops of a layer, over any number of windows.

    Args:
        cell: what it does in a step.
        kernel: `(D, gates)`, in the precision of the products.
    """

    def __init__(self, cell: Cell, kernel: Tensor) -> None:
        self.cell = cell
        self.kernel = tf.transpose(kernel)

    def forward(
        self, inputs: Tensor, state: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], list[Array]]:
        """All steps of a window.

        Args:
            inputs: `(D, T, B)`.
            state: before the window, each `(units, B)` in float32.

        Returns:
            The outputs `(units, T, B)`, the state behind the window, and what is kept for
            `backward`.
        """
        dtype, cell = inputs.dtype, self.cell
        x = product_of_sequence(self.kernel, inputs)

        def step(written: Tensor, *state_and_input: Tensor) -> Any:
            *before, x = state_and_input
            after, kept = cell.forward(x, written, *before)
            written = tf.cast(after[0], dtype)
            return [written, *after], [*kept, written]

        (_, *last), (*kept, outputs) = _scan(
            step,
            [tf.cast(state[0], dtype), *state],
            [_by_time(x)],
            [*cell.kept * [(cell.units, tf.float32)], (cell.units, dtype)],
        )
        return _by_row(outputs), last, kept

    def backward(
        self, kept: Sequence[Array], d_outputs: Tensor, d_last: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """All steps of a window from behind.

        Args:
            kept: what `forward` kept.
            d_outputs: the gradient of the outputs, `(units, T, B)`.
            d_last: that of the state behind the window.

        Returns:
            The gradients of the sums `(rows, T, B)`, of these summed over all `(rows,)`, and of
            the state before the window.
        """
        dtype, cell = d_outputs.dtype, self.cell

        def step(summed: Tensor, dh: Tensor, *read: Tensor) -> Any:
            others, (d_output, *kept) = read[: len(d_last) - 1], read[len(d_last) - 1 :]
            d_before, d = cell.backward([dh + float32(d_output), *others], *kept)
            return [summed + d, *d_before], [tf.cast(d, dtype)]

        (summed, *d_state), (d,) = _scan(
            step,
            [tf.zeros((cell.rows, d_last[0].shape[1])), *d_last],
            [_by_time(d_outputs), *kept],
            [(cell.rows, dtype)],
            reverse=True,
        )
        return _by_row(d), tf.reduce_sum(summed, 1), d_state


def _scan(
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


def _by_time(sequence: Tensor) -> Array:
    """A sequence `(rows, T, B)`, to be read time by time."""
    rows, steps, batch_size = sequence.shape
    array = _array(sequence.dtype, steps or tf.shape(sequence)[1], (rows, batch_size))
    return array.unstack(tf.transpose(sequence, (1, 0, 2)))


def _by_row(array: Array) -> Tensor:
    return tf.transpose(array.stack(), (1, 0, 2))


def _array(dtype: Any, steps: Any, shape: Any) -> Array:
    return tf.TensorArray(dtype, steps, element_shape=shape, clear_after_read=False)
