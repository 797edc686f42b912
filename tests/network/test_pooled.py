"""The forward pass over whole sequences agrees with Keras, also its gradients."""

import itertools
from typing import Any

import numpy as np
import pytest

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig
from seqgen.errors import ConfigError
from seqgen.inference.keras_sequence_engine import KerasSequenceEngine, masked
from seqgen.inference.sequence_engine import NumpySequenceEngine
from seqgen.network.backend import keras, tf
from seqgen.network.build import PADDED, build
from seqgen.network.forward import DropoutMasks
from seqgen.network.pooled import PooledForward
from seqgen.types import Network

WIDTH, CLASSES, ROWS = 7, 3, 32
KINDS = [
    *itertools.product(("ids", "numbers"), ("last", "mean"), (False, True)),
    *(("ngrams", "mean", True), ("ngrams", "last", False)),
]
FEW = [("ids", "last", False), ("numbers", "mean", True)]  # of the cells but LSTM


def network(**options: Any) -> tuple[ModelConfig, Network]:
    """A network whose weights are no initial ones: biases are not zero."""
    if options.get("inputs") == "ngrams":
        options |= {"inputs": "ids", "ngrams": 3}
    config = ModelConfig(**{"units": 16, "embedding": 5, "outputs": CLASSES, **options})
    built = build(config, WIDTH, seed=1)
    random = np.random.default_rng(0)
    for variable in built.trainable_variables:
        variable.assign(variable + random.normal(0, 0.3, variable.shape))
    return config, built


def sequences(inputs: str, count: int = ROWS) -> list[np.ndarray]:
    """Sequences of 1 to 11 steps."""
    random = np.random.default_rng(1)
    lengths = random.integers(1, 12, count)
    if inputs != "numbers":
        return [random.integers(1, WIDTH, length) for length in lengths]
    return [random.normal(size=(length, WIDTH)).astype(np.float32) for length in lengths]


def batch(read: list[np.ndarray]) -> tuple[Any, Any]:
    """Inputs, padded with zeros, and lengths."""
    inputs = masked(read)
    lengths = tf.constant([len(each) for each in read], tf.int32)
    return tf.constant(np.where(inputs == PADDED, 0, inputs)), lengths


@pytest.mark.parametrize(
    ("cell", "inputs", "pooling", "bidirectional"),
    [(cell, *kind) for cell in cell_names() for kind in (FEW if cell != "lstm" else KINDS)],
)
def test_probabilities_and_gradients_are_those_of_keras(
    cell: str, inputs: str, pooling: str, bidirectional: bool
) -> None:
    layers = 2 if bidirectional or pooling == "mean" else 1
    config, built = network(
        cell=cell, layers=layers, inputs=inputs, pooling=pooling, bidirectional=bidirectional
    )
    read, targets = sequences(inputs), np.arange(ROWS) % CLASSES
    with tf.GradientTape() as tape:
        expected = built(masked(read), training=False)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(targets, expected))
    gradients = tape.gradient(loss, built.trainable_variables)
    with tf.GradientTape() as tape:
        logits = PooledForward(built, ROWS)(*batch(read))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        loss = tf.reduce_mean(losses)
    found = tape.gradient(loss, built.trainable_variables)
    np.testing.assert_allclose(tf.nn.softmax(logits), expected, atol=1e-5)
    for ours, theirs in zip(found, gradients, strict=True):
        ours, theirs = tf.convert_to_tensor(ours), tf.convert_to_tensor(theirs)
        np.testing.assert_allclose(ours, theirs, atol=2e-5)
    engine = NumpySequenceEngine(config, built.get_weights())
    np.testing.assert_allclose(engine.probabilities(read), expected, atol=1e-5)


def test_other_activations_run_through_keras() -> None:
    options: Any = {"pooling": "last", "cell_options": {"activation": "softmax"}}
    config, built = network(**options)
    read = sequences("ids")
    expected = built(masked(read), training=False)
    logits = PooledForward(built, ROWS)(*batch(read))
    np.testing.assert_allclose(tf.nn.softmax(logits), expected, atol=1e-5)
    engine = KerasSequenceEngine(config, built.get_weights())
    np.testing.assert_allclose(engine.probabilities(read), expected, atol=1e-6)
    np.testing.assert_allclose(engine.course(read[0])[-1], expected[0], atol=1e-5)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_dropout_is_for_training(bidirectional: bool) -> None:
    _, built = network(pooling="last", dropout=0.5, bidirectional=bidirectional)
    inputs = batch(sequences("ids"))
    plain = PooledForward(built, ROWS)(*inputs)
    masks = DropoutMasks(0, tf.constant(1), recurrent_dropout=0.5)
    dropped = PooledForward(built, ROWS, masks=masks)(*inputs)
    again = PooledForward(built, ROWS, masks=masks)(*inputs)
    assert np.abs(plain - dropped).max() > 1e-3
    np.testing.assert_array_equal(dropped, again)


@pytest.mark.parametrize(("inputs", "pooling", "bidirectional"), KINDS)
def test_the_saved_network_is_of_stock_layers(
    inputs: str, pooling: str, bidirectional: bool
) -> None:
    _, built = network(inputs=inputs, pooling=pooling, bidirectional=bidirectional)
    assert {type(layer).__module__.partition(".")[0] for layer in built.layers} == {"keras"}
    assert built.output_shape == (None, CLASSES)


@pytest.mark.parametrize(
    "options", [{"bidirectional": True}, {"outputs": 3}, {"inputs": "numbers"}]
)
def test_a_network_of_next_tokens_cannot_be_one_of_classes(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected pooling, got none"):
        build(ModelConfig(**options), 5)
