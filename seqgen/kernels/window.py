"""A recurrent layer over a window: the products outside its loops, and the gradients."""

from __future__ import annotations

from typing import Any

from seqgen.backend import tf
from seqgen.kernels import compiled, scan
from seqgen.kernels.cell import Cell
from seqgen.kernels.operations import Tensor, gradient_of_weights, product_of_sequence


def over_window(kind: type[Cell], *operands: Tensor) -> list[Tensor]:
    """A layer of that kind over a window.

    Args:
        kind: what it does in a step.
        operands: inputs `(D, T, B)`, the weights (kernel, recurrent kernel, bias), and the state
            before the window, each `(units, B)`.

    Returns:
        The outputs `(units, T, B)`, and the state behind the window.
    """

    @tf.custom_gradient
    def sequence(
        inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, *state: Tensor
    ) -> Any:
        dtype = inputs.dtype
        kernel = tf.cast(kernel, dtype)
        cell = kind(tf.cast(recurrent_kernel, dtype), bias, state[0].shape[1])
        loops = compiled if compiled.supports(cell, state[0].shape[1]) else scan
        x = product_of_sequence(tf.transpose(kernel), inputs)
        outputs, last, kept = loops.forward(cell, x, state)

        def gradient(d_outputs: Tensor, *d_last: Tensor) -> Any:
            d, d_bias, d_state = loops.backward(cell, kept, d_outputs, d_last)
            d_input, d_recurrent = cell.parts(d)
            first = tf.cast(state[0], dtype)[:, None]
            before = tf.concat((first, outputs[:, :-1]), 1)
            return (
                product_of_sequence(kernel, d_input),
                gradient_of_weights(inputs, d_input),
                cell.gradient_of_recurrent_kernel(before, d_recurrent, kept),
                cell.gradient_of_bias(d_bias),
                *d_state,
            )

        return (outputs, *last), gradient

    return sequence(*operands)  # type: ignore[no-any-return]
