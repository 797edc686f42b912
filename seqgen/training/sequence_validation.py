"""The loss on held-out pieces, each of which has a class."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.network.backend import tf
from seqgen.network.pooled import PooledForward, input_shape
from seqgen.network.sharding import limit_blas
from seqgen.training.sequence_batches import labelled_batch
from seqgen.types import Network, Tensor

ROWS = 64  # of a batch


class SequenceValidation:
    """Scores pieces of the validation part, as `seqgen.training.validation.Validation` does tokens.

    Args:
        network: the network to score.
        corpus: its validation pieces are in random order.
        clock: tells the time in seconds.
    """

    share = 0.01  # of the run's time that one validation may use: there are few pieces

    def __init__(
        self, network: Network, corpus: Corpus, clock: Callable[[], float] = time.monotonic
    ) -> None:
        assert corpus.bounds is not None
        self.network = network
        self.corpus = corpus
        self.clock = clock
        self.tokens_per_second = 0.0
        self.accuracy: float | None = None  # of the last score
        self.bounds = corpus.bounds[corpus.training_pieces :] - corpus.training_length
        _, *shape = input_shape(network)
        self._step = tf.function(
            self._scores,
            autograph=False,
            input_signature=[
                tf.TensorSpec((ROWS, *shape), tf.float32 if len(shape) > 1 else tf.int32),
                *[tf.TensorSpec((ROWS,), tf.int32)] * 2,
                tf.TensorSpec((ROWS,), tf.float32),
            ],
        )

    @property
    def tokens(self) -> int:
        """Steps of the validation part."""
        return int(self.bounds[-1])

    def _scores(self, inputs: Tensor, targets: Tensor, lengths: Tensor, weights: Tensor) -> Tensor:
        """The sums of the weighted losses, of the weights, and of the pieces that are right."""
        logits = PooledForward(self.network, ROWS)(inputs, lengths)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        is_right = tf.argmax(logits, 1, tf.int32) == targets
        is_row = tf.cast(weights > 0, tf.float32)
        return tf.stack(
            [
                tf.reduce_sum(losses * weights),
                tf.reduce_sum(weights),
                tf.reduce_sum(tf.cast(is_right, tf.float32) * is_row),
            ]
        )

    def loss(self, tokens: int | None = None) -> float:
        """The weighted mean loss in nats per piece: of all, or of the first with `tokens` steps."""
        tokens = self.tokens if tokens is None else min(tokens, self.tokens)
        count = max(int(np.searchsorted(self.bounds, tokens)), 1)
        began = self.clock()
        order = np.argsort(np.diff(self.bounds[: count + 1]), kind="stable")
        sums = np.zeros(3)
        for first in range(0, count, ROWS):
            rows = self.corpus.training_pieces + order[first : first + ROWS]
            with limit_blas(1):
                sums += self._step(*labelled_batch(self.corpus, rows, ROWS)).numpy()
        # A coarse clock, as on Windows, may not have advanced.
        self.tokens_per_second = int(self.bounds[count]) / max(self.clock() - began, 1e-3)
        self.accuracy = float(sums[2]) / count
        return float(sums[0] / sums[1])
