"""A SimpleRNN over a window."""

from __future__ import annotations

from typing import Any

from seqgen.backend import tf
from seqgen.kernels.scan import (
    Tensor,
    before_each,
    by_time,
    d_tanh,
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
            hidden = tf.tanh(tf.add_n((float32(x), product(transposed, h), biases)))
            h = tf.cast(hidden, dtype)
            return [h], [hidden, h]

        (last,), (hiddens, outputs) = scan(
            forward,
            [tf.cast(hidden, dtype)],
            [by_time(tf.matmul(tf.transpose(kernel), inputs))],
            [(units, tf.float32), (units, dtype)],
        )
        outputs = outputs.stack()

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            def backward(dh: Tensor, d_bias: Tensor, d_output: Tensor, h: Tensor) -> Any:
                d = d_tanh(h, dh + float32(d_output))
                written = tf.cast(d, dtype)
                return [product(recurrent_kernel, written), d_bias + d], [written]

            (d_hidden, d_bias), (d,) = scan(
                backward,
                [d_last, tf.zeros_like(biases)],
                [by_time(d_outputs), hiddens],
                [(units, dtype)],
                reverse=True,
            )
            before = before_each(hidden, outputs)
            return *gradients(kernel, inputs, before, d.stack(), d_bias), d_hidden

        return (outputs, float32(last)), gradient

    return sequence(*operands)  # type: ignore[no-any-return]
