"""MIDI files → pieces, without losing a note."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import TypeVar

import numpy as np

from seqgen.errors import MusicError
from seqgen.music.io.midi_events import MetaEvent, MidiFile, Track, read_events
from seqgen.music.io.midi_frames import in_quarters, tempo_of
from seqgen.music.io.midi_notes import Notes, read_notes
from seqgen.music.io.midi_scan import INCOMPLETE, LONG_NUMBER, NO_END, NO_STATUS
from seqgen.music.io.midi_text import decode_text
from seqgen.music.io.quantise import Quantised, quantise
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import (
    MOST_BARS,
    MOST_TICKS,
    TEMPO,
    TICKS_PER_QUARTER,
    Note,
    Part,
    Piece,
    regular_bars,
)
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter, is_real_meter, is_real_tempo

DRUM_CHANNEL = 9  # counted from 0, as in the file
TRACK_NAME, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x58, 0x59  # meta events

Value = TypeVar("Value")
Change = tuple[int, Value]
Meters = tuple[Change[Meter], ...]


def read_midi(data: bytes) -> ReadResult:
    """Read the pieces of a MIDI file: one, or those of all tracks of a file of format 2.

    Returns:
        The pieces, and the counts `tracks cut off or missing`, `tracks read up to ...` what is
        damaged, `damaged events`, `notes without an end`, `odd meters`, `odd tempi` and `notes
        moved` onto the grid, the last with their mean distance in milliseconds, `moved ms`.

    Raises:
        MusicError: the file is damaged or has no notes.

    >>> from seqgen.music.io.midi_writer import midi_bytes
    >>> scale = Part(tuple(Note(24 * i, 24, 60 + i) for i in range(4)))
    >>> piece = Piece((scale,), bars=(0,), length=96)
    >>> read_midi(midi_bytes(piece)).pieces[0].parts == piece.parts
    True
    """
    file = read_events(data)
    counts: Counter[str] = Counter()
    pieces, skipped, moved_ms = [], [], 0.0
    for number, own in enumerate(_files(file), 1):
        try:
            piece, ms = _read(in_quarters(own), counts)
            pieces.append(piece)
            moved_ms += ms
        except MusicError as error:
            if not file.is_collection:
                raise
            skipped.append(f"track {number} {error}")
    if not pieces:
        raise MusicError(f"holds no notes{_first_fault(file.tracks)}")
    faults = Counter(track.fault for track in file.tracks)
    return ReadResult(
        tuple(pieces),
        {
            "tracks cut off or missing": file.missing + faults[NO_END] + faults[INCOMPLETE],
            **{f"tracks read up to {fault}": faults[fault] for fault in (NO_STATUS, LONG_NUMBER)},
            "damaged events": sum(track.damaged for track in file.tracks),
            **counts,
            "moved ms": moved_ms / max(counts["notes moved"], 1),
        },
        skipped=tuple(skipped),
    )


def _files(file: MidiFile) -> list[MidiFile]:
    """Return a file for every piece."""
    return (
        [replace(file, tracks=[track]) for track in file.tracks] if file.is_collection else [file]
    )


def _read(file: MidiFile, counts: Counter[str]) -> tuple[Piece, float]:
    """Return the piece of all tracks, and by how many ms notes were moved in sum; add to counts."""
    notes = read_notes(file.tracks)
    if not len(notes.starts):
        raise MusicError(f"holds no notes{_first_fault(file.tracks)}")
    last = int(notes.ends.max())
    if (ticks := last * TICKS_PER_QUARTER // file.division) >= MOST_TICKS:
        raise MusicError(f"lasts {ticks // TICKS_PER_WHOLE:,} bars; expected at most {MOST_BARS:,}")
    quantised = quantise(notes.starts, notes.ends, file.division)
    changes = _Changes.of(file)
    counts["notes without an end"] += notes.unended
    counts["odd meters"] += changes.odd_meters
    counts["odd tempi"] += changes.odd_tempi
    counts["notes moved"] += quantised.moved
    ms = quantised.mean_move * 60_000 / TICKS_PER_QUARTER / changes.mean_tempo
    return _piece(changes, notes, quantised), ms * quantised.moved


def _first_fault(tracks: list[Track]) -> str:
    """Return what is wrong with the first damaged track, for a message."""
    for number, track in enumerate(tracks, 1):
        if track.fault:
            return f"; track {number} has {track.fault} at byte {track.stop:,}"
    return ""


@dataclass
class _Changes:
    """What a file says besides notes; times are ticks of the grid."""

    meters: list[Change[Meter]]
    keys: list[Change[Key]]
    tempi: list[Change[float]]
    title: str
    odd_meters: int = 0  # that nobody writes, which are ignored
    odd_tempi: int = 0  # at which nobody plays, which are ignored

    @classmethod
    def of(cls, file: MidiFile) -> _Changes:
        changes = cls([], [], [], "")
        scale = TICKS_PER_QUARTER / file.division
        events = [event for track in file.tracks for event in track.metas]
        for event in sorted(events, key=lambda event: event.tick):
            changes._add(event, round(event.tick * scale))
        return changes

    def _add(self, event: MetaEvent, tick: int) -> None:
        data = event.data
        if event.kind == TRACK_NAME and not self.title:
            self.title = decode_text(data)
        elif (tempo := tempo_of(event)) is not None:
            if is_real_tempo(tempo):
                self.tempi.append((tick, tempo))
            else:
                self.odd_tempi += 1
        elif event.kind == TIME_SIGNATURE and len(data) >= 2:
            meter = Meter(data[0], 1 << min(data[1], 7))
            if is_real_meter(*meter):
                self.meters.append((tick, meter))
            else:
                self.odd_meters += 1
        elif event.kind == KEY_SIGNATURE and len(data) >= 2:
            sharps = (data[0] + 128) % 256 - 128  # a signed byte
            if -7 <= sharps <= 7:
                self.keys.append((tick, Key(sharps, "minor" if data[1] else "major")))

    @property
    def mean_tempo(self) -> float:
        tempi = [tempo for _, tempo in self.tempi] or [TEMPO]
        return sum(tempi) / len(tempi)


def _piece(changes: _Changes, notes: Notes, quantised: Quantised) -> Piece:
    last = int((quantised.starts + quantised.durations).max())
    meters = _until(last, changes.meters)
    bars = regular_bars(last, meters)
    if len(bars) > MOST_BARS:
        raise MusicError(f"has {len(bars):,} bars; expected at most {MOST_BARS:,}")
    meter = meters[-1][1] if meters else Meter(4, 4)
    meters = _without_short_bars(meters, bars)
    return Piece(
        _parts(notes, quantised),
        bars,
        bars[-1] + meter.ticks,
        meters,
        _at_bars(_until(last, changes.keys), bars),
        _until(last, changes.tempi),
        changes.title,
    )


def _parts(notes: Notes, quantised: Quantised) -> tuple[Part, ...]:
    """Return a part for every program of every channel of every track."""
    voices = (notes.tracks * 16 + notes.channels) * 128 + notes.programs
    order = np.argsort(voices * MOST_TICKS + quantised.starts)
    bounds = np.flatnonzero(np.diff(voices[order], prepend=-1, append=-1)).tolist()
    fields = (quantised.starts, quantised.durations, notes.pitches, notes.velocities)
    rows = zip(*(field[order].tolist() for field in fields), strict=True)
    parts = []
    for first, after in pairwise(bounds):
        part = tuple(map(Note._make, islice(rows, after - first)))
        is_drums = bool(notes.channels[order[first]] == DRUM_CHANNEL)
        program = 0 if is_drums else int(notes.programs[order[first]])
        parts.append(Part(part, program, is_drums))
    return tuple(parts)


def _until(last: int, changes: list[Change[Value]]) -> tuple[Change[Value], ...]:
    """Return sorted changes without repetitions and those after the end; the last of a tick counts.

    >>> _until(96, [(0, 120.0), (0, 60.0), (24, 60.0), (96, 90.0)])
    ((0, 60.0),)
    """
    kept: list[Change[Value]] = []
    for tick, value in dict(changes).items():
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
