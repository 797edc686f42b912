import itertools

import numpy as np
import pytest

from seqgen.backend import keras
from seqgen.config import CELLS, ModelConfig
from seqgen.errors import ConfigError
from seqgen.network import LAYERS, Chance, build, forward, initial_state, is_fast

INPUT = np.random.default_rng(0).normal(size=(32, 10, 8)).astype(np.float32)


@pytest.mark.parametrize("cell", CELLS)
def test_the_shapes_that_keras_documents(cell: str) -> None:
    layer = LAYERS[cell]
    assert layer(4)(INPUT).shape == (32, 4)
    assert layer(4, return_sequences=True)(INPUT).shape == (32, 10, 4)
    sequence, *state = layer(4, return_sequences=True, return_state=True)(INPUT)
    assert sequence.shape == (32, 10, 4)
    assert [each.shape for each in state] == [(32, 4)] * (2 if cell == "lstm" else 1)
    last, *_ = layer(4, return_state=True)(INPUT)
    assert last.shape == (32, 4)


@pytest.mark.parametrize("cell", CELLS)
def test_layers_are_stacked_and_stock(cell: str) -> None:
    config = ModelConfig(cell=cell, units=4, layers=3, embedding=5, dropout=0.1)
    network = build(config, 7)
    assert network.output_shape == (None, None, 7)
    recurrent = [layer for layer in network.layers if isinstance(layer, LAYERS[cell])]
    assert [layer.units for layer in recurrent] == [4, 4, 4]
    assert all(layer.return_sequences for layer in recurrent)
    stock = {keras.layers.InputLayer, keras.layers.Embedding, keras.layers.Dropout,
             keras.layers.Dense, LAYERS[cell]}  # fmt: skip
    assert {type(layer) for layer in network.layers} == stock


@pytest.mark.parametrize("embedding", [5, 9], ids=["narrow", "wide"])
@pytest.mark.parametrize("cell", CELLS)
def test_state_carries_over_from_window_to_window(cell: str, embedding: int) -> None:
    network = build(ModelConfig(cell=cell, units=4, layers=2, embedding=embedding), 7)
    ids = np.random.default_rng(0).integers(0, 7, (3, 12))
    first, state = forward(network, ids[:, :5], initial_state(network, 3))
    second, _ = forward(network, ids[:, 5:], state)
    whole, _ = forward(network, ids, initial_state(network, 3))
    np.testing.assert_allclose(np.concatenate((first, second), 1), whole, atol=1e-6)
    np.testing.assert_allclose(whole, network(ids), atol=1e-6)


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
        layer for layer in network.layers if isinstance(layer, LAYERS["gru"])
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
def test_options_that_the_layer_does_not_take(
    cell: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ModelConfig(cell=cell, cell_options=options), 7)


def test_a_seed_decides_the_first_weights() -> None:
    def weights(seed: int) -> list[np.ndarray]:
        return build(ModelConfig(units=4), 7, seed).get_weights()

    assert all((a == b).all() for a, b in zip(weights(1), weights(1), strict=True))
    assert any((a != b).any() for a, b in zip(weights(1), weights(2), strict=True))


def test_without_a_seed_nobody_s_random_numbers_change() -> None:
    np.random.seed(1)
    expected = np.random.random(2)
    np.random.seed(1)
    first = np.random.random()
    build(ModelConfig(units=4), 7)
    assert [first, np.random.random()] == expected.tolist()


def test_what_is_dropped_is_a_share_and_differs_from_place_to_place() -> None:
    masks = [
        Chance(seed, number).mask((200, 200), 0.3, place).numpy()
        for seed, number, place in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2**32 - 1, 9, 3)]
    ]
    for mask in masks:
        assert (mask == 0).mean() == pytest.approx(0.3, abs=0.02)
        assert mask.max() == pytest.approx(256 / (256 - 77))  # 0.3 to the nearest of 256 parts
        assert mask.mean() == pytest.approx(1, abs=0.02)
    together = [np.mean((a == 0) & (b == 0)) for a, b in itertools.combinations(masks, 2)]
    assert together == pytest.approx([0.09] * 10, abs=0.02)
    again = Chance(0, 0).mask((200, 200), 0.3, 0).numpy()
    assert (masks[0] == again).all()
    assert (Chance(0, 0).mask((3, 33), 0.001, 0).numpy() == 1).all()
    assert np.isfinite(Chance(0, 0).mask((3, 33), 0.999, 0).numpy()).all()


def test_dropout_is_for_training_and_recurrent_weights_are_dropped_for_a_whole_window() -> None:
    network = build(ModelConfig(units=32, layers=2, dropout=0.5), 7, seed=0)
    ids, state = np.zeros((2, 40), int), initial_state(network, 2)
    plain, _ = forward(network, ids, state)
    dropped, _ = forward(network, ids, state, chance=Chance(0, 0))
    assert np.abs(dropped - plain).max() > 0.01
    bare = build(ModelConfig(units=32), 7, seed=0)
    plain, _ = forward(bare, ids, initial_state(bare, 2))
    one, _ = forward(bare, ids, initial_state(bare, 2), chance=Chance(0, 0, 0.5))
    assert np.abs(one - plain).max() > 0.001
    # One mask for all steps and streams: with equal ids the outputs settle, and are alike.
    np.testing.assert_allclose(one[0], one[1], atol=1e-6)
    assert np.abs(one[:, -1] - one[:, -2]).max() < np.abs(one[:, 1] - one[:, 0]).max() / 10


@pytest.mark.parametrize("cell", CELLS)
def test_low_precision_is_nearly_the_same(cell: str) -> None:
    network = build(ModelConfig(cell=cell, units=32, layers=2), 7, seed=0)
    ids = np.random.default_rng(0).integers(0, 7, (3, 20))
    exact, states = forward(network, ids, initial_state(network, 3))
    for precision in ("bfloat16", "float16"):
        near, near_states = forward(network, ids, initial_state(network, 3), precision=precision)
        assert near.dtype == exact.dtype
        assert 1e-7 < np.abs(near - exact).max() < 0.02
        assert all(np.abs(a - b).max() < 0.02 for a, b in zip(states, near_states, strict=True))


def test_fast_layers_are_those_with_the_usual_activations() -> None:
    assert all(is_fast(ModelConfig(cell=cell)) for cell in CELLS)
    assert is_fast(ModelConfig(cell="gru", cell_options={"reset_after": False}))
    assert not is_fast(ModelConfig(cell_options={"recurrent_dropout": 0.1}))
    assert not is_fast(ModelConfig(cell_options={"activation": "cubic"}))
