"""MIDI files → pieces, by music21's MIDI layer, without losing a note.

`music21.converter` is not used: it has a quantiser of its own, cuts notes into tied ones, and
merges the channels of files of format 0.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TypeVar

from seqgen.errors import MusicError
from seqgen.music.io.midi_events import Events, Voice, read_events
from seqgen.music.io.quantise import Quantised, quantise
from seqgen.music.piece import (
    MOST_BARS,
    MOST_TICKS,
    TEMPO,
    TICKS_PER_QUARTER,
    Part,
    Piece,
    regular_bars,
)
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter

DRUM_CHANNEL = 10  # counted from 1, as music21 does

Value = TypeVar("Value")
Meters = tuple[tuple[int, Meter], ...]


def read_midi(data: bytes) -> tuple[Piece, dict[str, float]]:
    """Read the piece of a MIDI file.

    Returns:
        The piece, and the counts `tracks cut off or missing`, `notes without an end`, `odd meters`
        and `notes moved` onto the grid, the last with their mean distance in milliseconds, `moved
        ms`.

    Raises:
        MusicError: the file is damaged, has no notes, or does not count time in beats.

    >>> from seqgen.music.io.midi_writer import midi_bytes
    >>> from seqgen.music.piece import Note
    >>> scale = Part(tuple(Note(24 * i, 24, 60 + i) for i in range(4)))
    >>> piece = Piece((scale,), bars=(0,), length=96)
    >>> read_midi(midi_bytes(piece))[0].parts == piece.parts
    True
    """
    events = read_events(data)
    if not events.notes:
        raise MusicError("holds no notes")
    last = max(note.end for notes in events.notes.values() for note in notes)
    if (ticks := last * TICKS_PER_QUARTER // events.division) >= MOST_TICKS:
        raise MusicError(f"lasts {ticks // TICKS_PER_WHOLE:,} bars; expected at most {MOST_BARS:,}")
    quantised = quantise(events.notes, events.division)
    last = max(note.end for notes in quantised.notes.values() for note in notes)
    return _piece(events, quantised, last), {
        "tracks cut off or missing": events.cut_off,
        "notes without an end": events.unended,
        "odd meters": events.odd_meters,
        "notes moved": quantised.moved,
        "moved ms": quantised.mean_move * 60_000 / TICKS_PER_QUARTER / _mean_tempo(events),
    }


def _piece(events: Events, quantised: Quantised[Voice], last: int) -> Piece:
    scale = TICKS_PER_QUARTER / events.division
    meters = _changes(events.meters, scale, last)
    bars = regular_bars(last, meters)
    if len(bars) > MOST_BARS:
        raise MusicError(f"has {len(bars):,} bars; expected at most {MOST_BARS:,}")
    meter = meters[-1][1] if meters else Meter(4, 4)
    meters = _without_short_bars(meters, bars)
    return Piece(
        tuple(
            Part(tuple(notes), 0 if channel == DRUM_CHANNEL else program, channel == DRUM_CHANNEL)
            for (_, channel, program), notes in quantised.notes.items()
        ),
        bars,
        bars[-1] + meter.ticks,
        meters,
        _at_bars(_changes(events.keys, scale, last), bars),
        _changes(events.tempi, scale, last),
        events.title,
    )


def _changes(
    changes: list[tuple[int, Value]], scale: float, last: int
) -> tuple[tuple[int, Value], ...]:
    """Return changes in ticks of the grid, sorted, without repetitions and those after the end."""
    latest = {round(tick * scale): value for tick, value in sorted(changes, key=lambda c: c[0])}
    kept: list[tuple[int, Value]] = []
    for tick, value in latest.items():
        if tick < last and not (kept and kept[-1][1] == value):
            kept.append((tick, value))
    return tuple(kept)


def _without_short_bars(meters: Meters, bars: tuple[int, ...]) -> Meters:
    """Remove meters of a single bar that is shorter than the others: a pick-up or half a bar.

    >>> _without_short_bars(((0, Meter(1, 8)), (12, Meter(6, 8))), (0, 12, 84))
    ((0, Meter(beats=6, beat_type=8)),)
    """
    kept: list[tuple[int, Meter]] = []
    following = [*meters, None][1:]
    first: int | None = None  # start of a pick-up, where the next meter then begins
    for (tick, meter), after in zip(meters, following, strict=True):
        before = kept[-1][1] if kept else None
        if after is None:
            is_short = tick == bars[-1] and before is not None and meter.ticks < before.ticks
        else:
            is_one_bar = after[0] == tick + meter.ticks and after[1].ticks > meter.ticks
            is_short = is_one_bar and before in (None, after[1])
        if is_short:
            first = tick if before is None else None
        elif meter != before:
            kept.append((tick if first is None else first, meter))
            first = None
    return tuple(kept)


def _at_bars(
    keys: tuple[tuple[int, Key], ...], bars: tuple[int, ...]
) -> tuple[tuple[int, Key], ...]:
    """Move every change to the nearest bar line."""
    moved = {}
    for tick, key in keys:
        after = bisect_left(bars, tick)
        near = bars[max(after - 1, 0) : after + 1]
        moved[min(near, key=lambda bar: abs(bar - tick))] = key
    return tuple(sorted(moved.items()))


def _mean_tempo(events: Events) -> float:
    tempi = [tempo for _, tempo in events.tempi] or [TEMPO]
    return sum(tempi) / len(tempi)
