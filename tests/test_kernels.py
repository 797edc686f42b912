"""The fast layers against the stock ones of Keras: outputs, states and all gradients."""

import numpy as np
import pytest

from seqgen import kernels
from seqgen.backend import tf
from seqgen.network import LAYERS

BATCH, WINDOW, WIDTH, UNITS = 3, 12, 5, 8
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(BATCH, WINDOW, WIDTH)).astype(np.float32)


def results(layer: object, inputs: object, state: list[object], fast: bool) -> list[np.ndarray]:
    """Outputs and last states, then the gradients of the weights, the inputs and the states."""

    @tf.function
    def run() -> object:
        with tf.GradientTape() as tape:
            tape.watch([inputs, *state])
            if fast:
                columns = [tf.transpose(each) for each in state]
                outputs, after = kernels.run(layer, tf.transpose(inputs, (1, 2, 0)), columns)
                outputs = tf.transpose(outputs, (2, 0, 1))
                after = [tf.transpose(each) for each in after]
            else:
                outputs, *after = layer(inputs, initial_state=state)
            loss = tf.reduce_sum(tf.sin(outputs)) + sum(tf.reduce_sum(each**2) for each in after)
        watched = [*layer.trainable_variables, inputs, *state]
        return [outputs, *after, *tape.gradient(loss, watched)]

    return [each.numpy() for each in run()]


@pytest.mark.parametrize(
    "cell, options",
    [
        ("simple_rnn", {}),
        ("simple_rnn", {"use_bias": False}),
        ("lstm", {}),
        ("lstm", {"use_bias": False}),
        ("gru", {}),
        ("gru", {"use_bias": False}),
        ("gru", {"reset_after": False}),
        ("gru", {"reset_after": False, "use_bias": False}),
    ],
)
def test_agrees_with_keras(cell: str, options: dict[str, object]) -> None:
    layer = LAYERS[cell](UNITS, return_sequences=True, return_state=True, **options)
    layer(INPUTS)
    layer.set_weights([RANDOM.normal(0, 0.5, each.shape) for each in layer.get_weights()])
    states = 2 if cell == "lstm" else 1
    state = [tf.constant(RANDOM.normal(size=(BATCH, UNITS)), tf.float32) for _ in range(states)]
    assert kernels.supports(layer)
    stock, fast = (results(layer, tf.constant(INPUTS), state, each) for each in (False, True))
    assert len(stock) == 1 + states + len(layer.trainable_variables) + 1 + states
    for expected, result in zip(stock, fast, strict=True):
        np.testing.assert_allclose(result, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.1},
        {"dropout": 0.1},
        {"activity_regularizer": "l2"},
    ],
)
def test_what_it_does_not_know_is_left_to_keras(options: dict[str, object]) -> None:
    assert not kernels.supports(LAYERS["lstm"](UNITS, **options))
    assert kernels.supports(LAYERS["lstm"](UNITS, kernel_regularizer="l2"))
