"""The mixture in C, without the overhead of many calls of NumPy at every step."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from seqgen.mixing.mixture import Mixture, State, feature_count, table_sizes
from seqgen.mixing.repeats import LONGEST, Numbers
from seqgen.mixing.tree import Nodes
from seqgen.native import check, library, pointer
from seqgen.types import Array, Floats, Ids, Logits

FLOAT32, INT32, INT64 = map(np.dtype, ("float32", "int32", "int64"))


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

    Raises:
        ValueError: its weights or bars have other shapes than its features and vocabulary need, or
            its tree is one that grows.
    """

    def __init__(self, mixture: Mixture) -> None:
        _require_fitting(mixture)
        tree, bars, weights = mixture.tree, mixture.repeats.bars, mixture.weights
        self.mixture = mixture
        self.initial = mixture.initial
        self._widths = tree.order + 1, mixture.repeats.size, mixture.vocabulary_size
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
        streams, (contexts, repeats) = len(ids), state
        self._require_valid(streams, logits, contexts, repeats)
        after = np.empty_like(contexts), np.empty_like(repeats)
        mixed = np.empty(logits.shape, FLOAT32)
        code = self._work(
            self._reference, strength, streams, pointer(_contiguous(ids, INT64)),
            pointer(_contiguous(logits, FLOAT32)), pointer(contexts), pointer(repeats),
            pointer(after[0]), pointer(after[1]), pointer(mixed),
        )  # fmt: skip
        if code:
            check(code, "a step of the mixture")
        return mixed, after

    def read(self, state: State, ids: Ids) -> State:
        """As `Mixture.read`."""
        logits = np.zeros((len(ids), self.mixture.vocabulary_size), FLOAT32)
        return self.step(logits, ids, state)[1]

    def _require_valid(
        self, streams: int, logits: Logits, contexts: Nodes, repeats: Numbers
    ) -> None:
        """Raise `ValueError` unless C can read these arrays."""
        depth, numbers, size = self._widths
        found = logits.shape, contexts.shape, repeats.shape
        expected = (streams, size), (streams, depth), (streams, numbers)
        if found != expected:
            raise ValueError(
                f"mixture: expected logits and states of shapes {expected}, got {found}"
            )
        if contexts.dtype != INT64 or repeats.dtype != INT32:
            raise ValueError(
                f"mixture: expected states of int64 and int32, got {contexts.dtype} and "
                f"{repeats.dtype}"
            )
        if not (contexts.flags.c_contiguous and repeats.flags.c_contiguous):
            raise ValueError("mixture: expected contiguous states, got slices of other arrays")


def _require_fitting(mixture: Mixture) -> None:
    """Raise `ValueError` unless the arrays have the shapes with which C reads them."""
    order, bars, weights = mixture.tree.order, mixture.repeats.bars, mixture.weights
    suggestions, nodes = mixture.repeats.count, len(mixture.tree.tokens)
    features = feature_count(order, suggestions)
    found = [mixture.tree.first_child.shape, weights.base.shape, weights.evidence.shape]
    found += [each.shape for each in weights.tables]
    expected = [(nodes + 1,), (features,), (suggestions, LONGEST + 1)]
    expected += [(rows, features) for rows in table_sizes(order, suggestions)]
    if bars is not None:
        found += [bars.ticks.shape, bars.starts.shape]
        expected += 2 * [(mixture.vocabulary_size,)]
    if found != expected:
        raise ValueError(
            f"mixture: expected a tree, weights and bars of shapes {expected}, got {found}"
        )


def _contiguous(array: Array, dtype: np.dtype[np.generic]) -> Array:
    """The array as C reads it; itself if possible."""
    if array.dtype == dtype and array.flags.c_contiguous:
        return array
    return np.ascontiguousarray(array, dtype)
