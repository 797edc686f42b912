"""Sampling in C, several times as fast as in NumPy.

`seqgen.sampling.sampler` defines the result, and computes it where no C library is compiled.
"""

from __future__ import annotations

import ctypes
import math

import numpy as np
import numpy.typing as npt

from seqgen.native import library, pointer
from seqgen.sampling.config import SampleConfig
from seqgen.types import Ids

FILTERS = {"top_k", "top_p", "min_p"}  # those that `native/sample.c` has


class _Drawing(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rows", "size", "window", "top_k")),
        *((name, ctypes.c_double) for name in ("penalty", "temperature", "top_p", "least")),
        ("scratch", ctypes.c_void_p),
    ]


def supports(config: SampleConfig) -> bool:
    """Whether C is compiled and has every filter of a configuration.

    >>> supports(SampleConfig(top_p=0.9)) == (library() is not None)
    True
    """
    return library() is not None and config.filters.keys() <= FILTERS


class CSampler:
    """`seqgen/native/sample.c`, told what a configuration says.

    >>> if library() is not None:
    ...     drawing = CSampler(SampleConfig(top_k=1))
    ...     logits = np.array([[1, 3, 2]], np.float32)
    ...     print(drawing(logits, np.empty((1, 0), int), np.array([0.5]), 1.0).tolist())
    [1]
    """

    def __init__(self, config: SampleConfig) -> None:
        filters = config.filters
        self._drawing = _Drawing(
            top_k=filters.get("top_k", 0),
            penalty=config.repetition_penalty,
            top_p=filters.get("top_p", 1),
            least=math.log(filters["min_p"]) if "min_p" in filters else -math.inf,
        )
        self._work = library().draw
        self._reference = ctypes.byref(self._drawing)
        self._scratch = np.empty(0)  # kept for C

    def __call__(
        self,
        logits: npt.NDArray[np.float32],
        recent: Ids,
        numbers: npt.NDArray[np.float64],
        temperature: float,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Ids:
        """One token per row: logits `(B, V)`, recent ids `(B, W)`, numbers `(B,)`, and which
        tokens may come `(B, V)`, if not all → ids `(B,)`."""
        drawing = self._drawing
        drawing.rows, size = logits.shape
        if drawing.size != size:
            self._scratch = np.empty(2 * size)
            drawing.size, drawing.scratch = size, self._scratch.ctypes.data
        drawing.window, drawing.temperature = recent.shape[1], temperature
        ids = np.empty(len(logits), np.int64)
        self._work(
            self._reference,
            pointer(np.ascontiguousarray(logits)),
            None if allowed is None else pointer(allowed),
            pointer(np.ascontiguousarray(recent, np.int64)) if recent.size else None,
            pointer(numbers),
            pointer(ids),
        )
        return ids
