"""The mixture of a network, of counted n-grams and of what a sequence repeats.

The probability of a token w is

    p(w) ∝ exp(Σ_i θ_i f_i(w))

with the features

    f_0 = log p_network(w)
    f_1 = log p_0(w)
    f_(1+n) = log(p_n(w) / p_(n-1)(w)) + a constant,  n = 1 … order
    f_(2+order+j) = [w is suggestion j] g_j(confidence),  see `seqgen.mixing.repeats`

so that the n-grams of all orders and the network are mixed geometrically. p_n is interpolated with
absolute discounting (Ney, Essen and Kneser 1994): with the count c(hw) of w after the context h of
the last n tokens,

    p_n(w) = (max(c(hw) - D, 0) + E p_(n-1)(w)) / C,  E = C - Σ_w max(c(hw) - D, 0)

where C is the count of h, and p_(-1) is uniform. For a token that has not followed h, the feature
is 0 with the constant log(C / E); for others it is log(1 + (c(hw) - D) / (E p_(n-1)(w))). Contexts
that the tree does not hold give 0 for all tokens.

g_j(k) is what suggestion j with confidence k says beyond the network: the log-odds of its being
right, less the log-odds that the network gives it on average.

The weights θ depend on the place: they are the sum of one vector for all places and one of each
table, selected by the confidence of every suggestion, by the network's largest probability, and by
the longest context that the tree holds and whether one or several tokens have followed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqgen.mixing.repeats import LONGEST, NO_TOKEN, Numbers, Repeats
from seqgen.mixing.tree import NONE, ROOT, Nodes, Tree
from seqgen.types import Floats, Ids, Logits
from seqgen.utils.softmax import log_softmax

DISCOUNT = 0.75
# Numbers at which a row of a table begins: confidences of a match and of a lag, where row 0 is for
# no suggestion, and the network's largest probability.
MATCHES = (1, 2, 3, 4, 6, 8, 12, 16, 24)
RUNS = (1, 2, 4, 8, 16)
TOPS = (0.2, 0.35, 0.5, 0.7, 0.85, 0.95)

State = tuple[Nodes, Numbers]  # contexts (B, order + 1), and the state of `Repeats`


def table_sizes(order: int, suggestions: int) -> tuple[int, ...]:
    """The number of rows of each table of weights.

    >>> table_sizes(order=6, suggestions=1)
    (7, 14, 10)
    """
    lags = (len(RUNS) + 2,) * (suggestions - 1)
    return (len(TOPS) + 1, 2 * (order + 1), len(MATCHES) + 1, *lags)


def feature_count(order: int, suggestions: int) -> int:
    """The number of features, F."""
    return 2 + order + suggestions


def weights_at(base: Floats, tables: Sequence[Floats], rows: Ids) -> Floats:
    """The sum `(B, F)` of `base` and of the rows `(B, tables)` of tables."""
    selected = (table[row] for table, row in zip(tables, rows.T, strict=True))
    return np.asarray(sum(selected, base))


@dataclass(frozen=True, eq=False)
class Weights:
    """The weights of the features."""

    base: npt.NDArray[np.float32]  # (F,), of all places
    tables: tuple[npt.NDArray[np.float32], ...]  # (rows, F) each, see `table_sizes`
    evidence: npt.NDArray[np.float32]  # (J, LONGEST + 1), g_j(k)

    def at(self, rows: Ids) -> Floats:
        """The weights `(B, F)` of places with the rows `(B, tables)`."""
        return weights_at(self.base, self.tables, rows)

    @classmethod
    def initial(cls, order: int, suggestions: int) -> Weights:
        """The weights of the network alone, from which a fit starts."""
        count = feature_count(order, suggestions)
        base = np.zeros(count, np.float32)
        base[0] = 1
        tables = (np.zeros((rows, count), np.float32) for rows in table_sizes(order, suggestions))
        return cls(base, tuple(tables), np.ones((suggestions, LONGEST + 1), np.float32))


@dataclass(frozen=True, eq=False)
class Mixture:
    """Mixes the predictions for several streams; `seqgen.mixing.c_mixture` does it in C.

    Args:
        tree: of the training corpus.
        repeats: finds suggestions.
        vocabulary_size: V.
    """

    tree: Tree
    repeats: Repeats
    vocabulary_size: int
    weights: Weights

    def initial(self, batch_size: int) -> State:
        """The state before the first token."""
        return self.tree.initial(batch_size), self.repeats.initial(batch_size)

    def read(self, state: State, ids: Ids) -> State:
        """The state after one more token of each stream `(B,)`."""
        contexts, repeats = state
        after = self.tree.read(contexts, ids)
        if self.repeats.end_id is not None:  # the token before was the end of a piece: see `count`
            ends = ids == self.repeats.end_id
            after[ends, 2:] = NONE
        return after, self.repeats.read(repeats, ids)

    def step(
        self, logits: Logits, ids: Ids, state: State, strength: float = 1.0
    ) -> tuple[Logits, State]:
        """Read one token of each stream, and mix the logits of the next.

        Args:
            logits: of the network after the token, `(B, V)`.
            ids: the token `(B,)`.
            state: before it; it is unchanged.
            strength: see `log_probabilities`.

        Returns:
            log p `(B, V)` float32, and the next state.
        """
        after = self.read(state, ids)
        return self.log_probabilities(logits, after, strength), after

    def log_probabilities(self, logits: Logits, state: State, strength: float = 1.0) -> Logits:
        """Mix the logits of the network.

        Args:
            logits: of the network, `(B, V)`.
            state: after the last token.
            strength: factor of the weights of suggestions; 0 ignores them.

        Returns:
            log p, `(B, V)` float32.
        """
        contexts, repeats = state
        suggested = self.repeats.suggestions(repeats)
        confidence = self.repeats.confidences(repeats)
        if not strength:
            suggested, confidence = np.full_like(suggested, NO_TOKEN), np.zeros_like(confidence)
        features, rows = self.features(logits, contexts, suggested, confidence)
        theta = self.weights.at(rows).astype(np.float64)
        theta[:, -self.repeats.count :] *= strength
        return np.asarray(log_softmax(np.einsum("bvf,bf->bv", features, theta))).astype(np.float32)

    def features(
        self, logits: Logits, contexts: Nodes, suggested: Numbers, confidence: Numbers
    ) -> tuple[Floats, Ids]:
        """The features of all tokens, and what selects their weights.

        Args:
            logits: of the network, `(B, V)`.
            contexts: see `NgramTree.read`, `(B, order + 1)`.
            suggested: tokens `(B, J)`, see `Repeats.suggestions`.
            confidence: `(B, J)`, see `Repeats.confidences`.

        Returns:
            The features `(B, V, F)`, and the rows of the tables `(B, tables)`.
        """
        network = log_softmax(logits.astype(np.float64))
        ngrams, longest, is_single = self._ngrams(contexts)
        evidence = self.weights.evidence[np.arange(self.repeats.count), confidence]  # (B, J)
        is_suggested = np.arange(self.vocabulary_size)[:, None] == suggested[:, None, :]
        rows = np.column_stack(
            (
                np.searchsorted(TOPS, np.exp(network.max(axis=1)), side="right"),
                2 * longest + is_single,
                np.searchsorted(MATCHES, confidence[:, 0], side="right"),
                np.where(
                    suggested[:, 1:] == NO_TOKEN,
                    0,
                    1 + np.searchsorted(RUNS, confidence[:, 1:], side="right"),
                ),
            )
        )
        suggestions = is_suggested * evidence[:, None, :]  # (B, V, J)
        return np.concatenate((network[:, :, None], ngrams, suggestions), axis=2), rows

    def _ngrams(self, contexts: Nodes) -> tuple[Floats, Ids, Ids]:
        """The features of n-grams `(B, V, 1 + order)`, the order of the longest context that has
        successors `(B,)`, and whether it has only one `(B,)`."""
        batch_size, tree = len(contexts), self.tree
        features = np.zeros((batch_size, self.vocabulary_size, tree.order + 1))
        features[:, :, 0] = np.log(self.unigrams)
        p = np.tile(self.unigrams, (batch_size, 1))
        longest, is_single = np.zeros((2, batch_size), int)
        for n in range(1, tree.order + 1):
            nodes = np.where(contexts[:, n] == NONE, ROOT, contexts[:, n])
            first = tree.first_child[nodes]
            fanout = np.where(contexts[:, n] == NONE, 0, tree.fanout[nodes])
            rows = np.repeat(np.arange(batch_size), fanout)
            ends = np.cumsum(fanout)
            children = np.arange(len(rows)) + np.repeat(first - ends + fanout, fanout)
            tokens, excess = tree.tokens[children], tree.counts[children] - DISCOUNT
            excess = np.maximum(excess, 0)
            total = np.bincount(rows, excess, minlength=batch_size)
            count = np.maximum(tree.counts[nodes], total + DISCOUNT * fanout)
            escape = count - total
            features[rows, tokens, n] = np.log1p(excess / (escape[rows] * p[rows, tokens]))
            known = fanout > 0
            p[known] *= (escape / count)[known, None]
            p[rows, tokens] += excess / count[rows]
            longest[known], is_single[known] = n, fanout[known] == 1
        return features, longest, is_single

    @cached_property
    def unigrams(self) -> Floats:
        """p_0 `(V,)`."""
        children = self.tree.children(ROOT)
        excess = np.zeros(self.vocabulary_size)
        excess[self.tree.tokens[children]] = self.tree.counts[children] - DISCOUNT
        excess = np.maximum(excess, 0)
        count = max(float(self.tree.counts[ROOT]), excess.sum() + DISCOUNT)
        return np.asarray((excess + (count - excess.sum()) / self.vocabulary_size) / count)
