"""A mixture that goes on learning: its n-grams count the text, its weights follow the loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seqgen.mixing import c_mixture
from seqgen.mixing.c_mixture import CMixture
from seqgen.mixing.growing_tree import GrowingTree
from seqgen.mixing.mixture import Mixture, Weights
from seqgen.mixing.repeats import Numbers
from seqgen.types import Floats, Ids, Logits
from seqgen.utils.softmax import log_softmax

RATE = 0.002  # of the weights


class AdaptiveMixture:
    """Scores successive segments of one stream, and learns from each after it has been scored.

    Args:
        mixture: to start with; it is unchanged.
    """

    def __init__(self, mixture: Mixture) -> None:
        self._repeats = mixture.repeats
        self.tree = GrowingTree(mixture.tree, mixture.repeats.end_id)
        weights = mixture.weights
        copies = tuple(table.copy() for table in weights.tables)
        self.weights = Weights(weights.base.copy(), copies, weights.evidence)
        self._mixture = replace(mixture, tree=self.tree, weights=self.weights)
        self._reader = CMixture(mixture) if c_mixture.is_available() else mixture
        self._state = mixture.initial(1)
        self._latest: Ids = np.empty(0, np.int64)  # tokens, as many as the longest context has

    def warm_up(self, ids: Ids) -> None:
        """Read tokens without learning from them."""
        self._read(ids)
        self._keep(ids)

    def read(
        self, inputs: Ids, targets: Ids, logits: Logits, *, learns: bool
    ) -> npt.NDArray[np.float64]:
        """Score a segment, then learn from it.

        Args:
            inputs: `(T,)`, tokens that follow those read before.
            targets: `(T,)`, the token after each of them.
            logits: of the network after each of them, `(T, V)`.
            learns: otherwise it is only scored.

        Returns:
            The losses of the targets `(T,)`, in nats.
        """
        first, places = len(self._latest), np.arange(len(inputs))
        ids = np.concatenate((self._latest, inputs, targets[-1:]))
        contexts = self.tree.contexts(ids[:-1])[first:]
        features, rows = self._mixture.features(logits, contexts, *self._read(inputs))  # (T, V, F)
        scores = log_softmax(np.einsum("tvf,tf->tv", features, self.weights.at(rows)))
        self._keep(ids[:-1])
        if learns:
            expected = np.einsum("tv,tvf->tf", np.exp(scores), features)
            self._descend(expected - features[places, targets], rows)
            self.tree.add(ids, first + 1)
            self._mixture = replace(self._mixture)  # its probabilities of single tokens are cached
        return np.asarray(0 - scores[places, targets])

    def _read(self, ids: Ids) -> tuple[Numbers, Numbers]:
        """The suggestions and their confidences after each of some tokens, `(T, J)`."""
        suggested, confidences = np.empty((2, len(ids), self._repeats.count), np.int32)
        for place, token in enumerate(ids):
            self._state = self._reader.read(self._state, np.array([token]))
            suggested[place] = self._repeats.suggestions(self._state[1])
            confidences[place] = self._repeats.confidences(self._state[1])
        return suggested, confidences

    def _keep(self, ids: Ids) -> None:
        """Remember the tokens that are the context of the next one."""
        self._latest = ids[max(len(ids) - self.tree.order, 0) :]

    def _descend(self, gradients: Floats, rows: Ids) -> None:
        """A step of the weights down the gradients at all places `(T, F)`."""
        self.weights.base[:] -= RATE * gradients.sum(axis=0)
        for table, selected in zip(self.weights.tables, rows.T, strict=True):
            np.subtract.at(table, selected, RATE * gradients)
