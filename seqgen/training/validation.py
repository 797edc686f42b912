"""The loss on held-out ids, with a recurrent state that continues from window to window."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from seqgen.corpus.streams import StreamWindows
from seqgen.network.backend import tf
from seqgen.network.build import initial_state
from seqgen.network.forward import Forward
from seqgen.network.sharding import cut, join, limit_blas, shard_count
from seqgen.types import Ids, Network, Tensor

STREAMS = 64
WINDOW = 64


class Validation:
    """Scores every validation token once, predicted from the tokens before it.

    The validation part is divided among `STREAMS` streams. A stream first reads the window before
    its part without scoring it, so that its state knows the context.

    Args:
        network: the network to score.
        ids: the whole corpus `(N,)`; the training part is context.
        first: index of the first validation token, at least 1.
        clock: tells the time in seconds.
        inputs: `(N, F)`, what the network reads; by default the ids.

    >>> from seqgen.config import ModelConfig
    >>> from seqgen.network.build import build
    >>> network = build(ModelConfig(units=4), vocabulary_size=10)
    >>> loss = Validation(network, np.arange(1000) % 10, first=900).loss()
    >>> 2.2 < loss < 2.4  # ten letters, nothing learned: log(10) is 2.3
    True
    """

    share = 0.004  # of the run's time that one validation may use

    def __init__(
        self,
        network: Network,
        ids: Ids,
        first: int,
        clock: Callable[[], float] = time.monotonic,
        inputs: Ids | None = None,
    ) -> None:
        self.network = network
        self.ids = ids
        self.inputs = ids if inputs is None else inputs
        self.first = first
        self.clock = clock
        self.tokens_per_second = 0.0
        self.accuracy: float | None = None  # of the last score; next tokens have none
        self._step = tf.function(self._sum_of_losses, autograph=False)

    @property
    def tokens(self) -> int:
        """Tokens of the validation part."""
        return len(self.ids) - self.first

    def _sum_of_losses(
        self, inputs: Tensor, targets: Tensor, scored: Tensor, state: list[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        sums, states = [], []
        count = shard_count(STREAMS)
        forward = Forward(self.network, STREAMS // count)
        for shard in cut(count, inputs, targets, scored, state):
            inputs, targets, scored, state = shard
            logits, state = forward(inputs, state)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            sums.append(tf.reduce_sum(losses * scored))
            states.append(state)
        return tf.add_n(sums), join(states)

    def loss(self, tokens: int | None = None) -> float:
        """Nats per token of the whole validation part, or of its first `tokens` tokens.

        The recurrent state of training is not changed.
        """
        tokens = self.tokens if tokens is None else min(tokens, self.tokens)
        began = self.clock()
        state = initial_state(self.network, STREAMS)
        total = 0.0
        for window in StreamWindows(self.ids, self.first, tokens, STREAMS, WINDOW, warm_up=WINDOW):
            inputs = self.inputs[window.positions - 1].astype(np.int32)
            targets = window.targets.astype(np.int32)
            scored = window.is_scored.astype(np.float32)
            with limit_blas(shard_count(STREAMS)):
                partial, state = self._step(inputs, targets, scored, state)
            total += float(partial)
        # A coarse clock, as on Windows, may not have advanced.
        self.tokens_per_second = tokens / max(self.clock() - began, 1e-3)
        return total / tokens
