"""The order in which the bars of a score are played: repeats and endings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from seqgen.errors import MusicError
from seqgen.music.piece import MOST_BARS

MOST_STEPS = 10 * MOST_BARS  # played and skipped bars together


@dataclass
class Bar:
    """A bar of a score as it is written.

    Args:
        start: where the bar begins, in quarters.
        begins_repeat: whether a repeat returns to this bar.
        plays: how often the section that ends with this bar is played.
        ending: the turns in which the bar is played; empty for all of them.
    """

    start: Fraction
    begins_repeat: bool = False
    plays: int = 1
    ending: tuple[int, ...] = ()


def play_order(bars: Sequence[Bar]) -> list[int]:
    """Return the indices of the bars in the order in which they are played.

    Raises:
        MusicError: the repeats make more bars than a piece may have.

    >>> zero = Fraction(0)
    >>> play_order([Bar(zero), Bar(zero, plays=2, ending=(1,)), Bar(zero, ending=(2,))])
    [0, 1, 0, 2]
    """
    order: list[int] = []
    last_turns = _last_turns(bars)
    first, turn, i = 0, 1, 0  # the bar to which a repeat returns, and how often it was reached
    for _ in range(MOST_STEPS):
        if i == len(bars):
            return order
        bar = bars[i]
        is_behind_endings = i > 0 and bool(bars[i - 1].ending) and not bar.ending
        if i != first and (bar.begins_repeat or is_behind_endings):
            first, turn = i, 1
        if bar.ending and turn not in bar.ending:
            i += 1
            continue
        order.append(i)
        if len(order) > MOST_BARS:
            break
        if bar.plays > 1 and turn < (last_turns[i] if bar.ending else bar.plays):
            i, turn = first, turn + 1
            continue
        i += 1
        if bar.plays > 1 and not bar.ending:
            first, turn = i, 1
    raise MusicError(f"repeats make more than {MOST_BARS:,} bars")


def _last_turns(bars: Sequence[Bar]) -> list[int]:
    """Return, for each bar, the last turn of the endings that begin with it or after it."""
    turns = [0] * (len(bars) + 1)
    for i in range(len(bars) - 1, -1, -1):
        is_last = i + 1 == len(bars) or bars[i + 1].begins_repeat
        turns[i] = max(bars[i].ending, default=0)
        if bars[i].ending and not is_last:
            turns[i] = max(turns[i], turns[i + 1])
    return turns
