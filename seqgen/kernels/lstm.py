"""An LSTM over a window."""

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


def lstm(
    layer: Any,
    inputs: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    *state: Tensor,
) -> list[Tensor]:
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
            x = float32(x) + product(transposed, h) + biases
            gates = tf.sigmoid(x[: 3 * units])
            candidate = tf.tanh(x[3 * units :])
            i, f, o = tf.split(gates, 3)
            c = f * c + i * candidate
            h = o * tf.tanh(c)
            return [h, c], [gates, candidate, c, tf.cast(h, dtype)]

        (last_h, last_c), (gates, candidates, carries, outputs) = scan(
            forward,
            [hidden, carry],
            [tf.matmul(tf.transpose(kernel), inputs)],
            [(3 * units, tf.float32), (units, tf.float32), (units, tf.float32), (units, dtype)],
        )

        def gradient(d_outputs: Tensor, d_last_h: Tensor, d_last_c: Tensor) -> Any:
            i, f, o = tf.split(gates, 3, 1)
            activated = tf.tanh(carries)
            to_carry = o * (1 - activated * activated)
            slopes = tf.concat(
                (
                    candidates * i * (1 - i),
                    before_each(carry, carries) * f * (1 - f),
                    activated * o * (1 - o),
                    i * (1 - candidates * candidates),
                ),
                1,
            )

            def backward(dh: Tensor, dc: Tensor, d_bias: Tensor, *read: Tensor) -> Any:
                d_output, to_carry, slope, f = read
                dh += float32(d_output)
                dc += dh * to_carry
                d = tf.concat((dc, dc, dh, dc), 0) * slope
                written = tf.cast(d, dtype)
                return [product(recurrent_kernel, written), dc * f, d_bias + d], [written]

            (d_hidden, d_carry, d_bias), (d,) = scan(
                backward,
                [d_last_h, d_last_c, tf.zeros_like(biases)],
                [d_outputs, to_carry, slopes, f],
                [(4 * units, dtype)],
                reverse=True,
            )
            return (
                *gradients(kernel, inputs, before_each(hidden, outputs), d, d_bias),
                d_hidden,
                d_carry,
            )

        return (outputs, last_h, last_c), gradient

    weights = map(_output_gate_before_candidate, (kernel, recurrent_kernel, bias))
    return sequence(inputs, *weights, *state)  # type: ignore[no-any-return]


def _output_gate_before_candidate(array: Tensor) -> Tensor:
    """Keras's gates are input, forget, candidate, output; here the three sigmoids are one."""
    i, f, candidate, o = tf.split(array, 4, -1)
    return tf.concat((i, f, o, candidate), -1)
