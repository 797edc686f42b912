"""The mixture in C, a hundred times as fast as in NumPy, for one stream."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from seqgen.mixing.mixture import Mixture, State
from seqgen.native import check, library, pointer
from seqgen.types import Floats, Ids, Logits


class _Mixture(ctypes.Structure):
    """`struct mixture` of `seqgen/native/mix.c`."""

    _fields_ = [
        *(
            (name, ctypes.c_int64)
            for name in ("order", "vocabulary", "suggestions", "nodes", "end_id")
        ),
        *(
            (name, ctypes.c_void_p)
            for name in (
                "tokens", "counts", "first_child", "unigrams", "log_unigrams", "weights",
                "evidence", "ticks", "starts",
            )
        ),
    ]  # fmt: skip


def is_available() -> bool:
    """Whether the C library is compiled."""
    return library() is not None


class CMixture:
    """Does what a `Mixture` does, through `seqgen/native/mix.c`. Threads may share it.

    Args:
        mixture: the mixture.
    """

    def __init__(self, mixture: Mixture) -> None:
        tree, bars, weights = mixture.tree, mixture.repeats.bars, mixture.weights
        self.mixture = mixture
        self.initial = mixture.initial
        self._work = library().mixture_step
        self._arrays: list[Any] = []  # C reads them, so they must live as long as this object
        end_id = mixture.repeats.end_id
        stacked = np.concatenate((weights.base[None], *weights.tables))
        self._struct = _Mixture(
            tree.order,
            mixture.vocabulary_size,
            mixture.repeats.count,
            len(tree.tokens),
            -1 if end_id is None else end_id,
            self._address(tree.tokens, np.int32),
            self._address(tree.counts, np.int32),
            self._address(tree.first_child, np.int32),
            self._address(mixture.unigrams, np.float64),
            self._address(np.log(mixture.unigrams), np.float64),
            self._address(stacked, np.float32),
            self._address(weights.evidence, np.float32),
            None if bars is None else self._address(bars.ticks, np.int32),
            None if bars is None else self._address(bars.starts, np.uint8),
        )
        self._reference = ctypes.byref(self._struct)

    def _address(self, array: Floats, dtype: type[np.generic]) -> int:
        self._arrays.append(np.ascontiguousarray(array, dtype))
        return int(self._arrays[-1].ctypes.data)

    def step(
        self, logits: Logits, ids: Ids, state: State, strength: float = 1.0
    ) -> tuple[Logits, State]:
        """As `Mixture.step`.

        Raises:
            ValueError: arrays have other shapes than those of this mixture and number of streams,
                or an id is no token.
        """
        streams, size = len(ids), self.mixture.vocabulary_size
        contexts, repeats = (np.ascontiguousarray(part) for part in state)
        shapes = (streams, self.mixture.tree.order + 1), (streams, self.mixture.repeats.size)
        if (contexts.shape, repeats.shape) != shapes or logits.shape != (streams, size):
            raise ValueError(
                f"mixture: expected {streams} streams with states of {shapes} and {size} logits, "
                f"got {contexts.shape}, {repeats.shape} and {logits.shape}"
            )
        if contexts.dtype != np.int64 or repeats.dtype != np.int32:
            raise ValueError(
                f"mixture: expected states of int64 and int32, got {contexts.dtype} and "
                f"{repeats.dtype}"
            )
        after = np.empty_like(contexts), np.empty_like(repeats)
        mixed = np.empty((streams, size), np.float32)
        code = self._work(
            self._reference, strength, streams,
            pointer(np.ascontiguousarray(ids, np.int64)),
            pointer(np.ascontiguousarray(logits, np.float32)),
            pointer(contexts), pointer(repeats), pointer(after[0]), pointer(after[1]),
            pointer(mixed),
        )  # fmt: skip
        if code:
            check(code, "a step of the mixture")
        return mixed, after
