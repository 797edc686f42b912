"""Mixed probabilities: their definition, their sum, and C against NumPy."""

import dataclasses

import numpy as np
import pytest

from seqgen.mixing.c_mixture import CMixture
from seqgen.mixing.growing_tree import GrowingTree
from seqgen.mixing.mixture import (
    DISCOUNT,
    Mixture,
    Weights,
    feature_count,
    table_sizes,
)
from seqgen.mixing.repeats import HISTORY, LONGEST, Bars, Repeats
from seqgen.mixing.tree import count
from seqgen.utils.softmax import log_softmax
from tests.conftest import compiled

SIZE, ORDER, END, BAR = 9, 4, 8, 7
BARS = Bars(np.array([0, 0, 1, 2, 3, 0, 0, 0, 0], np.int32), np.arange(SIZE) == BAR)
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, SIZE, 3000)
IDS[500:900] = IDS[100:500]  # long matches
KINDS = [(bars, end_id) for bars in (None, BARS) for end_id in (None, END)]


def mixture(bars: Bars | None = None, end_id: int | None = None, scale: float = 0.3) -> Mixture:
    """A mixture with random weights."""
    repeats, random = Repeats(bars, end_id), np.random.default_rng(1)
    features = feature_count(ORDER, repeats.count)

    def numbers(*shape: int) -> np.ndarray:
        return random.normal(0, scale, shape).astype(np.float32)

    tables = tuple(numbers(rows, features) for rows in table_sizes(ORDER, repeats.count))
    weights = Weights(numbers(features), tables, numbers(repeats.count, LONGEST + 1))
    return Mixture(count(IDS, SIZE, order=ORDER, end_id=end_id), repeats, SIZE, weights)


def logits(streams: int) -> np.ndarray:
    return RANDOM.normal(0, 2, (streams, SIZE)).astype(np.float32)


@compiled
@pytest.mark.parametrize("strength", [0, 1, 1.7])
@pytest.mark.parametrize(("bars", "end_id"), KINDS)
def test_c_agrees_with_numpy(bars: Bars | None, end_id: int | None, strength: float) -> None:
    reference = mixture(bars, end_id)
    fast = CMixture(reference)
    state, fast_state = reference.initial(3), fast.initial(3)
    for step in range(150):
        ids, network = IDS[[step, step + 300, step + 600]], logits(3)
        expected, state = reference.step(network, ids, state, strength)
        found, fast_state = fast.step(network, ids, fast_state, strength)
        assert np.abs(found - expected).max() < 1e-5
        assert all((a == b).all() for a, b in zip(state, fast_state, strict=True))


@pytest.mark.parametrize(("bars", "end_id"), KINDS)
def test_probabilities_sum_to_one(bars: Bars | None, end_id: int | None) -> None:
    mixed = mixture(bars, end_id, scale=2)
    state = mixed.initial(2)
    for step in range(100):
        log_p, state = mixed.step(logits(2) * 10, IDS[[step, step + 300]], state)
        assert np.abs(np.exp(log_p.astype(float)).sum(axis=1) - 1).max() < 1e-6


def test_initial_weights_give_the_network() -> None:
    mixed = mixture()
    start = Mixture(mixed.tree, mixed.repeats, SIZE, Weights.initial(ORDER, 1))
    network, state = logits(1), start.initial(1)
    for token in IDS[:50]:
        log_p, state = start.step(network, np.array([token]), state)
        assert log_p == pytest.approx(log_softmax(network.astype(float)), abs=1e-6)


def test_features_of_ngrams_are_interpolated_absolute_discounting() -> None:
    mixed = mixture()
    weights = Weights.initial(ORDER, 1)
    weights.base[:] = [0, *[1] * (ORDER + 1), 0]  # the n-grams of the highest order alone
    ngrams = Mixture(mixed.tree, mixed.repeats, SIZE, weights)
    tree, state = ngrams.tree, ngrams.initial(1)
    for token in IDS[:50]:
        log_p, state = ngrams.step(logits(1), np.array([token]), state)
        p = np.full(SIZE, 1 / SIZE)
        for node in state[0][0]:
            children = tree.children(node) if node >= 0 else slice(0)
            if children.start == children.stop:
                continue
            excess = np.zeros(SIZE)
            excess[tree.tokens[children]] = tree.counts[children] - DISCOUNT
            total = tree.counts[children].sum()
            total = max(total, tree.counts[node])  # followers that are not counted
            p = (excess + (total - excess.sum()) * p) / total
        assert np.exp(log_p[0].astype(float)) == pytest.approx(p, rel=1e-4)


def test_strength_zero_ignores_what_the_sequence_has_had() -> None:
    mixed, network = mixture(BARS), logits(1)
    state = mixed.initial(1)
    for token in IDS[:100]:
        state = mixed.read(state, np.array([token]))
    forgotten = state[0], mixed.repeats.initial(1)
    without = mixed.log_probabilities(network, state, strength=0)
    assert (without == mixed.log_probabilities(network, forgotten)).all()
    assert (without != mixed.log_probabilities(network, state)).any()


@compiled
def test_c_agrees_with_numpy_on_a_history_that_is_full() -> None:
    """Matches of more than `LONGEST` tokens, and tokens that are too old to be searched."""
    reference = mixture(BARS)
    fast, state = CMixture(reference), reference.initial(1)
    fast_state, longest = state, 0
    for token in IDS[: HISTORY + 200]:
        state = reference.read(state, np.array([token]))
        fast_state = fast.read(fast_state, np.array([token]))
        assert all((a == b).all() for a, b in zip(state, fast_state, strict=True))
        longest = max(longest, int(reference.repeats.confidences(state[1])[0, 0]))
    assert longest == LONGEST and state[1][0, 0] == HISTORY


@compiled
def test_c_refuses_weights_and_bars_of_other_shapes() -> None:
    good = mixture(BARS)
    weights = good.weights
    for wrong in (
        dataclasses.replace(good, vocabulary_size=SIZE + 1),
        dataclasses.replace(good, weights=dataclasses.replace(weights, base=weights.base[1:])),
        dataclasses.replace(
            good, weights=dataclasses.replace(weights, tables=weights.tables[1:] * 2)
        ),
        dataclasses.replace(good, repeats=Repeats(None, None)),
        dataclasses.replace(good, tree=GrowingTree(good.tree, None)),
    ):
        with pytest.raises(ValueError, match="expected a tree, weights and bars of shapes"):
            CMixture(wrong)


@compiled
def test_c_refuses_arguments_out_of_range() -> None:
    fast = CMixture(mixture())
    state, one = fast.initial(1), np.array([1])
    for token in (-1, SIZE):
        with pytest.raises(ValueError, match="argument is out of range"):
            fast.step(logits(1), np.array([token]), state)
    with pytest.raises(ValueError, match="expected logits and states"):
        fast.step(logits(2), one, state)
    with pytest.raises(ValueError, match="expected logits and states"):
        fast.step(logits(1), one, fast.initial(2))
    with pytest.raises(ValueError, match="expected states of int64"):
        fast.step(logits(1), one, (state[0].astype(np.int32), state[1]))
    first_token = 4 + 2 * fast.mixture.repeats.count  # in the state of `Repeats`
    agreeing = first_token + HISTORY
    for part, column, number in (
        (0, 1, 10**6), (0, 1, -2), (1, 0, 10**6), (1, 2, 2**31 - 1), (1, 3, -1),
        (1, first_token, -5), (1, agreeing, LONGEST + 1), (1, agreeing + 1, -1),
    ):  # fmt: skip
        damaged = state[0].copy(), state[1].copy()
        damaged[part][0, column] = number
        with pytest.raises(ValueError, match="argument is out of range"):
            fast.step(logits(1), one, damaged)
