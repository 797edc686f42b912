"""A SimpleRNN over a window."""

from __future__ import annotations

from typing import Any

from seqgen.backend import tf
from seqgen.kernels.scan import (
    Tensor,
    before_each,
    float32,
    gradients,
    prepared,
    product,
    scan,
)


def simple_rnn(layer: Any, *operands: Tensor) -> list[Tensor]:
    """Inputs `(T, D, B)` and state `(units, B)` → outputs `(T, units, B)`, and the state."""
    units = layer.units

    @tf.custom_gradient
    def sequence(
        inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, hidden: Tensor
    ) -> Any:
        dtype = inputs.dtype
        kernel, recurrent_kernel, transposed, biases = prepared(
            dtype, kernel, recurrent_kernel, bias, hidden
        )

        def forward(h: Tensor, x: Tensor) -> Any:
            h = tf.tanh(float32(x) + product(transposed, h) + biases)
            return [h], [h]

        projected = tf.matmul(tf.transpose(kernel), inputs)
        (last,), (hiddens,) = scan(forward, [hidden], [projected], [(units, tf.float32)])
        outputs = tf.cast(hiddens, dtype)

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            def backward(dh: Tensor, d_bias: Tensor, d_output: Tensor, slope: Tensor) -> Any:
                d = (dh + float32(d_output)) * slope
                written = tf.cast(d, dtype)
                return [product(recurrent_kernel, written), d_bias + d], [written]

            (d_hidden, d_bias), (d,) = scan(
                backward,
                [d_last, tf.zeros_like(biases)],
                [d_outputs, 1 - hiddens * hiddens],
                [(units, dtype)],
                reverse=True,
            )
            return (
                *gradients(kernel, inputs, before_each(hidden, outputs), d, d_bias),
                d_hidden,
            )

        return (outputs, last), gradient

    return sequence(*operands)  # type: ignore[no-any-return]
