"""The recurrent layers of Keras, faster to train on a CPU: same weights, same results.

The stock layers multiply input and state at every step, and add up the gradient of the weights
step by step. Here the input's product is taken for all steps at once, before; only the state's
stays in the loop; and a hand-written backward pass takes the gradient of the weights as one
product, behind the loop. What of a step's derivative does not depend on the gradient that flows
back is worked out for all steps at once, so that the loop has few and small operations.

Everything in here is time-major: `(T, B, …)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seqgen.backend import keras, tf

Tensor = Any
Step = Callable[..., tuple[Sequence[Tensor], Sequence[Tensor]]]


def supports(layer: Any) -> bool:
    """Whether `run` knows the layer: the activations that Keras takes by itself, no dropout inside.

    >>> supports(keras.layers.GRU(4)), supports(keras.layers.GRU(4, activation="relu"))
    (True, False)
    """
    gated = not isinstance(layer, keras.layers.SimpleRNN)
    return (
        type(layer) in RUN
        and layer.activation is keras.activations.tanh
        and (not gated or layer.recurrent_activation is keras.activations.sigmoid)
        and not layer.dropout
        and not layer.recurrent_dropout
        and layer.activity_regularizer is None
    )


def project(layer: Any, inputs: Tensor) -> Tensor:
    """The product of the inputs `(…, D)` and the layer's kernel, with its bias: `(…, gates)`."""
    projected = tf.tensordot(inputs, layer.cell.kernel, 1)
    if layer.use_bias:
        bias = layer.cell.bias
        projected += bias[0] if len(bias.shape) == 2 else bias
    return projected


def run(layer: Any, projected: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """A recurrent layer over a window.

    Args:
        layer: a built Keras layer that `supports` says yes to.
        projected: what `project` gave of its inputs, `(T, B, gates)`.
        state: before the window, each `(B, units)`.

    Returns:
        The outputs `(T, B, units)` and the state behind the window.

    >>> layer = keras.layers.LSTM(4)
    >>> layer.build((None, None, 3))
    >>> outputs, state = run(layer, tf.zeros((5, 2, 16)), [tf.zeros((2, 4))] * 2)
    >>> outputs.shape, len(state)
    (TensorShape([5, 2, 4]), 2)
    """
    return RUN[type(layer)](layer, projected, state)


def _scan(
    step: Step,
    carried: Sequence[Tensor],
    inputs: Sequence[Tensor],
    widths: Sequence[int],
    *,
    reverse: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """`step(*carried, *inputs of a time)` → what is carried on and what is written, for all times.

    Returns:
        What is carried out at the end, and what was written, each `(T, B, width)`.
    """
    steps, batch_size = inputs[0].shape[0] or tf.shape(inputs[0])[0], inputs[0].shape[1]
    read = [
        tf.TensorArray(each.dtype, steps, element_shape=each.shape[1:]).unstack(each)
        for each in inputs
    ]
    written = [
        tf.TensorArray(tf.float32, steps, element_shape=(batch_size, width)) for width in widths
    ]

    def body(count: Tensor, carried: Sequence[Tensor], written: Sequence[Tensor]) -> Any:
        time = steps - 1 - count if reverse else count
        carried, new = step(*carried, *(each.read(time) for each in read))
        arrays = [array.write(time, each) for array, each in zip(written, new, strict=True)]
        return count + 1, list(carried), arrays

    _, carried, written = tf.while_loop(
        lambda count, *_: count < steps, body, (0, list(carried), written), parallel_iterations=1
    )
    return list(carried), [array.stack() for array in written]


def _flat(sequence: Tensor) -> Tensor:
    """`(T, B, width)` → `(T * B, width)`"""
    return tf.reshape(sequence, (-1, sequence.shape[-1]))


def _before(first: Tensor, sequence: Tensor) -> Tensor:
    """What stood before each step: `(B, units)` and `(T, B, units)` → `(T, B, units)`."""
    return tf.concat((first[None], sequence[:-1]), 0)


def _gradient_of_weights(inputs: Tensor, gradient: Tensor) -> Tensor:
    """The gradient of a product's weights, summed over all steps in one product."""
    return tf.matmul(_flat(inputs), _flat(gradient), transpose_a=True)


def _simple_rnn(
    layer: Any, projected: Tensor, state: Sequence[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    units = layer.units

    @tf.custom_gradient
    def sequence(projected: Tensor, kernel: Tensor, hidden: Tensor) -> Any:
        def forward(h: Tensor, x: Tensor) -> Any:
            h = tf.tanh(x + tf.matmul(h, kernel))
            return [h], [h]

        (last,), (outputs,) = _scan(forward, [hidden], [projected], [units])

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            def backward(dh: Tensor, d_output: Tensor, slope: Tensor) -> Any:
                d = (dh + d_output) * slope
                return [tf.matmul(d, kernel, transpose_b=True)], [d]

            slopes = 1 - outputs * outputs
            (d_hidden,), (d,) = _scan(
                backward, [d_last], [d_outputs, slopes], [units], reverse=True
            )
            return d, _gradient_of_weights(_before(hidden, outputs), d), d_hidden

        return (outputs, last), gradient

    outputs, last = sequence(projected, tf.convert_to_tensor(layer.cell.recurrent_kernel), *state)
    return outputs, [last]


def _lstm(layer: Any, projected: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    units = layer.units

    @tf.custom_gradient
    def sequence(projected: Tensor, kernel: Tensor, hidden: Tensor, carry: Tensor) -> Any:
        def forward(h: Tensor, c: Tensor, x: Tensor) -> Any:
            x += tf.matmul(h, kernel)
            gates = tf.sigmoid(x[:, : 3 * units])
            candidate = tf.tanh(x[:, 3 * units :])
            i, f, o = tf.split(gates, 3, 1)
            c = f * c + i * candidate
            h = o * tf.tanh(c)
            return [h, c], [gates, candidate, c, h]

        (last_h, last_c), (gates, candidates, carries, outputs) = _scan(
            forward, [hidden, carry], [projected], [3 * units, units, units, units]
        )

        def gradient(d_outputs: Tensor, d_last_h: Tensor, d_last_c: Tensor) -> Any:
            i, f, o = tf.split(gates, 3, 2)
            activated = tf.tanh(carries)
            to_carry = o * (1 - activated * activated)
            slopes = tf.concat(
                (
                    candidates * i * (1 - i),
                    _before(carry, carries) * f * (1 - f),
                    activated * o * (1 - o),
                    i * (1 - candidates * candidates),
                ),
                2,
            )

            def backward(
                dh: Tensor, dc: Tensor, d_output: Tensor, to_carry: Tensor, slope: Tensor, f: Tensor
            ) -> Any:
                dh += d_output
                dc += dh * to_carry
                d = tf.concat((dc, dc, dh, dc), 1) * slope
                return [tf.matmul(d, kernel, transpose_b=True), dc * f], [d]

            (d_hidden, d_carry), (d,) = _scan(
                backward,
                [d_last_h, d_last_c],
                [d_outputs, to_carry, slopes, f],
                [4 * units],
                reverse=True,
            )
            d_kernel = _gradient_of_weights(_before(hidden, outputs), d)
            return d, d_kernel, d_hidden, d_carry

        return (outputs, last_h, last_c), gradient

    outputs, *after = sequence(
        _output_gate_before_candidate(projected),
        _output_gate_before_candidate(layer.cell.recurrent_kernel),
        *state,
    )
    return outputs, after


def _output_gate_before_candidate(array: Tensor) -> Tensor:
    """Keras's gates are input, forget, candidate, output; here the three sigmoids are one."""
    i, f, candidate, o = tf.split(array, 4, -1)
    return tf.concat((i, f, o, candidate), -1)


def _gru(layer: Any, projected: Tensor, state: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    kernel = tf.convert_to_tensor(layer.cell.recurrent_kernel)
    if not layer.reset_after:
        outputs, last = _gru_reset_before(layer.units, projected, kernel, *state)
    else:
        bias = layer.cell.bias[1] if layer.use_bias else tf.zeros(3 * layer.units)
        outputs, last = _gru_reset_after(layer.units, projected, kernel, bias, *state)
    return outputs, [last]


def _gru_reset_after(
    units: int, projected: Tensor, kernel: Tensor, bias: Tensor, hidden: Tensor
) -> tuple[Tensor, Tensor]:
    @tf.custom_gradient
    def sequence(projected: Tensor, kernel: Tensor, bias: Tensor, hidden: Tensor) -> Any:
        def forward(h: Tensor, x: Tensor) -> Any:
            recurrent = tf.matmul(h, kernel) + bias
            gates = tf.sigmoid(x[:, : 2 * units] + recurrent[:, : 2 * units])
            z, r = tf.split(gates, 2, 1)
            recurrent = recurrent[:, 2 * units :]
            candidate = tf.tanh(x[:, 2 * units :] + r * recurrent)
            h = candidate + z * (h - candidate)
            return [h], [gates, recurrent, candidate, h]

        (last,), (gates, recurrents, candidates, outputs) = _scan(
            forward, [hidden], [projected], [2 * units, units, units, units]
        )

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            z, r = tf.split(gates, 2, 2)
            before = _before(hidden, outputs)
            to_update = (before - candidates) * z * (1 - z)
            to_candidate = (1 - z) * (1 - candidates * candidates)
            slopes = tf.concat(
                (to_update, to_candidate * recurrents * r * (1 - r), to_candidate * r), 2
            )

            def backward(dh: Tensor, d_output: Tensor, slope: Tensor, z: Tensor) -> Any:
                dh += d_output
                d = tf.concat((dh, dh, dh), 1) * slope
                return [dh * z + tf.matmul(d, kernel, transpose_b=True)], [d, dh]

            (d_hidden,), (d, dh) = _scan(
                backward, [d_last], [d_outputs, slopes, z], [3 * units, units], reverse=True
            )
            d_projected = tf.concat((d[:, :, : 2 * units], dh * to_candidate), 2)
            d_bias = tf.reduce_sum(d, (0, 1))
            return d_projected, _gradient_of_weights(before, d), d_bias, d_hidden

        return (outputs, last), gradient

    return sequence(projected, kernel, bias, hidden)  # type: ignore[no-any-return]


def _gru_reset_before(
    units: int, projected: Tensor, kernel: Tensor, hidden: Tensor
) -> tuple[Tensor, Tensor]:
    @tf.custom_gradient
    def sequence(projected: Tensor, kernel: Tensor, hidden: Tensor) -> Any:
        gates_kernel, candidate_kernel = kernel[:, : 2 * units], kernel[:, 2 * units :]

        def forward(h: Tensor, x: Tensor) -> Any:
            gates = tf.sigmoid(x[:, : 2 * units] + tf.matmul(h, gates_kernel))
            z, r = tf.split(gates, 2, 1)
            candidate = tf.tanh(x[:, 2 * units :] + tf.matmul(r * h, candidate_kernel))
            h = candidate + z * (h - candidate)
            return [h], [gates, candidate, h]

        (last,), (gates, candidates, outputs) = _scan(
            forward, [hidden], [projected], [2 * units, units, units]
        )

        def gradient(d_outputs: Tensor, d_last: Tensor) -> Any:
            z, r = tf.split(gates, 2, 2)
            before = _before(hidden, outputs)
            to_update = (before - candidates) * z * (1 - z)
            to_candidate = (1 - z) * (1 - candidates * candidates)
            to_reset = before * r * (1 - r)

            def backward(dh: Tensor, d_output: Tensor, *slopes: Tensor) -> Any:
                to_update, to_candidate, to_reset, z, r = slopes
                dh += d_output
                d_candidate = dh * to_candidate
                d_kept = tf.matmul(d_candidate, candidate_kernel, transpose_b=True)
                d_gates = tf.concat((dh * to_update, d_kept * to_reset), 1)
                d_before = tf.matmul(d_gates, gates_kernel, transpose_b=True)
                return [dh * z + d_kept * r + d_before], [d_gates, d_candidate]

            (d_hidden,), (d_gates, d_candidates) = _scan(
                backward,
                [d_last],
                [d_outputs, to_update, to_candidate, to_reset, z, r],
                [2 * units, units],
                reverse=True,
            )
            d_kernel = tf.concat(
                (
                    _gradient_of_weights(before, d_gates),
                    _gradient_of_weights(r * before, d_candidates),
                ),
                1,
            )
            return tf.concat((d_gates, d_candidates), 2), d_kernel, d_hidden

        return (outputs, last), gradient

    return sequence(projected, kernel, hidden)  # type: ignore[no-any-return]


RUN = {keras.layers.SimpleRNN: _simple_rnn, keras.layers.LSTM: _lstm, keras.layers.GRU: _gru}
