"""A GRU over a window, with the reset gate behind the recurrent product, as in cuDNN, or before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from seqgen.backend import tf
from seqgen.kernels.scan import (
    Tensor,
    before_each,
    by_time,
    columns,
    d_sigmoid,
    d_tanh,
    float32,
    gradient_of_weights,
    prepared,
    product,
    scan,
)


def gru(
    layer: Any,
    inputs: Tensor,
    kernel: Tensor,
    recurrent_kernel: Tensor,
    bias: Tensor,
    hidden: Tensor,
) -> list[Tensor]:
    """Inputs `(T, D, B)` and state `(units, B)` → outputs `(T, units, B)`, and the state."""
    if not layer.reset_after:
        sequence = _gru_reset_before(layer.units)
        return sequence(inputs, kernel, recurrent_kernel, bias, hidden)  # type: ignore[no-any-return]
    biases = tf.unstack(bias) if layer.use_bias else (bias, bias)
    sequence = _gru_reset_after(layer.units)
    return sequence(inputs, kernel, recurrent_kernel, *biases, hidden)  # type: ignore[no-any-return]


def _gru_reset_after(units: int) -> Callable[..., Any]:
    @tf.custom_gradient
    def sequence(
        inputs: Tensor,
        kernel: Tensor,
        recurrent_kernel: Tensor,
        bias: Tensor,
        recurrent_bias: Tensor,
        hidden: Tensor,
    ) -> Any:
        dtype = inputs.dtype
        kernel, recurrent_kernel, transposed, biases = prepared(
            dtype, kernel, recurrent_kernel, bias, hidden
        )
        recurrent_biases = columns(recurrent_bias, hidden)

        def forward(h: Tensor, written: Tensor, x: Tensor) -> Any:
            x = float32(x) + biases
            recurrent = product(transposed, written) + recurrent_biases
            z, r = tf.split(tf.sigmoid(x[: 2 * units] + recurrent[: 2 * units]), 2)
            recurrent = recurrent[2 * units :]
            candidate = tf.tanh(x[2 * units :] + r * recurrent)
            difference = h - candidate
            h = candidate + z * difference
            written = tf.cast(h, dtype)
            return [h, written], [z, r, recurrent, candidate, difference, written]

        (last, _), (*kept, outputs) = scan(
            forward,
            [hidden, tf.cast(hidden, dtype)],
            [by_time(tf.matmul(tf.transpose(kernel), inputs))],
            5 * [(units, tf.float32)] + [(units, dtype)],
        )
        outputs = outputs.stack()

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            def backward(dh: Tensor, d_bias: Tensor, *read: Tensor) -> Any:
                d_output, z, r, recurrent, candidate, difference = read
                dh += float32(d_output)
                dh_z = dh * z
                d_candidate = d_tanh(candidate, dh - dh_z)
                d_update = d_sigmoid(z, dh * difference)
                d_reset = d_sigmoid(r, d_candidate * recurrent)
                d = tf.concat((d_update, d_reset, d_candidate * r, d_candidate), 0)
                written = tf.cast(d, dtype)
                d_before = dh_z + product(recurrent_kernel, written[: 3 * units])
                return [d_before, d_bias + d], [written]

            (d_hidden, d_bias), (d,) = scan(
                backward,
                [d_last, tf.zeros((4 * units, hidden.shape[1]))],
                [by_time(d_outputs), *kept],
                [(4 * units, dtype)],
                reverse=True,
            )
            d = d.stack()
            d_bias = tf.reduce_sum(d_bias, 1)
            d_recurrent, d_input = d[:, : 3 * units], _without(d, 2 * units, 3 * units, axis=1)
            return (
                tf.matmul(kernel, d_input),
                gradient_of_weights(inputs, d_input),
                gradient_of_weights(before_each(hidden, outputs), d_recurrent),
                _without(d_bias, 2 * units, 3 * units, axis=0),
                d_bias[: 3 * units],
                d_hidden,
            )

        return (outputs, last), gradient

    return sequence  # type: ignore[no-any-return]


def _without(tensor: Tensor, first: int, last: int, axis: int) -> Tensor:
    """All but the rows from `first` up to `last`."""
    before, _, after = tf.split(tensor, (first, last - first, tensor.shape[axis] - last), axis)
    return tf.concat((before, after), axis)


def _gru_reset_before(units: int) -> Callable[..., Any]:
    @tf.custom_gradient
    def sequence(
        inputs: Tensor, kernel: Tensor, recurrent_kernel: Tensor, bias: Tensor, hidden: Tensor
    ) -> Any:
        dtype = inputs.dtype
        kernel, recurrent_kernel = tf.cast(kernel, dtype), tf.cast(recurrent_kernel, dtype)
        gates_kernel = recurrent_kernel[:, : 2 * units]
        candidate_kernel = recurrent_kernel[:, 2 * units :]
        transposed = tf.transpose(gates_kernel), tf.transpose(candidate_kernel)
        biases = columns(bias, hidden)

        def forward(h: Tensor, x: Tensor) -> Any:
            x = float32(x) + biases
            z, r = tf.split(tf.sigmoid(x[: 2 * units] + product(transposed[0], h)), 2)
            reset = tf.cast(r * h, dtype)
            candidate = tf.tanh(x[2 * units :] + product(transposed[1], reset))
            before, difference = h, h - candidate
            h = candidate + z * difference
            return [h], [z, r, candidate, before, difference, reset, tf.cast(h, dtype)]

        (last,), (*kept, resets, outputs) = scan(
            forward,
            [hidden],
            [by_time(tf.matmul(tf.transpose(kernel), inputs))],
            5 * [(units, tf.float32)] + 2 * [(units, dtype)],
        )
        outputs = outputs.stack()

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            def backward(dh: Tensor, d_bias: Tensor, *read: Tensor) -> Any:
                d_output, z, r, candidate, before, difference = read
                dh += float32(d_output)
                dh_z = dh * z
                d_candidate = d_tanh(candidate, dh - dh_z)
                d_kept = product(candidate_kernel, d_candidate)
                d_update = d_sigmoid(z, dh * difference)
                d_gates = tf.concat((d_update, d_sigmoid(r, d_kept * before)), 0)
                d_before = tf.add_n((dh_z, d_kept * r, product(gates_kernel, d_gates)))
                d = tf.concat((d_gates, d_candidate), 0)
                return [d_before, d_bias + d], [tf.cast(d, dtype)]

            (d_hidden, d_bias), (d,) = scan(
                backward,
                [d_last, tf.zeros_like(biases)],
                [by_time(d_outputs), *kept],
                [(3 * units, dtype)],
                reverse=True,
            )
            d = d.stack()
            d_gates, d_candidates = d[:, : 2 * units], d[:, 2 * units :]
            d_recurrent_kernel = tf.concat(
                (
                    gradient_of_weights(before_each(hidden, outputs), d_gates),
                    gradient_of_weights(resets.stack(), d_candidates),
                ),
                1,
            )
            return (
                tf.matmul(kernel, d),
                gradient_of_weights(inputs, d),
                d_recurrent_kernel,
                tf.reduce_sum(d_bias, 1),
                d_hidden,
            )

        return (outputs, last), gradient

    return sequence  # type: ignore[no-any-return]
