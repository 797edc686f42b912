"""The gradient in NumPy agrees with that of Keras, for every cell, option and depth."""

import numpy as np
import pytest

from seqgen.adaptation.gradient import DifferentiableNetwork
from seqgen.cells.activations import ACTIVATIONS, DERIVATIVES
from seqgen.config import ModelConfig
from seqgen.utils.softmax import softmax

SIZE, STEPS = 7, 9
NETWORKS = [
    ModelConfig("simple_rnn", units=5, embedding=3),
    ModelConfig("simple_rnn", units=5, embedding=3, cell_options={"use_bias": False}),
    ModelConfig("lstm", units=5, embedding=3, layers=2),
    ModelConfig("lstm", units=5, embedding=3, cell_options={"use_bias": False}),
    ModelConfig("lstm", units=5, embedding=3, cell_options={"activation": "softsign"}),
    ModelConfig("gru", units=5, embedding=3, layers=2),
    ModelConfig("gru", units=5, embedding=3, cell_options={"use_bias": False}),
    ModelConfig("gru", units=5, embedding=3, layers=2, cell_options={"reset_after": False}),
    ModelConfig(
        "gru", units=5, embedding=3, cell_options={"reset_after": False, "use_bias": False}
    ),
    ModelConfig("gru", units=5, embedding=3, cell_options={"recurrent_activation": "elu"}),
]


def name(config: ModelConfig) -> str:
    return "-".join([config.cell, str(config.layers), *map(str, config.cell_options.items())])


@pytest.mark.parametrize("config", NETWORKS, ids=name)
def test_the_gradient_is_that_of_keras(config: ModelConfig) -> None:
    from seqgen.network.backend import tf
    from seqgen.network.build import build, initial_state
    from seqgen.network.forward import Forward

    random = np.random.default_rng(0)
    shapes = [shape for shapes in config.weight_shapes(SIZE) for shape in shapes]
    weights = [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
    ids, targets = random.integers(0, SIZE, (2, STEPS))
    keras = build(config, SIZE)
    keras.set_weights(weights)
    with tf.GradientTape() as tape:
        logits, _ = Forward(keras, 1)(tf.constant(ids[None], tf.int32), initial_state(keras, 1))
        loss = tf.reduce_sum(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets[None], logits=logits)
        )
    expected = [
        tf.convert_to_tensor(each).numpy()
        for each in tape.gradient(loss, keras.trainable_variables)
    ]

    network = DifferentiableNetwork(config, weights)
    found, _, tape = network.forward(ids, network.initial_state())
    gradients = network.gradients(tape, softmax(found) - np.eye(SIZE, dtype=np.float32)[targets])

    assert abs(found - logits.numpy()[0]).max() < 1e-5
    # A step down the gradient, so that the order of Keras's weights is compared as well.
    for array, gradient in zip(network.parameters, gradients, strict=True):
        array -= gradient
    for before, gradient, after in zip(weights, expected, network.weights(), strict=True):
        assert abs(before - gradient - after).max() < 1e-5 * max(1, abs(gradient).max())


@pytest.mark.parametrize("config", NETWORKS, ids=name)
def test_the_weights_are_copied_and_given_back_in_keras_order(config: ModelConfig) -> None:
    random = np.random.default_rng(0)
    shapes = [shape for shapes in config.weight_shapes(SIZE) for shape in shapes]
    weights = [random.normal(size=shape).astype(np.float32) for shape in shapes]
    originals = [array.copy() for array in weights]
    network = DifferentiableNetwork(config, weights)
    for given, found in zip(originals, network.weights(), strict=True):
        assert np.array_equal(given, found)
    for array in network.parameters:
        array += 1
    for given, original, found in zip(weights, originals, network.weights(), strict=True):
        assert np.array_equal(given, original)
        assert np.array_equal(original + 1, found)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_derivatives(activation: str | None) -> None:
    x = np.array([-7.1, -3.3, -1.2, -0.4, 0.3, 0.8, 1.7, 4.2, 8.5])
    function, step = ACTIVATIONS[activation], 1e-6
    slope = (function(x + step) - function(x - step)) / (2 * step)
    y = function(x)
    assert DERIVATIVES[activation](x, y) == pytest.approx(slope, rel=1e-5, abs=1e-6)
    narrow = x.astype(np.float32)
    assert DERIVATIVES[activation](narrow, function(narrow)).dtype == np.float32
