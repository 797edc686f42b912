"""Lagged tokens: what the network reads, in training and in generation."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen import Model, load, train
from seqgen.config import ModelConfig
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.lags import lagged
from seqgen.errors import ConfigError
from seqgen.inference.c_engine import CEngine
from seqgen.inference.c_engine import supports as c_supports
from seqgen.inference.keras_engine import KerasEngine
from seqgen.inference.lagged_engine import LaggedEngine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.network.build import build
from seqgen.training.batches import PieceBatches, training_batches
from seqgen.vocabulary import END, Vocabulary

LAGS = (3, 1)
VOCABULARY = Vocabulary((END, *"abcd"))
CONFIG = ModelConfig(units=32, embedding=8, lags=LAGS)


def pieces(seed: int = 0, count: int = 400) -> Corpus:
    """Pieces in which every token but the first three repeats the one three steps before."""
    random = np.random.default_rng(seed)
    rows = np.tile(random.integers(1, 5, (count, 3)), 4)
    ids = np.concatenate([rows, np.zeros((count, 1), int)], axis=1).ravel().astype(np.uint8)
    bounds = np.arange(count + 1) * 13
    return Corpus("pieces", "text", VOCABULARY, ids, bounds, network={"lags": [*LAGS]})


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.sampled_from([(1,), (2, 5), (7,)]))
def test_lagged_tokens_are_those_of_the_same_piece(ids: list[int], lags: tuple[int, ...]) -> None:
    found = lagged(np.array(ids), lags, 4)
    for t in range(len(ids)):
        expected = [ids[t]]
        for column, lag in enumerate(lags, 1):
            inside = t >= lag and 0 not in ids[t - lag : t + 1]
            expected.append((ids[t - lag] if inside else 0) + 4 * column)
        assert found[t].tolist() == expected


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.random.default_rng(0).integers(0, 4, 200)
    whole = lagged(ids, (5, 1), 4)
    monkeypatch.setattr("seqgen.corpus.lags.CHUNK", 7)
    np.testing.assert_array_equal(lagged(ids, (5, 1), 4), whole)


def test_batches_read_the_lagged_tokens_of_their_own_pieces() -> None:
    corpus = pieces()
    batches = training_batches(corpus, batch_size=4, window=16, seed=0)
    assert isinstance(batches, PieceBatches)
    for _ in range(20):
        inputs, targets, _ = next(batches)
        assert inputs.shape == (4, 16, 3) and targets.shape == (4, 16)
        assert (inputs[:, 1:, 0] == targets[:, :-1]).all()
        is_repeated = inputs[:, :, 1] != 5  # the token three steps before exists
        np.testing.assert_array_equal(inputs[is_repeated][:, 1] - 5, inputs[is_repeated][:, 0])


def test_the_position_in_the_batches_is_restored() -> None:
    corpus = pieces()
    batches, others = (training_batches(corpus, 4, 16, seed) for seed in (0, 1))
    next(batches)
    others.load_state_dict(batches.state_dict())
    for expected, found in zip(next(batches), next(others), strict=True):
        np.testing.assert_array_equal(expected, found)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_engines_agree_with_keras_over_a_sequence(cell: str) -> None:
    config = ModelConfig(cell=cell, units=32, embedding=8, layers=2, lags=LAGS)
    network = build(config, len(VOCABULARY), seed=0)
    weights = network.get_weights()
    ids = pieces().ids[: 2 * 26].reshape(2, 26).astype(int)
    rows = [lagged(row, LAGS, len(VOCABULARY)) for row in ids]
    expected = network.predict(np.stack(rows), verbose=0)  # (2, T, V)
    engines = [NumpyEngine(config, weights), KerasEngine(config, weights)]
    if c_supports(config):
        engines.append(CEngine(config, weights))
    for inner in engines:
        engine = LaggedEngine(inner, config, len(VOCABULARY))
        state = engine.initial_state(2)
        tolerance = 0.02 if isinstance(inner, CEngine) else 1e-4  # its weights are int8
        for t, column in enumerate(ids.T):
            logits, state = engine.step(column, state)
            np.testing.assert_allclose(logits, expected[:, t], atol=tolerance)
            if t == 5:  # a gathered state continues as its stream does
                state = engine.gather_state(state, np.array([0, 1]))


def test_a_network_with_lags_trains_is_saved_and_continues(tmp_path: Path) -> None:
    """Without reading three steps back, one window of two tokens could not learn the repetition."""
    corpus = pieces()
    options = {"units": 32, "embedding": 8, "batch_size": 8, "window": 2, "dropout": 0}
    options |= {"precision": "float32"}  # not the one that is the fastest at the moment
    model = train(corpus, epochs=8, learning_rate=0.02, **options)
    assert model.data.model_config.lags == LAGS
    assert model.data.scores["validation_loss"] < (3 * np.log(4) + 1) / 13
    model.save(tmp_path / "lags.keras")
    loaded = load(tmp_path / "lags.keras")
    assert isinstance(loaded, Model) and loaded.data.model_config.lags == LAGS
    for saved, read in zip(model.data.weights, loaded.data.weights, strict=True):
        np.testing.assert_array_equal(saved, read)
    further = train(pieces(seed=1), epochs=0.1, base=loaded, **options)
    assert further.data.scores["validation_loss"] < (3 * np.log(4) + 2) / 13


def test_keras_alone_opens_the_file(tmp_path: Path) -> None:
    import keras

    network = build(CONFIG, len(VOCABULARY), seed=0)
    network.save(tmp_path / "n.keras")
    other = keras.models.load_model(tmp_path / "n.keras")
    inputs = lagged(pieces().ids[:26], LAGS, len(VOCABULARY))[None]
    np.testing.assert_array_equal(
        network.predict(inputs, verbose=0), other.predict(inputs, verbose=0)
    )


@pytest.mark.parametrize("lags", [(0,), (1.5,), ("a",), tuple(range(1, 99))])
def test_lags_out_of_range_are_an_error(lags: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="lags"):
        ModelConfig(lags=lags)
