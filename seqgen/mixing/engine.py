"""An engine whose logits are those of a mixture: all of generation and evaluation sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqgen.errors import ConfigError
from seqgen.inference.engine import Engine, State
from seqgen.mixing import c_mixture
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.repeats import HISTORY
from seqgen.types import Floats, Ids


class MixedEngine:
    """A network and a mixture, as `seqgen.inference.engine.Engine`. Threads may share it.

    Args:
        network: the engine of the network.
        mixture: what its logits are mixed with; a `Mixture`, or a `CMixture`.
        strength: factor of the weights of what a sequence repeats.
    """

    def __init__(self, network: Engine, mixture: Any, strength: float = 1.0) -> None:
        self.network = network
        self.is_batch_invariant = network.is_batch_invariant
        self.warm_up = max(network.warm_up, HISTORY)
        self.mixture = mixture
        self.strength = strength

    def initial_state(self, batch_size: int) -> tuple[State, Any]:
        """The state before the first token."""
        return self.network.initial_state(batch_size), self.mixture.initial(batch_size)

    def step(self, ids: Ids, state: tuple[State, Any]) -> tuple[Floats, tuple[State, Any]]:
        """As `Engine.step`; the logits `(B, V)` are normalised log-probabilities."""
        logits, network_state = self.network.step(ids, state[0])
        mixed, mixed_state = self.mixture.step(logits, ids, state[1], self.strength)
        return mixed, (network_state, mixed_state)

    def gather_state(self, state: tuple[State, Any], rows: Ids) -> tuple[State, Any]:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""
        network_state, (contexts, repeats) = state
        return (
            self.network.gather_state(network_state, rows),
            (contexts[rows], repeats[rows]),
        )

    def concatenate_states(self, states: Sequence[tuple[State, Any]]) -> tuple[State, Any]:
        """One state of all streams of several states, in order."""
        networks, mixtures = zip(*states, strict=True)
        contexts, repeats = zip(*mixtures, strict=True)
        return (
            self.network.concatenate_states(networks),
            (np.concatenate(contexts), np.concatenate(repeats)),
        )

    def with_strength(self, strength: float) -> MixedEngine:
        """The same engine with another factor of the weights of what a sequence repeats."""
        return MixedEngine(self.network, self.mixture, strength)


def mixed(network: Engine, mixture: Mixture) -> MixedEngine:
    """The engine of a network and a mixture: in C if it is compiled, otherwise in NumPy."""
    compiled = c_mixture.is_available()
    return MixedEngine(network, c_mixture.CMixture(mixture) if compiled else mixture)


def with_strength(engine: Engine, strength: float) -> Engine:
    """An engine with a factor of the weights of what a sequence repeats.

    Raises:
        ConfigError: the model has no mixture, so that there are no such weights.
    """
    if strength == 1:
        return engine
    if not isinstance(engine, MixedEngine):
        raise ConfigError(
            f"repeat_strength: expected a model with a mixture, got {strength:g} for one of a "
            "network alone; leave it out, or train the model again"
        )
    return engine.with_strength(strength)
