"""Windows of parallel streams, for scoring a part of a corpus with a stateful network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.types import Ids, Mask


class Window(NamedTuple):
    """One window of every stream; all arrays are `(streams, window)`."""

    inputs: Ids
    targets: Ids  # the ids after the inputs
    positions: npt.NDArray[np.int64]  # of the targets in the corpus
    is_scored: Mask  # each target of the part is scored in one window only


@dataclass(frozen=True, eq=False)
class StreamWindows:
    """Successive windows of a part of a corpus, which is divided among parallel streams.

    A stream also reads `warm_up` ids before its own part without scoring them, so that the state
    of the network contains their context. Positions outside the corpus are clipped to it.

    >>> windows = StreamWindows(np.arange(10), first=4, count=6, streams=2, window=2, warm_up=2)
    >>> [window.targets.tolist() for window in windows]
    [[[2, 3], [5, 6]], [[4, 5], [7, 8]], [[6, 7], [9, 9]]]
    >>> [window.is_scored.sum(axis=1).tolist() for window in windows]
    [[0, 0], [2, 2], [1, 1]]
    """

    ids: Ids  # (N,), the whole corpus
    first: int  # position of the first scored id, at least 1
    count: int  # number of scored ids
    streams: int
    window: int
    warm_up: int

    @property
    def _starts(self) -> npt.NDArray[np.int64]:
        """Where the part of each stream starts `(streams + 1,)`; the last one is the end."""
        starts = self.first + np.arange(self.streams + 1) * self.count // self.streams
        return np.asarray(starts)

    @property
    def _offsets(self) -> range:
        """Where each window starts, relative to the part of its stream."""
        return range(-self.warm_up, int(np.diff(self._starts).max(initial=0)), self.window)

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[Window]:
        starts, ends = self._starts[:-1, None], self._starts[1:, None]  # (streams, 1)
        for offset in self._offsets:
            positions = starts + np.arange(offset, offset + self.window)  # (streams, window)
            is_scored = (positions >= starts) & (positions < ends)
            positions = positions.clip(1, len(self.ids) - 1)
            yield Window(self.ids[positions - 1], self.ids[positions], positions, is_scored)
