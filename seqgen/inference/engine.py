"""The protocol of engines, and the choice of one for a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from seqgen.config import ModelConfig
from seqgen.types import Floats, Ids

WARM_UP = 256  # of networks; older tokens change their logits little
State = Any  # each engine has its own kind, which only it can read


class Engine(Protocol):
    """Runs a trained network one token at a time, for `B` streams at once.

    `state` is opaque: only the engine that returned it can read it.
    """

    is_batch_invariant: bool  # whether the logits of a stream do not depend on the other streams
    warm_up: int  # tokens to read before a place, so that the state holds its context

    def initial_state(self, batch_size: int) -> State:
        """The state before the first token."""

    def step(self, ids: Ids, state: State) -> tuple[Floats, State]:
        """One step of all streams.

            x = E[ids] (B, E)
            (h, …) = the step of each layer's cell, of W x + b and its state; then x = h (B, units)
            logits = x W_o + b_o

        Args:
            ids: the tokens `(B,)`.
            state: before them.

        Returns:
            The logits `(B, V)` of the next tokens, and the next state; `state` is unchanged.
        """

    def gather_state(self, state: State, rows: Ids) -> State:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""

    def concatenate_states(self, states: Sequence[State]) -> State:
        """One state of all streams of several states, in order."""


def choose(config: ModelConfig, weights: Sequence[Floats]) -> Engine:
    """The fastest engine that supports a network: C, else NumPy, else Keras.

    Args:
        config: of the network.
        weights: in Keras's order, see `seqgen.inference.numpy_engine.NumpyEngine`.
    """
    if config.lags:
        from seqgen.inference.lagged_engine import LaggedEngine

        return LaggedEngine(_of_network(config, weights), config, len(weights[-1]))
    return _of_network(config, weights)


def _of_network(config: ModelConfig, weights: Sequence[Floats]) -> Engine:
    from seqgen.inference import c_engine, numpy_engine

    if c_engine.supports(config):
        return c_engine.CEngine(config, weights)
    if numpy_engine.supports(config):
        return numpy_engine.NumpyEngine(config, weights)
    from seqgen.inference.keras_engine import KerasEngine

    return KerasEngine(config, weights)
