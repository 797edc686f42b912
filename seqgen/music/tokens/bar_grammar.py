"""The common part of both grammars: the header of a piece, and bars that are filled exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from seqgen.music.signatures import TICKS_PER_WHOLE, Meter
from seqgen.music.tokens.bar_tokens import KEY, METER
from seqgen.types import Mask

NARROW_RANGE = 7  # semitones; in a smaller range the model would mostly rest
LONGEST_BAR = 16 * TICKS_PER_WHOLE


class Bars:
    """Counts full bars.

    Args:
        wanted: number of full bars after a pick-up, or None for any number.

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
        self.filled = 0  # ticks of the current bar that have passed
        self.closed = 0  # full bars before the current one
        self.is_first = True  # the current bar may be a pick-up
        self.pick_up = 0  # length of the pick-up in ticks

    @property
    def room(self) -> int:
        """The ticks left in the current bar."""
        return max(self.meter.ticks - self.filled, 0)

    @property
    def full(self) -> int:
        """The number of full bars, including the current one if it is full."""
        return self.closed + (self.room == 0)

    @property
    def is_done(self) -> bool:
        """Whether the wanted number of bars is full."""
        return self.wanted is not None and self.full >= self.wanted and self.room == 0

    @property
    def may_close(self) -> bool:
        """Whether the current bar may end here: it is full, or a pick-up."""
        return self.room == 0 or (self.is_first and self.filled > 0)

    @property
    def may_end(self) -> bool:
        """Whether a piece of any number of bars may end here.

        Its last bar must be full, or full together with the pick-up.
        """
        if self.wanted is not None or not self.filled:
            return False
        return self.room in (0, self.pick_up)

    def pass_time(self, ticks: int) -> None:
        """Fill the current bar by more ticks."""
        self.filled += ticks

    def close(self) -> None:
        """End the current bar and begin the next one."""
        if self.filled:
            if self.is_first and self.room:
                self.pick_up = self.filled
            self.closed += self.room == 0
            self.filled = 0
            self.is_first = False

    def begin_counting(self) -> None:
        """Do not count the bars so far, those of a primer, nor the bar that the primer began."""
        self.closed = -1 if self.filled else 0
        self.is_first = False


class Header:
    """The beginning of a piece: a meter, then a key.

    Args:
        tokens: the vocabulary, in the order of ids.
        given: header tokens that are required. The model chooses the others.

    >>> header = Header(["meter:4/4", "key:C", "key:D"], ["key:D"])
    >>> header.allowed(np.zeros(3, bool)).tolist(), header.feed("meter:4/4")
    ([True, False, False], True)
    >>> header.allowed(np.zeros(3, bool)).tolist()
    [False, False, True]
    """

    KINDS = (METER, KEY)

    def __init__(self, tokens: Sequence[str], given: Sequence[str] = ()) -> None:
        self.tokens = tokens
        self.given = {token.partition(":")[0] + ":": token for token in given}
        self.stage = 0  # index of the first kind that may still come

    @property
    def is_open(self) -> bool:
        """Whether a header token may still come."""
        return self.stage < len(self.KINDS)

    def allowed(self, body: Mask) -> Mask:
        """Which tokens may come next `(V,)`, where `body` is what may follow the header."""
        for kind in self.KINDS[self.stage :]:
            if kind in self.given:
                return np.array([token == self.given[kind] for token in self.tokens])
            mask = np.array([token.startswith(kind) for token in self.tokens])
            if mask.any():
                return mask
        return body

    def feed(self, token: str) -> bool:
        """Read one token and return whether it belongs to the header; another one ends it."""
        for stage, kind in enumerate(self.KINDS[self.stage :], self.stage):
            if token.startswith(kind):
                self.stage = stage + 1
                return True
        self.stage = len(self.KINDS)
        return False


class BarGrammar(ABC):
    """Follows a piece token by token and tells which tokens may come next.

    Args:
        tokens: the vocabulary, in the order of ids.
        bars: number of full bars, or None to let the model end the piece.
        header: the required meter and key tokens. The model chooses what is not given.
        lowest, highest: the range of pitches, inclusive. In a narrow one there are no rests, which
            would take the probability of the notes outside it.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        bars: int | None = None,
        header: Sequence[str] = (),
        lowest: int = 0,
        highest: int = 127,
    ) -> None:
        self.tokens = tokens
        self.bars = Bars(bars)
        self.header = Header(tokens, header)
        self.shortest = LONGEST_BAR  # last member of the sum of ticks that is being written
        self.is_narrow = highest - lowest < NARROW_RANGE
        self._set_up(lowest, highest)

    @abstractmethod
    def _set_up(self, lowest: int, highest: int) -> None:
        """Set up the state, and arrays `(V,)` that describe the vocabulary."""

    @property
    @abstractmethod
    def has_notes(self) -> bool:
        """Whether the vocabulary has a note in the range."""

    @property
    def is_finished(self) -> bool:
        """Whether all bars are written."""
        return self.bars.is_done

    @property
    def may_end(self) -> bool:
        """Whether the end token may come next."""
        return self.bars.may_end

    @abstractmethod
    def allowed(self) -> Mask:
        """Which tokens may come next `(V,)`, apart from the end token."""

    def feed(self, token_id: int) -> None:
        """Read the next token of the piece."""
        token = self.tokens[token_id]
        in_header = self.header.is_open and self.header.feed(token)
        if token.startswith(METER):  # one after the header comes from a primer
            self.bars.meter = Meter.parse(token.removeprefix(METER))
        elif not in_header:
            self._feed_body(token)

    @abstractmethod
    def _feed_body(self, token: str) -> None:
        """Read a token that is neither a meter nor part of the header."""


def reachable_sums(parts: Collection[int], highest: int) -> Mask:
    """Which numbers from 0 to `highest` are sums of `parts`, `(highest + 1,)`.

    >>> reachable_sums([3, 4], 8).tolist()
    [True, False, False, True, True, False, True, True, True]
    """
    reachable = np.zeros(highest + 1, bool)
    reachable[0] = True
    for number in range(1, highest + 1):
        reachable[number] = any(number >= part and reachable[number - part] for part in parts)
    return reachable


def fitting(ticks: npt.NDArray[np.int_], reachable: Mask, room: int, longest: int) -> Mask:
    """Which tokens `(V,)` leave a rest of the bar that other tokens can fill.

        fits[v] = 0 < ticks[v] <= min(longest, room)  and  reachable[room - ticks[v]]

    Args:
        ticks: the length of each token `(V,)`, 0 for tokens without one.
        reachable: which lengths are sums of tokens, from `reachable_sums`.
        room: ticks left in the bar.
        longest: ticks of the token before, since sums are written in descending order.

    >>> reachable = reachable_sums([24, 48], 96)
    >>> fitting(np.array([0, 48, 24]), reachable, room=24, longest=96).tolist()
    [False, False, True]
    """
    left = room - ticks
    fits: Mask = (ticks > 0) & (ticks <= longest) & (left >= 0)
    return fits & reachable[np.clip(left, 0, len(reachable) - 1)]


def fitting_tokens(tokens: Sequence[str], ticks: Mapping[str, int]) -> Callable[[int, int], Mask]:
    """Return `fitting` of a vocabulary as a function of `room` and `longest`, with a cache.

    Args:
        tokens: the vocabulary, in the order of ids.
        ticks: token → its length.
    """
    lengths = np.array([ticks.get(token, 0) for token in tokens])
    reachable = reachable_sums(set(lengths.tolist()) - {0}, LONGEST_BAR)
    return cache(partial(fitting, lengths, reachable))
