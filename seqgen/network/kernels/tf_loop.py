"""The loops of a layer over the steps of a window, forward and backward, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Array, Cell
from seqgen.network.kernels.operations import float32, product_of_sequence
from seqgen.types import Tensor

Stepped = tuple[Sequence[Tensor], Sequence[Tensor]]  # carried tensors, and outputs
Step = Callable[..., Stepped]


class Loops:
    """The loops of a layer, over any number of windows.

    Args:
        cell: the step.
        kernel: `(D, gates)`, in the precision of the products; or in float32 a table of them, with
            a row for every token.
    """

    def __init__(self, cell: Cell, kernel: Tensor) -> None:
        self.cell = cell
        self.kernel = kernel

    def forward(
        self, inputs: Tensor, state: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor], list[Array]]:
        """All steps of a window, t = 1 … T: h_t, … = the forward step of the cell, of W x_t and
        h_(t-1), …

        Args:
            inputs: `(D, T, B)`, or the ids of tokens `(T, B)` in int32.
            state: before the window, each `(units, B)` in float32.

        Returns:
            The outputs `(units, T, B)`, the state after the window, and the residuals.
        """
        cell, dtype = self.cell, self.cell.recurrent_kernel.dtype
        if inputs.dtype == tf.int32:
            x = tf.transpose(tf.gather(self.kernel, inputs), (2, 0, 1))
        else:
            x = product_of_sequence(tf.transpose(self.kernel), inputs)

        def step(previous_output: Tensor, *state_and_input: Tensor) -> Stepped:
            *before, x = state_and_input
            after, residuals = cell.forward(x, previous_output, *before)
            previous_output = tf.cast(after[0], dtype)
            return [previous_output, *after], [*residuals, previous_output]

        (_, *last), (*residuals, outputs) = _scan(
            step,
            [tf.cast(state[0], dtype), *state],
            [_by_time(x)],
            [*cell.residuals * [(cell.units, tf.float32)], (cell.units, dtype)],
        )
        return _by_row(outputs), last, residuals

    def backward(
        self, residuals: Sequence[Array], d_outputs: Tensor, d_last: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """All steps of a window, t = T … 1: dh_(t-1), … and d_t = the backward step of the cell, of
        dh_t + d_output_t, …

        Args:
            residuals: of `forward`.
            d_outputs: the gradient of the outputs, `(units, T, B)`.
            d_last: the gradient of the state after the window.

        Returns:
            The gradients of the pre-activations `(rows, T, B)`, these summed over time and batch
            `(rows,)`, and the gradients of the state before the window.
        """
        dtype, cell = d_outputs.dtype, self.cell

        def step(summed: Tensor, dh: Tensor, *read: Tensor) -> Stepped:
            others, (d_output, *residuals) = read[: len(d_last) - 1], read[len(d_last) - 1 :]
            d_before, d = cell.backward([dh + float32(d_output), *others], *residuals)
            return [summed + d, *d_before], [tf.cast(d, dtype)]

        (summed, *d_state), (d,) = _scan(
            step,
            [tf.zeros((cell.rows, d_last[0].shape[1])), *d_last],
            [_by_time(d_outputs), *residuals],
            [(cell.rows, dtype)],
            reverse=True,
        )
        return _by_row(d), tf.reduce_sum(summed, 1), d_state

    def gradient_of_table(self, ids: Tensor, d: Tensor) -> Tensor:
        """The gradient of a table `(V, gates)` in float32, from ids `(T, B)` and the gradient
        `(gates, T, B)` of the rows that they name."""
        return tf.math.unsorted_segment_sum(
            float32(tf.transpose(d, (1, 2, 0))), ids, self.kernel.shape[0]
        )


def _scan(
    step: Step,
    carried: Sequence[Tensor],
    read: Sequence[Array],
    outputs: Sequence[tuple[int, tf.DType]],
    *,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Array]]:
    """Run a step for every time of a window.

    Another loop can read the outputs without a copy.

    Args:
        step: `step(*carried, *inputs at a time)` → the new carried tensors and the outputs.
        carried: the tensors `(rows, B)` that a step passes to the next one.
        read: the inputs of all times.
        outputs: rows and dtype of each output.
        reverse: run from the last time to the first.

    Returns:
        The carried tensors after the last step, and the outputs of all times.
    """
    steps, batch_size = read[0].size(), carried[0].shape[1]
    arrays = [_array(dtype, steps, (rows, batch_size)) for rows, dtype in outputs]

    def body(
        count: Tensor, carried: Sequence[Tensor], arrays: Sequence[Array]
    ) -> tuple[Tensor, list[Tensor], list[Array]]:
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


def _array(dtype: tf.DType, steps: Tensor, shape: tuple[int | None, ...]) -> Array:
    return tf.TensorArray(dtype, steps, element_shape=shape, clear_after_read=False)
