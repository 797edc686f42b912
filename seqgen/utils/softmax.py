"""Softmax and its logarithm, without overflow."""

from __future__ import annotations

import numpy as np

from seqgen.types import Floats


def softmax(logits: Floats) -> Floats:
    """Probabilities along the last axis.

    >>> softmax(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    numbers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(numbers / numbers.sum(axis=-1, keepdims=True))


def log_softmax(logits: Floats) -> Floats:
    """Their logarithms, in the precision of the logits.

    >>> np.exp(log_softmax(np.array([1000.0, 1000.0])))
    array([0.5, 0.5])
    """
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
