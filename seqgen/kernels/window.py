"""A recurrent layer over a window: its loop, the loop of its gradient, and the products outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqgen.backend import tf
from seqgen.kernels.operations import Tensor, columns, float32, gradient_of_weights
from seqgen.kernels.scan import Array, by_time, scan


class Cell:
    """What a kind of layer does in a step, and how the gradient goes back through it.

    Args:
        recurrent_kernel: `(units, gates)`, in the precision of the products.
        bias: that of the layer.
        batch_size: B.
    """

    kept: int  # how much a step forward leaves for the one backward: so many of (units, B)

    def __init__(self, recurrent_kernel: Tensor, bias: Tensor, batch_size: int) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.transposed = tf.transpose(recurrent_kernel)  # as a step forward wants it
        self.units, self.rows = recurrent_kernel.shape  # rows of the gradient of a step's sums
        self.biases = columns(bias, batch_size)

    def forward(self, x: Tensor, written: Tensor, *state: Tensor) -> tuple[list[Tensor], Any]:
        """A step.

        Args:
            x: the product of its input, `(gates, B)`.
            written: the output of the step before, in the precision of the products.
            state: of the step before, in float32; the output comes first.

        Returns:
            The state, and what is kept.
        """
        raise NotImplementedError

    def backward(self, d_state: list[Tensor], *kept: Tensor) -> tuple[list[Tensor], Tensor]:
        """The gradient of a step's state → that of the state before, and that of its sums."""
        raise NotImplementedError

    def parts(self, d: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """The rows of the gradient of the sums that the input's product feeds, and the recurrent
        one's."""
        return d, d

    def gradient_of_bias(self, d: Tensor) -> Tensor:
        """From the gradient of the sums, summed over all, `(rows,)`."""
        return d

    def gradient_of_recurrent_kernel(self, before: Tensor, d: Tensor, kept: Sequence[Array]) -> Any:
        """From the outputs one step earlier, `(T, units, B)`, and the gradient of the sums."""
        return gradient_of_weights(before, d)


def over_window(kind: type[Cell], *operands: Tensor) -> list[Tensor]:
    """A layer of that kind over a window.

    Args:
        kind: what it does in a step.
        operands: inputs `(T, D, B)`, the weights (kernel, recurrent kernel, bias), and the state
            before the window, each `(units, B)`.

    Returns:
        The outputs `(T, units, B)`, and the state behind the window.
    """

    @tf.custom_gradient
    def sequence(
        inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, *state: Tensor
    ) -> Any:
        dtype = inputs.dtype
        kernel = tf.cast(kernel, dtype)
        cell = kind(tf.cast(recurrent_kernel, dtype), bias, state[0].shape[1])

        def forward(written: Tensor, *state_and_input: Tensor) -> Any:
            *before, x = state_and_input
            after, kept = cell.forward(x, written, *before)
            written = tf.cast(after[0], dtype)
            return [written, *after], [*kept, written]

        first = tf.cast(state[0], dtype)
        (_, *last), (*kept, outputs) = scan(
            forward,
            [first, *state],
            [by_time(tf.matmul(tf.transpose(kernel), inputs))],
            [*cell.kept * [(cell.units, tf.float32)], (cell.units, dtype)],
        )
        outputs = outputs.stack()

        def gradient(d_outputs: Tensor, *d_last: Tensor) -> Any:
            d, d_bias, d_state = _gradients_of_sums(cell, kept, d_outputs, d_last)
            d_input, d_recurrent = cell.parts(d, axis=1)
            before = tf.concat((first[None], outputs[:-1]), 0)
            return (
                tf.matmul(kernel, d_input),
                gradient_of_weights(inputs, d_input),
                cell.gradient_of_recurrent_kernel(before, d_recurrent, kept),
                cell.gradient_of_bias(d_bias),
                *d_state,
            )

        return (outputs, *last), gradient

    return sequence(*operands)  # type: ignore[no-any-return]


def _gradients_of_sums(
    cell: Cell, kept: Sequence[Array], d_outputs: Tensor, d_last: Sequence[Tensor]
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """The loop backward: the gradients of the sums, `(T, rows, B)`, of these summed over all, and
    of the state before the window."""
    dtype = d_outputs.dtype

    def backward(summed: Tensor, dh: Tensor, *read: Tensor) -> Any:
        others, (d_output, *kept) = read[: len(d_last) - 1], read[len(d_last) - 1 :]
        d_before, d = cell.backward([dh + float32(d_output), *others], *kept)
        return [summed + d, *d_before], [tf.cast(d, dtype)]

    (summed, *d_state), (d,) = scan(
        backward,
        [tf.zeros((cell.rows, d_last[0].shape[1])), *d_last],
        [by_time(d_outputs), *kept],
        [(cell.rows, dtype)],
        reverse=True,
    )
    return d.stack(), tf.reduce_sum(summed, 1), d_state
