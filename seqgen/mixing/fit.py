"""Fits the weights of a mixture on text that neither the network nor the n-grams have seen.

The loss -Σ_t log p(x_t) is convex in the weights. Newton's method minimises it with a quadratic
penalty, first for the vector of all places, then for each row of each table in turn, the others
fixed (block coordinate descent). With the features f (V, F) and the probabilities p of a place,

    gradient = Σ_t (Σ_w p(w) f(w) - f(x_t)) + penalty
    Hessian = Σ_t (Σ_w p(w) f(w) f(w)ᵀ - f̄ f̄ᵀ) + penalty,  f̄ = Σ_w p(w) f(w)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqgen.corpus.streams import StreamWindows
from seqgen.inference.engine import Engine
from seqgen.mixing import c_mixture
from seqgen.mixing.c_mixture import CMixture
from seqgen.mixing.mixture import Mixture, Weights, feature_count, weights_at
from seqgen.mixing.repeats import HISTORY, LONGEST
from seqgen.types import Floats, Ids
from seqgen.utils.softmax import log_softmax

MAX_NUMBERS = 24_000_000  # of the features of all places
MOST_STREAMS, MIN_STREAM = 8, 500  # parallel streams, and tokens of each
CHUNK = 256  # places whose features are computed at once
# Factors of the penalties: of the vector of all places, and of tables for the network and n-grams,
# and for suggestions.
PENALTY, TABLE_PENALTY, SUGGESTION_PENALTY = 1.0, 20.0, 3.0
ROUNDS, STEPS = 2, 6  # of the tables, and Newton's at most
SMALLEST_STEP = 1 / 64
GAIN = 1e-3  # nats per square root of a place, below which another step does not pay


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of `fit`."""

    weights: Weights
    places: int  # number of tokens on which they were fitted
    network_loss: float  # nats per token there, of the network alone
    loss: float  # of the mixture


@dataclass(frozen=True, eq=False)
class Places:
    """Places at which the next token is known."""

    features: npt.NDArray[np.float32]  # (T, V, F)
    targets: Ids  # (T,), the tokens that follow
    rows: Ids  # (T, tables)

    def select(self, chosen: npt.NDArray[np.bool_]) -> Places:
        """Some of the places."""
        return Places(self.features[chosen], self.targets[chosen], self.rows[chosen])


def most_places(vocabulary_size: int, features: int) -> int:
    """The number of places that a fit can use."""
    return MAX_NUMBERS // (vocabulary_size * features)


def fit(mixture: Mixture, engine: Engine, ids: Ids, first: int) -> Fit | None:
    """Fit the weights of a mixture.

    Args:
        mixture: with initial weights.
        engine: the network.
        ids: `(N,)`; those before `first` are context.
        first: position of the first id that neither the network nor `mixture.tree` has seen.

    Returns:
        None if the loss is not lower than that of the network, such as one that diverged.
    """
    places, evidence = _collect(mixture, engine, ids, first)
    count = len(places.targets)
    if not np.isfinite(places.features).all():
        return None
    base, tables = _descend(places, mixture.weights)
    weights = Weights(base, tables, evidence)
    scores = np.einsum("tvf,tf->tv", places.features, weights.at(places.rows))
    loss = -float(log_softmax(scores)[np.arange(count), places.targets].mean())
    network_loss = -float(places.features[np.arange(count), places.targets, 0].mean())
    return Fit(weights, count, network_loss, loss) if loss < network_loss else None


def _collect(
    mixture: Mixture, engine: Engine, ids: Ids, first: int
) -> tuple[Places, npt.NDArray[np.float32]]:
    """The features of all places from `first` on, at most `most_places`, and the evidence."""
    suggestions = mixture.repeats.count
    size = feature_count(mixture.tree.order, suggestions)
    count = min(len(ids) - first, most_places(mixture.vocabulary_size, size))
    logits = np.empty((count, mixture.vocabulary_size), np.float32)
    contexts = np.empty((count, mixture.tree.order + 1), np.int64)
    suggested, confidence = np.empty((2, count, suggestions), np.int32)
    reader = CMixture(mixture) if c_mixture.is_available() else mixture
    streams = max(1, min(MOST_STREAMS, count // MIN_STREAM))
    network_state, state = engine.initial_state(streams), mixture.initial(streams)
    for window in StreamWindows(ids, first, count, streams, window=1, warm_up=HISTORY):
        inputs, scored = window.inputs[:, 0].astype(np.int64), window.is_scored[:, 0]
        found, network_state = engine.step(inputs, network_state)
        state = reader.read(state, inputs)
        places = window.positions[scored, 0] - first
        logits[places], contexts[places] = found[scored], state[0][scored]
        suggested[places] = mixture.repeats.suggestions(state[1])[scored]
        confidence[places] = mixture.repeats.confidences(state[1])[scored]
    features = np.empty((count, mixture.vocabulary_size, size), np.float32)
    rows = []
    for start in range(0, count, CHUNK):
        here = slice(start, start + CHUNK)
        features[here], found_rows = mixture.features(
            logits[here], contexts[here], suggested[here], confidence[here]
        )
        rows.append(found_rows)
    targets = np.asarray(ids[first : first + count]).astype(np.int64)
    evidence = _evidence(features, targets, confidence)
    features[:, :, -suggestions:] *= evidence[np.arange(suggestions), confidence][:, None]
    return Places(features, targets, np.concatenate(rows)), evidence


def _evidence(features: Floats, targets: Ids, confidences: Ids) -> npt.NDArray[np.float32]:
    """g_j(k), see `seqgen.mixing.mixture`: `(J, LONGEST + 1)`.

    Args:
        features: `(T, V, F)`, with 1 as evidence of every suggestion.
        targets: the tokens that follow `(T,)`.
        confidences: of the suggestions, `(T, J)`.

    Half a suggestion that is right is added to each number of suggestions, and half to what the
    network expects, of one more.
    """
    count = confidences.shape[1]
    evidence = np.zeros((count, LONGEST + 1), np.float32)
    for j in range(count):
        suggested = features[:, :, j - count] > 0  # (T, V)
        places = suggested.any(axis=1)
        tokens = suggested[places].argmax(axis=1)
        k = confidences[places, j]
        right = np.bincount(k, tokens == targets[places], LONGEST + 1)
        expected = np.bincount(k, np.exp(features[places, tokens, 0]), LONGEST + 1)
        total = np.bincount(k, minlength=LONGEST + 1)
        evidence[j] = _log_odds(right, total) - _log_odds(expected, total)
    return evidence


def _log_odds(right: Floats, total: Ids) -> Floats:
    return np.asarray(np.log((right + 0.5) / (total - right + 0.5)))


def _descend(places: Places, start: Weights) -> tuple[Floats, tuple[Floats, ...]]:
    """The weights of all places, and the tables."""
    penalty = np.full(len(start.base), TABLE_PENALTY)
    penalty[-len(start.evidence) :] = SUGGESTION_PENALTY
    base = _newton(places, np.zeros(1), start.base, start.base, np.full(len(penalty), PENALTY))
    tables = tuple(table.astype(np.float64) for table in start.tables)
    for _ in range(ROUNDS):
        for number, table in enumerate(tables):
            others = weights_at(base, tables, places.rows) - table[places.rows[:, number]]  # (T, F)
            for row in np.unique(places.rows[:, number]):
                chosen = places.rows[:, number] == row
                table[row] = _newton(
                    places.select(chosen), others[chosen], table[row], np.zeros(1), penalty
                )
    return base.astype(np.float32), tuple(table.astype(np.float32) for table in tables)


def _newton(
    places: Places, others: Floats, start: Floats, centre: Floats, penalty: Floats
) -> Floats:
    """The vector `(F,)` that, added to `others`, minimises the loss of places.

    Args:
        places: the places.
        others: the sum of the other vectors, `(T, F)`.
        start: where to start, `(F,)`.
        centre: of the penalty.
        penalty: its factors `(F,)`.
    """
    features, targets = places.features, places.targets
    count, _, size = features.shape
    fixed = np.zeros(1) if not others.any() else np.einsum("tvf,tf->tv", features, others)
    flat = features.reshape(-1, size)
    theta = start.astype(np.float64)

    def evaluate(theta: Floats) -> tuple[float, Floats]:
        """The loss with the penalty, and log p `(T, V)`."""
        log_p = log_softmax(features @ theta.astype(np.float32) + fixed)
        loss = -log_p[np.arange(count), targets].sum(dtype=np.float64)
        return float(loss + (penalty * (theta - centre) ** 2).sum() / 2), log_p

    loss, log_p = evaluate(theta)
    for _ in range(STEPS):
        p = np.exp(log_p, dtype=np.float32)
        mean = (p[:, None, :] @ features)[:, 0]  # (T, F)
        gradient = (mean - features[np.arange(count), targets]).sum(axis=0, dtype=np.float64)
        gradient += penalty * (theta - centre)
        hessian = (flat * p.reshape(-1, 1)).T @ flat - mean.T @ mean
        direction = np.linalg.solve(hessian + np.diag(penalty), gradient)
        step = 1.0
        while (found := evaluate(theta - step * direction))[0] > loss and step > SMALLEST_STEP:
            step /= 2
        if found[0] > loss:
            break
        gain, (loss, log_p) = loss - found[0], found
        theta = theta - step * direction
        if gain < GAIN * count**0.5:
            break
    return theta
