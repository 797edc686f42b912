import random

import numpy as np
import pytest

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig
from seqgen.errors import ConfigError
from seqgen.network.backend import keras
from seqgen.network.build import build, keras_layer

INPUT = np.random.default_rng(0).normal(size=(32, 10, 8)).astype(np.float32)


@pytest.mark.parametrize("cell", cell_names())
def test_the_shapes_that_keras_documents(cell: str) -> None:
    layer = keras_layer(cell)
    assert layer(4)(INPUT).shape == (32, 4)
    assert layer(4, return_sequences=True)(INPUT).shape == (32, 10, 4)
    sequence, *state = layer(4, return_sequences=True, return_state=True)(INPUT)
    assert sequence.shape == (32, 10, 4)
    assert [each.shape for each in state] == [(32, 4)] * (2 if cell == "lstm" else 1)
    last, *_ = layer(4, return_state=True)(INPUT)
    assert last.shape == (32, 4)


@pytest.mark.parametrize("cell", cell_names())
def test_layers_are_stacked_layers_of_keras(cell: str) -> None:
    config = ModelConfig(cell=cell, units=4, layers=3, embedding=5, dropout=0.1)
    network = build(config, 7)
    assert network.output_shape == (None, None, 7)
    recurrent = [layer for layer in network.layers if isinstance(layer, keras_layer(cell))]
    assert [layer.units for layer in recurrent] == [4, 4, 4]
    assert all(layer.return_sequences for layer in recurrent)
    stock = {keras.layers.InputLayer, keras.layers.Embedding, keras.layers.Dropout,
             keras.layers.Dense, keras_layer(cell)}  # fmt: skip
    assert {type(layer) for layer in network.layers} == stock


def test_every_further_argument_reaches_the_layer() -> None:
    options = {
        "activation": "relu",
        "recurrent_activation": "hard_sigmoid",
        "use_bias": False,
        "kernel_initializer": "he_normal",
        "recurrent_initializer": "glorot_uniform",
        "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.5}},
        "recurrent_constraint": "max_norm",
        "recurrent_dropout": 0.25,
        "reset_after": False,
    }
    network = build(ModelConfig(cell="gru", units=4, cell_options=options), 7)
    config = next(
        layer for layer in network.layers if isinstance(layer, keras_layer("gru"))
    ).get_config()
    assert config["activation"] == "relu"
    assert config["use_bias"] is False and config["reset_after"] is False
    assert config["kernel_initializer"]["class_name"] == "HeNormal"
    assert config["kernel_regularizer"]["config"]["l2"] == 0.5
    assert config["recurrent_constraint"]["class_name"] == "MaxNorm"
    assert config["recurrent_dropout"] == 0.25
    assert len(network.losses) == 1


@pytest.mark.parametrize(
    "cell, options, message",
    [
        ("lstm", {"reset_after": True}, "LSTM has no option 'reset_after'; expected one of activ"),
        ("simple_rnn", {"recurrent_activation": "tanh"}, "SimpleRNN has no option"),
        ("gru", {"activaton": "tanh"}, "GRU has no option 'activaton'"),
        ("gru", {"kwargs": 1}, "GRU has no option 'kwargs'"),
        ("lstm", {"activation": "cubic"}, "lstm does not take them: .*cubic"),
        ("lstm", {"activation": "glu"}, "lstm does not take them"),
        ("lstm", {"bias_initializer": "identity"}, "lstm does not take them"),
        ("lstm", {"kernel_initializer": "nothing"}, "lstm does not take them"),
    ],
)
def test_unknown_options_are_errors(cell: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ModelConfig(cell=cell, cell_options=options), 7)


def test_a_seed_determines_the_initial_weights() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        return build(ModelConfig(units=4), 7, seed).get_weights()

    assert all((a == b).all() for a, b in zip(weights(1), weights(1), strict=True))
    assert any((a != b).any() for a, b in zip(weights(1), weights(2), strict=True))


def test_without_a_seed_no_generator_is_seeded() -> None:
    np.random.seed(1)
    expected = np.random.random(2)
    np.random.seed(1)
    first = np.random.random()
    build(ModelConfig(units=4), 7)
    assert [first, np.random.random()] == expected.tolist()


def test_a_seed_leaves_the_generators_of_the_process_alone() -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    first = build(ModelConfig(units=4), 10, seed=7).get_weights()
    assert (random.random(), np.random.random()) == expected
    second = build(ModelConfig(units=4), 10, seed=7).get_weights()
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
