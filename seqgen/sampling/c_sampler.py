"""Sampling in C, several times as fast as in NumPy.

`seqgen.sampling.sampler` defines the result, and computes it where no C library is compiled.
"""

from __future__ import annotations

import ctypes
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.native import check, library, pointer
from seqgen.sampling.config import SampleConfig
from seqgen.types import Ids

FILTERS = {"top_k", "top_p", "min_p"}  # those that `native/sample.c` has


class _Sampling(ctypes.Structure):
    """`struct sampling` of `seqgen/native/sample.c`."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rows", "size", "window", "top_k")),
        *((name, ctypes.c_double) for name in ("penalty", "temperature", "top_p", "min_logit")),
    ]


def supports(config: SampleConfig) -> bool:
    """Whether C is compiled and has every filter of a configuration.

    >>> supports(SampleConfig(top_p=0.9)) == (library() is not None)
    True
    """
    return library() is not None and config.filters.keys() <= FILTERS


class CSampler:
    """Samples as a configuration says, through `seqgen/native/sample.c`. Threads may share it.

    >>> if library() is not None:
    ...     sampler = CSampler(SampleConfig(top_k=1))
    ...     logits = np.array([[1, 3, 2]], np.float32)
    ...     print(sampler(logits, np.empty((1, 0), int), np.array([0.5]), 1.0).tolist())
    [1]
    """

    def __init__(self, config: SampleConfig) -> None:
        filters = config.filters
        self._top_k = filters.get("top_k", 0)
        self._penalty = config.repetition_penalty
        self._top_p = filters.get("top_p", 1)
        self._min_logit = math.log(filters["min_p"]) if "min_p" in filters else -math.inf
        self._work = library().sample

    def __call__(
        self,
        logits: npt.NDArray[np.float32],
        recent: Ids,
        numbers: npt.NDArray[np.float64],
        temperature: float,
        allowed: npt.NDArray[np.bool_] | None = None,
    ) -> Ids:
        """Draw one token per row.

        Args:
            logits: `(B, V)`.
            recent: ids `(B, W)`.
            numbers: `(B,)`, random, `0 <= number < 1`.
            temperature: 0 takes the most likely token.
            allowed: `(B, V)`, or None.

        Returns:
            Ids `(B,)`.

        Raises:
            ValueError: an array has another shape or type, or a recent id is no token.
        """
        rows, size = logits.shape
        _require("logits", logits, (rows, size), np.float32)
        _require("recent", recent, (rows, recent.shape[-1]), np.int64)
        _require("numbers", numbers, (rows,), np.float64)
        if allowed is not None:
            _require("allowed", allowed, (rows, size), np.bool_)
            allowed = np.ascontiguousarray(allowed)
        sampling = _Sampling(
            rows, size, recent.shape[1], self._top_k,
            self._penalty, temperature, self._top_p, self._min_logit,
        )  # fmt: skip
        ids, scratch = np.empty(rows, np.int64), np.empty(2 * size)
        code = self._work(
            ctypes.byref(sampling),
            pointer(np.ascontiguousarray(logits)),
            None if allowed is None else pointer(allowed),
            pointer(np.ascontiguousarray(recent)) if recent.size else None,
            pointer(np.ascontiguousarray(numbers)),
            pointer(ids),
            pointer(scratch),
        )
        check(code, "sampling")
        return ids


def _require(name: str, array: Any, shape: tuple[int, ...], dtype: Any) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{name}: expected {np.dtype(dtype)} of shape {shape}, got {array.dtype} of shape "
            f"{array.shape}"
        )
