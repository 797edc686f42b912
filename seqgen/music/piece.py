"""A piece of music as plain data: parts of notes on a grid, bars, meters, keys and tempi."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from seqgen.errors import MusicError
from seqgen.music.signatures import Key, Meter

TICKS_PER_QUARTER = 24  # triplets of eighths are 8 ticks, of sixteenths 4
VELOCITY = 80  # default
TEMPO = 120.0  # quarters per minute; the default of MIDI
MOST_BARS = 100_000  # so that no small file takes much time or memory
MOST_TICKS = 24 * 4 * MOST_BARS
# Control characters, line ends, and what neither XML nor UTF-8 can express.
UNPRINTABLE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


class Note(NamedTuple):
    """A sounding note. Times are in ticks, from the beginning of the piece."""

    start: int
    duration: int
    pitch: int  # MIDI number: 60 is middle C
    velocity: int = VELOCITY

    @property
    def end(self) -> int:
        """The tick at which the note ends."""
        return self.start + self.duration


@dataclass(frozen=True)
class Part:
    """The notes of one instrument.

    Args:
        notes: sorted here; any number may sound together.
        program: the instrument's General MIDI program, 0 to 127.
        is_drums: whether pitches are the drums of General MIDI.
    """

    notes: tuple[Note, ...]
    program: int = 0
    is_drums: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(sorted(self.notes)))

    @property
    def is_monophonic(self) -> bool:
        """Whether no two notes sound together."""
        end = 0
        for start, duration, _, _ in self.notes:
            if start < end:
                return False
            end = start + duration
        return True


@dataclass(frozen=True)
class Piece:
    """A whole piece.

    A bar may be shorter or longer than its meter says, such as a pick-up or half a bar at a repeat.

    Args:
        parts: the instruments.
        bars: the tick at which each bar begins; the first is 0.
        length: the tick at which the last bar ends.
        meters: changes of meter, each at the beginning of a bar.
        keys: changes of key, each at the beginning of a bar.
        tempi: changes of tempo in quarters per minute, at any tick.
        title: the title, from which control characters are removed.

    Raises:
        MusicError: bars, notes and changes contradict each other.

    >>> piece = Piece((Part((Note(0, 24, 67),)),), bars=(0,), length=72, meters=((0, Meter(3, 4)),))
    >>> piece.bar_lengths
    (72,)
    """

    parts: tuple[Part, ...]
    bars: tuple[int, ...]
    length: int
    meters: tuple[tuple[int, Meter], ...] = ()
    keys: tuple[tuple[int, Key], ...] = ()
    tempi: tuple[tuple[int, float], ...] = ()
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", UNPRINTABLE.sub(" ", self.title).strip())
        ends = (*self.bars[1:], self.length)
        if not self.bars or self.bars[0] != 0 or any(map(int.__ge__, self.bars, ends)):
            raise MusicError("expected bars that begin at 0 and follow one another")
        if self.length > MOST_TICKS:
            raise MusicError(f"expected at most {MOST_TICKS:,} ticks, got {self.length:,}")
        for part in self.parts:
            for note in part.notes:
                start, duration, _, _ = note
                if start < 0 or duration < 1 or start + duration > self.length:
                    raise MusicError(f"expected notes from 0 to {self.length}, got {note}")
        if {tick for tick, _ in (*self.meters, *self.keys)} - set(self.bars):
            raise MusicError("expected meters and keys where a bar begins")

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of all parts, sorted by time."""
        return tuple(sorted(note for part in self.parts for note in part.notes))

    @property
    def tempo_changes(self) -> int:
        """The number of tempi after the first, to which generated music does not change."""
        return max(len(self.tempi) - 1, 0)

    @property
    def note_count(self) -> int:
        """The number of notes in all parts."""
        return sum(len(part.notes) for part in self.parts)

    @property
    def bar_lengths(self) -> tuple[int, ...]:
        """The length of each bar in ticks."""
        ends = (*self.bars[1:], self.length)
        return tuple(end - start for start, end in zip(self.bars, ends, strict=True))

    @property
    def meter(self) -> Meter:
        """The meter at the beginning; 4/4 by default."""
        return self.meters[0][1] if self.meters and self.meters[0][0] == 0 else Meter(4, 4)

    @property
    def key(self) -> Key | None:
        """The key at the beginning, if there is one."""
        return self.keys[0][1] if self.keys and self.keys[0][0] == 0 else None

    @property
    def tempo(self) -> float:
        """The first tempo, in quarters per minute."""
        return self.tempi[0][1] if self.tempi else TEMPO

    @property
    def is_melody(self) -> bool:
        """Whether the piece is one monophonic part."""
        return len(self.parts) == 1 and self.parts[0].is_monophonic and not self.parts[0].is_drums

    def transposed(self, semitones: int) -> Piece:
        """Return the piece transposed, apart from its drums.

        Raises:
            MusicError: a note would leave MIDI's range of pitches.
        """
        parts = []
        for part in self.parts:
            shift = 0 if part.is_drums else semitones
            notes = tuple(
                Note(start, duration, pitch + shift, velocity)
                for start, duration, pitch, velocity in part.notes
            )
            pitches = [pitch for _, _, pitch, _ in notes]
            if notes and not 0 <= min(pitches) <= max(pitches) <= 127:
                raise MusicError(f"transposed by {semitones} semitones, notes leave MIDI's range")
            parts.append(replace(part, notes=notes))
        keys = tuple((tick, key.transposed(semitones)) for tick, key in self.keys)
        return replace(self, parts=tuple(parts), keys=keys)


def regular_bars(length: int, meters: tuple[tuple[int, Meter], ...]) -> tuple[int, ...]:
    """Return the starts of bars that are as long as their meters say.

    Args:
        length: the tick up to which bars are needed.
        meters: changes of meter; 4/4 before the first.

    >>> regular_bars(200, ((0, Meter(3, 4)),))
    (0, 72, 144)
    """
    changes = [*meters, (length, Meter(4, 4))]
    if not meters or meters[0][0] > 0:
        changes.insert(0, (0, Meter(4, 4)))
    bars: list[int] = []
    for (start, meter), (end, _) in pairwise(changes):
        bars += range(start, end, meter.ticks)
    return tuple(bars) or (0,)
