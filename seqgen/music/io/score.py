"""A score as it is written, in exact times: what readers of notation build, before the grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple, TypeVar

from seqgen.errors import MusicError
from seqgen.music.io.repeats import Bar
from seqgen.music.piece import MOST_BARS, MOST_TICKS, TICKS_PER_QUARTER
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter, is_real_meter

MOST_NOTES = 1_000_000  # that repeats may make

Value = TypeVar("Value")
Changes = list[tuple[Fraction, Value]]


class ScoreNote(NamedTuple):
    """A note as it is written: a tie joins it to another one. Times are in quarters."""

    start: Fraction
    end: Fraction
    pitch: int  # as it sounds
    begins_tie: bool = False
    ends_tie: bool = False


@dataclass
class ScorePart:
    """The notes of one instrument, in any order."""

    notes: list[ScoreNote] = field(default_factory=list)
    program: int = 0
    is_drums: bool = False


@dataclass
class Score:
    """A score. Times are in quarters.

    Args:
        parts: the instruments.
        bars: at least one, sorted; the first begins at 0.
        length: where the last bar ends.
        meters: changes of meter; None where the bars follow no meter that people write.
        keys: changes of key; None where there is none.
        tempi: changes of tempo, in quarters per minute.
        title: the title.
        sections: where sections with a name begin.
        order: the names of the sections in the order in which they are played; empty if they are
            played as written.
    """

    parts: list[ScorePart]
    bars: list[Bar]
    length: Fraction
    meters: Changes[Meter | None] = field(default_factory=list)
    keys: Changes[Key | None] = field(default_factory=list)
    tempi: Changes[float] = field(default_factory=list)
    title: str = ""
    sections: Changes[str] = field(default_factory=list)
    order: tuple[str, ...] = ()


def require_length(quarters: Fraction) -> None:
    """Refuse a score that lasts longer than a piece may.

    Raises:
        MusicError: it does.
    """
    ticks = quarters * TICKS_PER_QUARTER
    if ticks > MOST_TICKS:
        bars = int(ticks) // TICKS_PER_WHOLE
        raise MusicError(f"lasts {bars:,} bars; expected at most {MOST_BARS:,}")


def real_meter(beats: int, beat_type: int, counts: Counter[str]) -> Meter | None:
    """Return a meter; None, and count one of the `odd meters`, if nobody writes it.

    >>> real_meter(6, 8, Counter()), real_meter(23, 32, Counter())
    (Meter(beats=6, beat_type=8), None)
    """
    if is_real_meter(beats, beat_type):
        return Meter(beats, beat_type)
    counts["odd meters"] += 1
    return None
