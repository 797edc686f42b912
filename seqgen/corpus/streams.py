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
    of the network contains their context; near the beginning of the corpus there are fewer.
    Positions after the end of the corpus are clipped to it.

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
    def _bounds(self) -> npt.NDArray[np.int64]:
        """The start of the part of each stream, and the end of the last part, `(streams + 1,)`."""
        return np.asarray(self.first + np.arange(self.streams + 1) * self.count // self.streams)

    @property
    def _first_targets(self) -> npt.NDArray[np.int64]:
        """The first target of each stream `(streams,)`, at least 1: a target follows an input."""
        return np.maximum(self._bounds[:-1] - self.warm_up, 1)

    def __len__(self) -> int:
        longest = (self._bounds[1:] - self._first_targets).max()
        return -int(-longest // self.window)  # rounded up

    def __iter__(self) -> Iterator[Window]:
        starts, ends = self._bounds[:-1, None], self._bounds[1:, None]  # (streams, 1)
        for index in range(len(self)):
            offsets = np.arange(index * self.window, (index + 1) * self.window)
            positions = self._first_targets[:, None] + offsets  # (streams, window)
            is_scored = (positions >= starts) & (positions < ends)
            positions = positions.clip(max=len(self.ids) - 1)
            yield Window(self.ids[positions - 1], self.ids[positions], positions, is_scored)
