"""A piece of music as plain data: parts of notes on a grid, bars, meters, keys and tempi."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from seqgen.errors import MusicError
from seqgen.music.signatures import Key, Meter

TICKS_PER_QUARTER = 24  # triplets of eighths are 8 ticks, of sixteenths 4
VELOCITY = 80  # of a note that nobody gave one
TEMPO = 120.0  # quarters per minute, where nothing is said; so MIDI has it
MOST_BARS = 100_000  # no small file costs time or memory
MOST_TICKS = 24 * 4 * MOST_BARS


class Note(NamedTuple):
    """A sounding note; times are ticks from the beginning of its piece."""

    start: int
    duration: int
    pitch: int  # as MIDI counts: 60 is middle C
    velocity: int = VELOCITY

    @property
    def end(self) -> int:
        """The tick at which it stops."""
        return self.start + self.duration


@dataclass(frozen=True)
class Part:
    """What one instrument plays.

    Args:
        notes: in the order of time; any number may sound at once.
        program: General MIDI's number of the instrument, 0 to 127.
        is_drums: pitches are then General MIDI's drums.
    """

    notes: tuple[Note, ...]
    program: int = 0
    is_drums: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(sorted(self.notes)))

    @property
    def is_monophonic(self) -> bool:
        """Whether no two notes sound at once."""
        end = 0
        for start, duration, _, _ in self.notes:
            if start < end:
                return False
            end = start + duration
        return True


@dataclass(frozen=True)
class Piece:
    """A whole piece.

    `bars` holds the tick at which each bar begins, the first of them 0; a bar may be shorter or
    longer than its meter says (a pick-up, half a bar at a repeat). Meters and keys change where
    a bar begins; tempi, in quarters per minute, anywhere.

    Raises:
        MusicError: the numbers contradict each other.

    >>> piece = Piece((Part((Note(0, 24, 67),)),), bars=(0,), length=72, meters=((0, Meter(3, 4)),))
    >>> piece.bar_lengths
    (72,)
    """

    parts: tuple[Part, ...]
    bars: tuple[int, ...]
    length: int  # ticks, to the end of the last bar
    meters: tuple[tuple[int, Meter], ...] = ()
    keys: tuple[tuple[int, Key], ...] = ()
    tempi: tuple[tuple[int, float], ...] = ()
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
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
        """The notes of all parts, in the order of time."""
        return tuple(sorted(note for part in self.parts for note in part.notes))

    @property
    def note_count(self) -> int:
        """The number of notes of all parts."""
        return sum(len(part.notes) for part in self.parts)

    @property
    def bar_lengths(self) -> tuple[int, ...]:
        """The ticks that each bar takes."""
        ends = (*self.bars[1:], self.length)
        return tuple(end - start for start, end in zip(self.bars, ends, strict=True))

    @property
    def meter(self) -> Meter:
        """The one that it begins with; 4/4 where nothing is said."""
        return self.meters[0][1] if self.meters and self.meters[0][0] == 0 else Meter(4, 4)

    @property
    def key(self) -> Key | None:
        """The one that it begins with, if that is said."""
        return self.keys[0][1] if self.keys and self.keys[0][0] == 0 else None

    @property
    def tempo(self) -> float:
        """Quarters per minute, at its beginning."""
        return self.tempi[0][1] if self.tempi else TEMPO

    @property
    def is_melody(self) -> bool:
        """Whether one instrument plays it, a note at a time."""
        return len(self.parts) == 1 and self.parts[0].is_monophonic and not self.parts[0].is_drums

    def transposed(self, semitones: int) -> Piece:
        """The piece so many semitones higher; drums stay.

        Raises:
            MusicError: a note would be higher or lower than MIDI has it.
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
    """Where bars begin that fill their meter, to the end of what is that long.

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
