"""Reading that learns: what it predicts before and after, and that it never learns too early."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seqgen.adaptation import adapt as adaptation
from seqgen.adaptation.adapt import RATES, AdaptableModel, adapt, adaptive_losses
from seqgen.adaptation.reader import SEGMENT, AdaptiveReader, Losses, segments
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


def read(mixed: Mixture | None, ids: np.ndarray, rate: float = 0.3) -> np.ndarray:
    """The losses of a reader from `FIRST` on."""
    reader = AdaptiveReader(CONFIG, weights(), mixed, rate)
    reader.warm_up(ids[: FIRST - 1])
    return Losses.joined(reader.read(segment) for segment in segments(ids, FIRST)).model


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


def adaptable(mixed: Mixture | None) -> AdaptableModel:
    return AdaptableModel(CONFIG, weights(), mixed)


@pytest.mark.parametrize("mixed", [None, mixture(), mixture(BARS)])
def test_a_text_in_another_voice_is_predicted_better_than_without(mixed: Mixture | None) -> None:
    model = adaptable(mixed)
    found = adapt(model, OTHER, 1)
    assert found.is_useful and found.after < found.before - 0.25
    assert (found.tokens, found.checked) == (len(OTHER) - 1, len(OTHER) - 1 - 18 * SEGMENT)
    static = read(mixed, OTHER, rate=0)
    assert found.before == pytest.approx(static[-found.checked :].mean(), abs=1e-4)
    again = [found.reader.read(segment, learns=False) for segment in segments(OTHER, 1)]
    assert Losses.joined(again).model.mean() < static.mean() - 0.25
    changed = found.reader.network.weights()
    assert all((a == b).all() for a, b in zip(model.weights, weights(), strict=True))
    assert not any((a == b).all() for a, b in zip(changed, weights(), strict=True))


def test_what_was_not_learned_decides() -> None:
    """The first part of this text can be learned, but says nothing about the next one."""
    text = np.concatenate((OTHER[: 30 * SEGMENT], np.tile([7, 8], 6 * SEGMENT)))
    learned = adaptive_losses(adaptable(None), text, 1).model[: 30 * SEGMENT]
    assert learned.mean() < read(None, text, rate=0)[: 30 * SEGMENT].mean() - 0.5
    found = adapt(adaptable(None), text, 1)
    assert not found.is_useful and found.after == found.before
    assert found.summary("token").endswith("the model stays as it is")
    for before, after in zip(weights(), found.reader.network.weights(), strict=True):
        assert (before == after).all()


@pytest.mark.parametrize("rates", [(30.0,), (1e9,)])
def test_a_rate_that_harms_is_not_used(
    rates: tuple[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate that is too high destroys the network, or makes it NaN."""
    monkeypatch.setattr(adaptation, "RATES", rates)
    ids = np.random.default_rng(5).integers(0, SIZE, 40 * SEGMENT)
    with np.errstate(all="ignore"):
        assert not adapt(adaptable(None), ids, 1).is_useful
        adaptive = adaptive_losses(adaptable(None), ids, 1)
    static = read(None, ids, rate=0)
    assert adaptive.model[FIRST - 1 :] == pytest.approx(static, abs=0.1)


@pytest.mark.parametrize("length", [2, 3, SEGMENT, 2 * SEGMENT])
def test_a_short_text_is_read_too(length: int) -> None:
    found = adapt(adaptable(mixture()), OTHER[:length], 1)
    assert found.tokens == length - 1 and np.isfinite(found.after)
    assert len(adaptive_losses(adaptable(mixture()), OTHER[:length], 1).model) == length - 1


def test_adaptive_losses_are_at_most_those_without() -> None:
    for mixed in (None, mixture()):
        adaptive = adaptive_losses(adaptable(mixed), OTHER, 1)
        static = read(mixed, OTHER, rate=0)
        assert adaptive.model[FIRST - 1 :].mean() < static.mean() - 0.25
        assert adaptive.model[-80:].mean() < adaptive.model[:80].mean()


def test_after_the_trial_only_the_best_rate_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adaptation, "TRIAL", 8 * SEGMENT)
    rates: list[float] = []
    step = AdaptiveReader.read
    monkeypatch.setattr(
        AdaptiveReader, "read", lambda self, ids: rates.append(self.rate) or step(self, ids)
    )
    losses = adaptive_losses(adaptable(None), OTHER[: 20 * SEGMENT + 1], 1)
    assert rates[:32] == 8 * [0, *RATES]
    assert len(rates) == 32 + 12 and len(set(rates[32:])) == 1 and rates[32]
    assert len(losses.model) == 20 * SEGMENT


def test_a_frozen_mixture_predicts_what_the_adapted_one_does() -> None:
    small = replace(mixture(), tree=count(IDS[:60], SIZE, order=ORDER))
    reader = AdaptiveReader(CONFIG, weights(), small, 0.3)
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
