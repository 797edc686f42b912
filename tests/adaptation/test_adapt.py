"""Reading that learns: what it predicts before and after, and that it never learns too early."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seqgen.adaptation import adapt as adaptation
from seqgen.adaptation.adapt import RATES, adapt
from seqgen.adaptation.reader import SEGMENT, AdaptiveReader
from seqgen.config import ModelConfig
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.mixing.engine import MixedEngine
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.tree import count
from seqgen.types import Floats
from seqgen.utils.softmax import log_softmax
from tests.mixing.test_mixture import BARS, IDS, KINDS, ORDER, SIZE, mixture

CONFIG = ModelConfig("gru", units=6, embedding=4, layers=2)
FIRST = 5
OTHER = np.tile([3, 1, 4, 1, 5, 2, 6, 0], 100)  # unlike `IDS`, which are random


def weights() -> list[Floats]:
    random = np.random.default_rng(2)
    shapes = [shape for shapes in CONFIG.weight_shapes(SIZE) for shape in shapes]
    return [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]


def static_losses(mixed: Mixture | None, ids: np.ndarray) -> np.ndarray:
    """The losses from `FIRST` on, through the engines of generation."""
    engine = NumpyEngine(CONFIG, weights())
    engine = engine if mixed is None else MixedEngine(engine, mixed)
    state, losses = engine.initial_state(1), []
    for token, target in pairwise(ids):
        logits, state = engine.step(np.array([token]), state)
        losses.append(-log_softmax(logits[0])[target])
    return np.array(losses)[FIRST - 1 :]


def read(mixed: Mixture | None, ids: np.ndarray, rate: float = 0.01) -> np.ndarray:
    """The losses of a reader from `FIRST` on."""
    reader = AdaptiveReader(CONFIG, weights(), mixed, rate)
    reader.warm_up(ids[: FIRST - 1])
    starts = range(FIRST - 1, len(ids) - 1, SEGMENT)
    return np.concatenate([reader.read(ids[s : s + SEGMENT + 1]).model for s in starts])


MIXTURES = [None, *(mixture(*kind) for kind in KINDS)]


@pytest.mark.parametrize("mixed", MIXTURES)
def test_without_learning_the_losses_are_those_of_the_engines(mixed: Mixture | None) -> None:
    ids = IDS[:150]
    assert read(mixed, ids, rate=0) == pytest.approx(static_losses(mixed, ids), abs=1e-4)


@pytest.mark.parametrize("mixed", MIXTURES)
def test_the_first_segment_is_scored_before_anything_is_learned(mixed: Mixture | None) -> None:
    ids = IDS[:150]
    found, expected = read(mixed, ids), static_losses(mixed, ids)
    assert found[:SEGMENT] == pytest.approx(expected[:SEGMENT], abs=1e-4)
    assert abs(found[SEGMENT:] - expected[SEGMENT:]).max() > 1e-3  # the second one is not


@pytest.mark.parametrize("mixed", MIXTURES)
def test_a_token_is_scored_before_it_is_learned(mixed: Mixture | None) -> None:
    """Whatever token comes, the probabilities of all that could have come sum to 1, and those of
    the tokens before it are the same: none of them was known."""
    ids = IDS[: FIRST + 3 * SEGMENT].copy()  # ends with a segment
    for position in (len(ids) - 1, len(ids) - SEGMENT // 2, FIRST + SEGMENT):
        last = []
        for token in range(SIZE):
            ids[position] = token
            losses = read(mixed, ids)
            last.append(losses[: position - FIRST + 1])
        assert np.ptp(np.array(last)[:, :-1], axis=0).max(initial=0) == 0
        assert np.exp(-np.array(last)[:, -1]).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("mixed", [None, mixture(), mixture(BARS)])
def test_a_text_in_another_voice_is_predicted_better_than_without(mixed: Mixture | None) -> None:
    given, network = weights(), weights()
    found = adapt(CONFIG, network, mixed, OTHER, 1)
    static = adapt_without(mixed, OTHER)
    assert found.is_useful
    assert found.losses.model.mean() < static.mean() - 0.25
    assert found.losses.model[-80:].mean() < found.losses.model[:80].mean()
    assert found.trial.model == pytest.approx(static)
    changed = found.reader.network.weights()
    assert all((a == b).all() for a, b in zip(network, given, strict=True))
    assert not any((a == b).all() for a, b in zip(changed, given, strict=True))


def adapt_without(mixed: Mixture | None, ids: np.ndarray) -> np.ndarray:
    reader = AdaptiveReader(CONFIG, weights(), mixed, 0)
    return np.concatenate(
        [reader.read(ids[s : s + SEGMENT + 1]).model for s in range(0, len(ids) - 1, SEGMENT)]
    )


def test_a_rate_that_harms_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random tokens hold nothing to learn; a rate of 1 destroys the network."""
    monkeypatch.setattr(adaptation, "RATES", (0.0, 1.0))
    ids = np.random.default_rng(5).integers(0, SIZE, 40 * SEGMENT)
    found = adapt(CONFIG, weights(), None, ids, 1)
    assert not found.is_useful
    static = adapt_without(None, ids)
    assert found.losses.model == pytest.approx(static)


def test_after_the_trial_only_the_best_rate_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "TRIAL", 8 * SEGMENT)
    steps: list[float] = []
    step = AdaptiveReader.read
    monkeypatch.setattr(
        AdaptiveReader, "read", lambda self, ids: steps.append(self.rate) or step(self, ids)
    )
    found = adapt(CONFIG, weights(), None, OTHER[: 20 * SEGMENT + 1], 1)
    assert steps[: 8 * len(RATES)] == 8 * list(RATES)
    assert steps[8 * len(RATES) :] == 12 * [found.reader.rate]
    assert len(found.trial.model) == 8 * SEGMENT
    assert len(found.losses.model) == 20 * SEGMENT


def test_a_frozen_mixture_predicts_what_the_adapted_one_does() -> None:
    small = replace(mixture(), tree=count(IDS[:60], SIZE, order=ORDER))
    reader = AdaptiveReader(CONFIG, weights(), small, 0.01)
    reader.read(OTHER[:60])  # counts up to 127 are exact
    learned = reader.mixture
    assert learned is not None
    frozen = replace(small, tree=learned.tree.frozen(10**6), weights=learned.weights)
    grown = replace(small, tree=learned.tree, weights=learned.weights)
    logits = np.random.default_rng(3).normal(size=(1, SIZE)).astype(np.float32)
    states = [each.initial(1) for each in (frozen, grown)]
    for token in OTHER[:50]:
        results = [
            each.step(logits, np.array([token]), state)
            for each, state in zip((frozen, grown), states, strict=True)
        ]
        (one, other), states = zip(*results, strict=True)
        assert abs(one - other).max() < 1e-5
