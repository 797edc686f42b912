"""Classification through Keras, for networks that NumPy's engine does not support."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.config import ModelConfig
from seqgen.corpus.padding import padded
from seqgen.network.build import PADDED, build
from seqgen.types import Array, Floats

ROWS = 64  # of a batch


class KerasSequenceEngine:
    """As `seqgen.inference.sequence_engine.NumpySequenceEngine`, slower, with all cell options."""

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        self.network = build(config, weights[0].shape[0])
        self.network.set_weights(weights)

    def probabilities(self, sequences: Sequence[Array]) -> Floats:
        """The probabilities `(N, K)` of the classes of every sequence."""
        found = [
            np.asarray(self.network(masked(sequences[first : first + ROWS]), training=False))
            for first in range(0, len(sequences), ROWS)
        ]
        return np.concatenate(found)

    def course(self, sequence: Array) -> Floats:
        """The probabilities `(T, K)` after every step, as if the sequence ended there."""
        return self.probabilities([sequence[:end] for end in range(1, len(sequence) + 1)])


def masked(sequences: Sequence[Array]) -> Array:
    """Sequences as one array, padded with what `build` masks.

    >>> masked([np.array([4, 5]), np.array([6])]).tolist()
    [[4, 5], [6, 0]]
    """
    is_ids = sequences[0].ndim == 1
    batch = padded(sequences, 0 if is_ids else PADDED)
    return batch.astype(np.int32 if is_ids else np.float32)
