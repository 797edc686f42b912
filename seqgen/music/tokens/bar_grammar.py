"""Where in its bars a piece is while it is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from seqgen.music.signatures import TICKS_PER_WHOLE, Meter
from seqgen.types import Mask

LONGEST_BAR = 16 * TICKS_PER_WHOLE


class Bars:
    """Counts full bars.

    Args:
        wanted: number of full bars after a pick-up; None: any number.

    >>> bars = Bars(wanted=2)
    >>> bars.meter = Meter(3, 4)
    >>> bars.pass_time(24); bars.close()  # a pick-up
    >>> bars.pass_time(72); bars.close(); bars.pass_time(72)
    >>> bars.full, bars.is_done
    (2, True)
    """

    def __init__(self, wanted: int | None) -> None:
        self.wanted = wanted
        self.meter = Meter(4, 4)
        self.filled = 0  # ticks of the bar that have gone by
        self.closed = 0  # full bars before this one
        self.is_first = True  # which may be a pick-up
        self.pick_up = 0  # ticks of it

    @property
    def room(self) -> int:
        """The ticks that the bar has left."""
        return max(self.meter.ticks - self.filled, 0)

    @property
    def full(self) -> int:
        """How many full bars there are, with this one if it is."""
        return self.closed + (self.room == 0)

    @property
    def is_done(self) -> bool:
        """Whether there are as many as were wanted."""
        return self.wanted is not None and self.full >= self.wanted and self.room == 0

    @property
    def may_close(self) -> bool:
        """Whether a bar may end here: it is full, or a pick-up."""
        return self.room == 0 or (self.is_first and self.filled > 0)

    @property
    def may_end(self) -> bool:
        """Whether a piece whose bars nobody counted may end here: with a full bar, or one that
        its pick-up fills."""
        if self.wanted is not None or not self.filled:
            return False
        return self.room in (0, self.pick_up)

    def pass_time(self, ticks: int) -> None:
        """The bar goes on for so long."""
        self.filled += ticks

    def close(self) -> None:
        """A new bar begins."""
        if self.filled:
            if self.is_first and self.room:
                self.pick_up = self.filled
            self.closed += self.room == 0
            self.filled = 0
            self.is_first = False

    def begin_counting(self) -> None:
        """What stands there already, a primer, does not count, nor does the bar it has begun."""
        self.closed = -1 if self.filled else 0
        self.is_first = False


class Header:
    """What stands at the beginning of a piece: a meter, then a key.

    Args:
        tokens: the model's, in the order of their ids.
        given: those that must stand there; of the other kinds the model writes one that it knows.
        kinds: what their names begin with, in order.

    >>> header = Header(["meter:4/4", "key:C", "key:D"], ["key:D"])
    >>> header.allowed(np.zeros(3, bool)).tolist(), header.feed("meter:4/4")
    ([True, False, False], True)
    >>> header.allowed(np.zeros(3, bool)).tolist()
    [False, False, True]
    """

    def __init__(
        self,
        tokens: Sequence[str],
        given: Sequence[str] = (),
        kinds: Sequence[str] = ("meter:", "key:"),
    ) -> None:
        self.tokens = tokens
        self.kinds = kinds
        self.given = {token.partition(":")[0] + ":": token for token in given}
        self.stage = 0

    @property
    def is_open(self) -> bool:
        """Whether something of it may still come."""
        return self.stage < len(self.kinds)

    def allowed(self, body: Mask) -> Mask:
        """Which tokens may come next, where `body` may follow the header."""
        for kind in self.kinds[self.stage :]:
            if kind in self.given:
                return np.array([token == self.given[kind] for token in self.tokens])
            mask = np.array([token.startswith(kind) for token in self.tokens])
            if mask.any():
                return mask
        return body

    def feed(self, token: str) -> bool:
        """A token is written: whether it is one of the header, or else closes it."""
        for stage, kind in enumerate(self.kinds[self.stage :], self.stage):
            if token.startswith(kind):
                self.stage = stage + 1
                return True
        self.stage = len(self.kinds)
        return False


def sums(parts: Collection[int], most: int) -> Mask:
    """Which numbers from 0 to `most` are sums of parts.

    >>> sums([3, 4], 8).tolist()
    [True, False, False, True, True, False, True, True, True]
    """
    possible = np.zeros(most + 1, bool)
    possible[0] = True
    for number in range(1, most + 1):
        possible[number] = any(number >= part and possible[number - part] for part in parts)
    return possible


def fitting(ticks: npt.NDArray[np.int_], possible: Mask, room: int, longest: int) -> Mask:
    """Which tokens `(V,)` pass so much time that the rest of a bar can still be filled.

    Args:
        ticks: that each token takes `(V,)`, 0 for those that are no durations.
        possible: which numbers are sums of durations.
        room: that is left.
        longest: what is added up is written the longer before the shorter.

    >>> fitting(np.array([0, 48, 24]), sums([24, 48], 96), room=24, longest=96).tolist()
    [False, False, True]
    """
    left = room - ticks
    fits: Mask = (ticks > 0) & (ticks <= longest) & (left >= 0)
    return fits & possible[np.clip(left, 0, len(possible) - 1)]
