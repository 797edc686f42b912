"""Sampling in C, several times as fast as in NumPy.

`seqgen.sampling.sampler` defines the result, and computes it where no C library is compiled.
"""

from __future__ import annotations

import ctypes
import math

import numpy as np
import numpy.typing as npt

from seqgen.native import check, library, pointer
from seqgen.sampling.config import SampleConfig
from seqgen.types import Array, Ids

BOOL, FLOAT32, FLOAT64, INT64 = map(np.dtype, ("bool", "float32", "float64", "int64"))
C_FILTERS = {"top_k", "top_p", "min_p"}  # those that `native/sample.c` has


class _Filters(ctypes.Structure):
    """`struct filters` of `seqgen/native/sample.c`."""

    _fields_ = [
        ("top_k", ctypes.c_int64),
        *((name, ctypes.c_double) for name in ("penalty", "top_p", "min_logit")),
    ]


def supports(config: SampleConfig) -> bool:
    """Whether C is compiled and has every filter of a configuration.

    >>> supports(SampleConfig(top_p=0.9)) == (library() is not None)
    True
    """
    return library() is not None and config.filters.keys() <= C_FILTERS


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
        self._filters = _Filters(
            filters.get("top_k", 0),
            config.repetition_penalty,
            filters.get("top_p", 1),
            math.log(filters["min_p"]) if "min_p" in filters else -math.inf,
        )
        self._reference = ctypes.byref(self._filters)
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
        window = recent.shape[1]
        logits = _checked("logits", logits, (rows, size), FLOAT32)
        numbers = _checked("numbers", numbers, (rows,), FLOAT64)
        if window:
            recent = _checked("recent", recent, (rows, window), INT64)
        if allowed is not None:
            allowed = _checked("allowed", allowed, (rows, size), BOOL)
        ids = np.empty(rows, INT64)
        code = self._work(
            self._reference, temperature, rows, size, window,
            pointer(logits),
            None if allowed is None else pointer(allowed),
            pointer(recent) if window else None,
            pointer(numbers),
            pointer(ids),
        )  # fmt: skip
        if code:
            check(code, "sampling")
        return ids


def _checked(name: str, array: Array, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    """The array, made contiguous; `ValueError` if it has another shape or type than C expects."""
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{name}: expected {dtype} of shape {shape}, got {array.dtype} of shape {array.shape}"
        )
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)
