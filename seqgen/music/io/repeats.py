"""The order in which the bars of a score are played: repeats, endings and jumps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from seqgen.errors import MusicError
from seqgen.music.io.jumps import FINE, codas, targets, with_to_coda
from seqgen.music.piece import MOST_BARS

MOST_TURNS = 32  # of an ending
MOST_STEPS = 10 * MOST_BARS  # played and skipped bars together


@dataclass
class Bar:
    """A bar of a score as it is written.

    Args:
        start: where the bar begins, in quarters.
        begins_repeat: whether a repeat returns to this bar.
        plays: how often the section that ends with this bar is played.
        ending: the turns in which the bar is played; empty for all of them.
        marks: of jumps, from `seqgen.music.io.jumps`: those that begin with the bar or follow it.
        repeats_after_jump: whether the repeat that ends with the bar is played after a jump, too.
        begins_section: whether a repeat that does not say where it begins returns to this bar, at
            the latest.
    """

    start: Fraction
    begins_repeat: bool = False
    plays: int = 1
    ending: tuple[int, ...] = ()
    marks: set[str] = field(default_factory=set)
    repeats_after_jump: bool = False
    begins_section: bool = False


def play_order(bars: Sequence[Bar]) -> list[int]:
    """Return the indices of the bars in the order in which they are played.

    A jump is followed once, after the repeats that end with its bar. From there on, repeats are
    not played and the last of several endings is, up to the end or the coda; there the word Fine
    ends the piece, and the words To Coda lead to the coda.

    Raises:
        MusicError: the repeats make more bars than a piece may have.

    >>> zero = Fraction(0)
    >>> play_order([Bar(zero), Bar(zero, plays=2, ending=(1,)), Bar(zero, ending=(2,))])
    [0, 1, 0, 2]
    >>> play_order([Bar(zero, plays=2, marks={"fine"}), Bar(zero, marks={"da capo"})])
    [0, 0, 1, 0]
    """
    walk = _Walk(bars)
    for _ in range(MOST_STEPS):
        if walk.now >= len(bars):
            return walk.order
        walk.step()
        if len(walk.order) > MOST_BARS:
            break
    raise MusicError(f"repeats make more than {MOST_BARS:,} bars")


class _Walk:
    """The way through the bars."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self.bars = bars
        self.order: list[int] = []
        self.now = 0
        self._marks = with_to_coda([bar.marks for bar in bars])
        self._targets, self._codas = targets(self._marks), codas(self._marks)
        self._last_turns = _last_turns(bars)
        self._first, self._turn = 0, 1  # to which a repeat returns, and how often it was reached
        self._is_open = False  # whether a sign says that it returns there
        self._taken: set[int] = set()  # bars whose jump was followed
        self._has_jumped = False
        self._plays_repeats = True

    def step(self) -> None:
        """Play or skip a bar, and go to the next."""
        i, bar = self.now, self.bars[self.now]
        follows_endings = i > 0 and bool(self.bars[i - 1].ending) and not bar.ending
        begins_section = bar.begins_section and not (self._is_open or bar.ending)
        if i != self._first and (bar.begins_repeat or follows_endings or begins_section):
            self._first, self._turn, self._is_open = i, 1, False
        self._is_open |= bar.begins_repeat
        turn = self._turn if self._plays_repeats else self._last_turns[i]
        if bar.ending and turn not in bar.ending:
            self.now += 1
            return
        self.order.append(i)
        plays = self._last_turns[i] if bar.ending else bar.plays
        is_repeated = self._plays_repeats or bar.repeats_after_jump
        if bar.plays > 1 and is_repeated and self._turn < plays:
            self.now, self._turn = self._first, self._turn + 1
            return
        if bar.plays > 1 and not bar.ending:
            self._first, self._turn, self._is_open = i + 1, 1, False
        self.now = self._after(i)

    def _after(self, i: int) -> int:
        """Return the bar after the last turn of bar i."""
        coda, target = self._codas[i], self._targets[i]
        if self._has_jumped and FINE in self._marks[i]:
            return len(self.bars)
        if self._has_jumped and coda is not None:
            self._plays_repeats = True
            self._first, self._turn = coda, 1
            return coda
        if target is None or i in self._taken:
            return i + 1
        self._taken.add(i)
        self._has_jumped, self._plays_repeats = True, False
        self._first, self._turn = target, 1
        return target


def _last_turns(bars: Sequence[Bar]) -> list[int]:
    """Return, for each bar, the last turn of the endings that begin with it or after it."""
    turns = [0] * (len(bars) + 1)
    for i in range(len(bars) - 1, -1, -1):
        is_last = i + 1 == len(bars) or bars[i + 1].begins_repeat
        turns[i] = max(bars[i].ending, default=0)
        if bars[i].ending and not is_last:
            turns[i] = max(turns[i], turns[i + 1])
    return turns


def parse_turns(text: str) -> tuple[int, ...]:
    """Return the turns of an ending.

    >>> parse_turns("1,3"), parse_turns("1-3"), parse_turns('"last time"')
    ((1, 3), (1, 2, 3), ())
    """
    turns: list[int] = []
    for first, last in re.findall(r"(\d{1,3})(?:-(\d{1,3}))?", text):
        turns += range(int(first), int(last or first) + 1)
    return tuple(turn for turn in turns if 0 < turn <= MOST_TURNS)
