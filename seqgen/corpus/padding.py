"""Padding: sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.types import Array


def padded(sequences: Sequence[Array], value: float = 0) -> Array:
    """Sequences `(T,)` or `(T, D)` as one array `(B, T, …)` of their type, padded at the end.

    Args:
        sequences: at least one; all have the type of the first one.
        value: after the end of a sequence.

    >>> padded([np.array([4, 5]), np.array([6])]).tolist()
    [[4, 5], [6, 0]]
    """
    first = sequences[0]
    shape = (len(sequences), max(map(len, sequences)), *first.shape[1:])
    batch = np.full(shape, value, first.dtype)
    for row, sequence in zip(batch, sequences, strict=True):
        row[: len(sequence)] = sequence
    return batch
