"""Logits → ids: how the next token is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.vocabulary import Ids

Logits = npt.NDArray[np.floating[Any]]


def forbid(logits: Logits, ids: list[int]) -> Logits:
    """The logits `(B, V)` with those tokens made impossible.

    >>> forbid(np.array([[1.0, 2.0, 3.0]]), [2])
    array([[  1.,   2., -inf]])
    """
    if ids:
        logits = logits.copy()
        logits[:, ids] = -np.inf
    return logits


def sample(logits: Logits, temperature: float, random: np.random.Generator) -> Ids:
    """Draw one token per row from softmax(logits / temperature).

    Args:
        logits: `(B, V)`; `-inf` is never drawn.
        temperature: 0 takes the likeliest token, the first of equals.
        random: gives one number per row.

    Returns:
        Ids `(B,)`.

    >>> sample(np.array([[0.0, 9.0], [9.0, 0.0]]), 0, np.random.default_rng())
    array([1, 0])
    """
    if temperature == 0:
        return np.asarray(np.argmax(logits, axis=1))
    scaled = logits.astype(np.float64)
    scaled -= scaled.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # a very low temperature: what is less likely is impossible
        scaled /= temperature
    cumulative = np.cumsum(np.exp(scaled), axis=1)
    total = cumulative[:, -1]
    # The last number below the total: rounding up to it would draw a token of no probability.
    drawn = np.minimum(random.random(len(logits)) * total, np.nextafter(total, 0))
    return np.asarray((cumulative <= drawn[:, None]).sum(axis=1))
