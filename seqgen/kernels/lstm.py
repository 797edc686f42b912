"""An LSTM over a window."""

from __future__ import annotations

from typing import Any

from seqgen.backend import tf
from seqgen.kernels.scan import (
    Tensor,
    before_each,
    by_time,
    d_sigmoid,
    d_tanh,
    float32,
    gradients,
    prepared,
    product,
    scan,
)


def lstm(layer: Any, *operands: Tensor) -> list[Tensor]:
    """Inputs `(T, D, B)` and state `(units, B)` twice → outputs `(T, units, B)`, and the state."""
    units = layer.units

    @tf.custom_gradient
    def sequence(
        inputs: Tensor,
        kernel: Tensor,
        recurrent_kernel: Tensor,
        bias: Tensor,
        hidden: Tensor,
        carry: Tensor,
    ) -> Any:
        dtype = inputs.dtype
        kernel, recurrent_kernel, transposed, biases = prepared(
            dtype, kernel, recurrent_kernel, bias, hidden
        )

        def forward(h: Tensor, c: Tensor, x: Tensor) -> Any:
            x = tf.add_n((float32(x), product(transposed, h), biases))
            i, f = tf.split(tf.sigmoid(x[: 2 * units]), 2)
            candidate = tf.tanh(x[2 * units : 3 * units])
            o = tf.sigmoid(x[3 * units :])
            before, c = c, f * c + i * candidate
            activated = tf.tanh(c)
            h = tf.cast(o * activated, dtype)
            return [h, c], [i, f, candidate, o, before, activated, h]

        (last_h, last_c), (*kept, outputs) = scan(
            forward,
            [tf.cast(hidden, dtype), carry],
            [by_time(tf.matmul(tf.transpose(kernel), inputs))],
            6 * [(units, tf.float32)] + [(units, dtype)],
        )
        outputs = outputs.stack()

        def gradient(d_outputs: Tensor, d_last_h: Tensor, d_last_c: Tensor) -> Any:
            def backward(dh: Tensor, dc: Tensor, d_bias: Tensor, *read: Tensor) -> Any:
                d_output, i, f, candidate, o, before, activated = read
                dh += float32(d_output)
                dc += d_tanh(activated, dh * o)
                d = tf.concat(
                    (
                        d_sigmoid(i, dc * candidate),
                        d_sigmoid(f, dc * before),
                        d_tanh(candidate, dc * i),
                        d_sigmoid(o, dh * activated),
                    ),
                    0,
                )
                written = tf.cast(d, dtype)
                return [product(recurrent_kernel, written), dc * f, d_bias + d], [written]

            (d_hidden, d_carry, d_bias), (d,) = scan(
                backward,
                [d_last_h, d_last_c, tf.zeros_like(biases)],
                [by_time(d_outputs), *kept],
                [(4 * units, dtype)],
                reverse=True,
            )
            before = before_each(hidden, outputs)
            return *gradients(kernel, inputs, before, d.stack(), d_bias), d_hidden, d_carry

        return (outputs, float32(last_h), last_c), gradient

    return sequence(*operands)  # type: ignore[no-any-return]
