"""An engine for networks that also read lagged tokens, see `seqgen.corpus.lags`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqgen.config import ModelConfig
from seqgen.corpus.lags import END_ID
from seqgen.inference.engine import Engine, State
from seqgen.types import Floats, Ids


class LaggedState(NamedTuple):
    """The state of a network, and the tokens that it will read again."""

    network: State
    history: Ids  # (B, longest lag + 1), the latest token last


class LaggedEngine:
    """Remembers tokens, and runs a network on a token and those of its lags.

    Args:
        engine: of the network; its `step` takes ids `(B, F)`.
        config: of the network, with lags.
        vocabulary_size: number of different tokens.
    """

    def __init__(self, engine: Engine, config: ModelConfig, vocabulary_size: int) -> None:
        self.engine = engine
        self.is_batch_invariant, self.warm_up = engine.is_batch_invariant, engine.warm_up
        steps = np.array([0, *config.lags])
        self._columns = -1 - steps  # in the history
        self._offsets = np.arange(len(steps)) * vocabulary_size
        self._length = int(steps.max()) + 1

    def initial_state(self, batch_size: int) -> LaggedState:
        """The state before the first token of a piece."""
        history = np.full((batch_size, self._length), END_ID)
        return LaggedState(self.engine.initial_state(batch_size), history)

    def step(self, ids: Ids, state: LaggedState) -> tuple[Floats, LaggedState]:
        """As `Engine.step`: ids `(B,)` and state → logits `(B, V)` and the next state."""
        history = np.concatenate((state.history[:, 1:], ids[:, None]), axis=1)
        history[ids == END_ID] = END_ID  # nothing of the last piece is read in the next one
        inputs = history[:, self._columns] + self._offsets  # (B, F)
        logits, network = self.engine.step(inputs, state.network)
        return logits, LaggedState(network, history)

    def gather_state(self, state: LaggedState, rows: Ids) -> LaggedState:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""
        return LaggedState(self.engine.gather_state(state.network, rows), state.history[rows])

    def concatenate_states(self, states: Sequence[LaggedState]) -> LaggedState:
        """One state of all streams of several states, in order."""
        networks, histories = zip(*states, strict=True)
        return LaggedState(self.engine.concatenate_states(networks), np.concatenate(histories))
