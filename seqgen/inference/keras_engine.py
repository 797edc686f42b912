"""Generation through Keras, for networks that `seqgen.inference.numpy_engine` does not support."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.config import ModelConfig
from seqgen.inference.engine import WARM_UP
from seqgen.network.backend import tf
from seqgen.network.build import Tensors, build, initial_state
from seqgen.network.forward import Forward
from seqgen.types import Floats, Ids


class KerasEngine:
    """Runs a network through Keras. This is slower than the other engines, but supports all cell
    options."""

    is_batch_invariant = False
    warm_up = WARM_UP

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        self.network = build(config, len(weights[-1]))
        self.network.set_weights(weights)
        self._forward = tf.function(
            lambda ids, state: Forward(self.network, state[0].shape[0])(ids, state),
            autograph=False,
            reduce_retracing=True,
        )

    def initial_state(self, batch_size: int) -> Tensors:
        """Zeros: the state before the first token."""
        return initial_state(self.network, batch_size)

    def step(self, ids: Ids, state: Tensors) -> tuple[Floats, Tensors]:
        """As `Engine.step`: ids `(B,)` and state → logits `(B, V)` and the next state."""
        logits, state = self._forward(tf.constant(np.asarray(ids)[:, None], tf.int32), state)
        return logits[:, 0].numpy(), state

    def gather_state(self, state: Tensors, rows: Ids) -> Tensors:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""
        return [tf.gather(tensor, rows) for tensor in state]

    def concatenate_states(self, states: Sequence[Tensors]) -> Tensors:
        """One state of all streams of several states, in order."""
        return [tf.concat(tensors, axis=0) for tensors in zip(*states, strict=True)]
