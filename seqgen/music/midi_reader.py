"""MIDI files → pieces, through the events of music21's MIDI layer; no note is lost.

`music21.converter` is not used: it quantises before we can, cuts notes by ties, and merges the
channels of a file of format 0.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from seqgen.errors import MusicError
from seqgen.music.piece import MOST_TICKS, TICKS_PER_QUARTER, Part, Piece, regular_bars
from seqgen.music.quantise import Quantised, quantise
from seqgen.music.signatures import Key, Meter, is_real_meter

MOST_BYTES = 32 << 20
MOST_NOTES = 1_000_000
DRUM_CHANNEL = 10  # as music21 counts, from 1
SUSTAIN_PEDAL = 64  # number of the controller; from 64 on it is down
WINDOW = 4096  # bytes of a track looked at together: music21 copies what is left at each event

Changes = tuple[tuple[int, Any], ...]


class RawNote(NamedTuple):
    """A note in the file's own ticks."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Events:
    """What a file holds, in its own ticks."""

    division: int  # ticks per quarter
    notes: dict[tuple[int, int, int], list[RawNote]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by track, channel and program
    meters: list[tuple[int, Meter]] = field(default_factory=list)
    keys: list[tuple[int, Key]] = field(default_factory=list)
    tempi: list[tuple[int, float]] = field(default_factory=list)
    title: str = ""
    unended: int = 0  # notes that the file never ends
    odd_meters: int = 0  # that nobody writes


def read_midi(data: bytes) -> tuple[Piece, dict[str, float]]:
    """The piece that a MIDI file holds, and what there is to say about it.

    Returns:
        The piece, and counts: `notes without an end`, `odd meters`, `notes moved` onto the grid,
        and by how many milliseconds on average, `moved ms`.

    Raises:
        MusicError: the file is damaged, has no notes, or is of a kind that has no bars.

    >>> from seqgen.music.midi_writer import midi_bytes
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
        raise MusicError(f"lasts {ticks // 96:,} bars; expected at most {MOST_TICKS // 96:,}")
    quantised = quantise(events.notes, events.division)
    last = max(note.end for notes in quantised.notes.values() for note in notes)
    return _piece(events, quantised, last), {
        "notes without an end": events.unended,
        "odd meters": events.odd_meters,
        "notes moved": quantised.moved,
        "moved ms": quantised.mean_move * 60_000 / TICKS_PER_QUARTER / _mean_tempo(events),
    }


def _piece(events: Events, quantised: Quantised, last: int) -> Piece:
    scale = TICKS_PER_QUARTER / events.division
    meters = _changes(events.meters, scale, last)
    bars = regular_bars(last, meters)
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
    changes: list[tuple[int, Any]], scale: float, last: int
) -> tuple[tuple[int, Any], ...]:
    """In grid ticks, in order, before the end; of several at one time the last, none twice."""
    latest = {round(tick * scale): value for tick, value in sorted(changes, key=lambda c: c[0])}
    kept: list[tuple[int, Any]] = []
    for tick, value in latest.items():
        if tick < last and not (kept and kept[-1][1] == value):
            kept.append((tick, value))
    return tuple(kept)


def _without_short_bars(meters: Changes, bars: tuple[int, ...]) -> Changes:
    """Without those that hold for one bar, shorter than the rest: a pick-up, half a bar.

    >>> _without_short_bars(((0, Meter(1, 8)), (12, Meter(6, 8))), (0, 12, 84))
    ((0, Meter(beats=6, beat_type=8)),)
    """
    kept: list[tuple[int, Meter]] = []
    coming = [*meters, None]
    first: int | None = None  # where a pick-up begins: so does the meter that follows it
    for (tick, meter), after in zip(meters, coming[1:], strict=True):
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
    """Every change where the nearest bar begins."""
    starts = set(bars)
    moved = {
        tick if tick in starts else min(bars, key=lambda bar: abs(bar - tick)): key
        for tick, key in keys
    }
    return tuple(sorted(moved.items()))


def _mean_tempo(events: Events) -> float:
    tempi = [tempo for _, tempo in events.tempi] or [120.0]
    return sum(tempi) / len(tempi)


def read_events(data: bytes) -> Events:
    """What a MIDI file holds, in its own ticks.

    Raises:
        MusicError: see `read_midi`.
    """
    if len(data) > MOST_BYTES:
        raise MusicError(f"is larger than {MOST_BYTES >> 20} MB")
    division, chunks = _header(data)
    events = Events(division)
    programs = [0] * 17  # by channel; a file may set them in a track without notes
    for number, chunk in enumerate(chunks):
        _Track(events, number, programs).read(chunk)
    return events


def _header(data: bytes) -> tuple[int, list[bytes]]:
    """The ticks per quarter, and the data of every track."""
    if len(data) < 14 or data[:4] != b"MThd":
        raise MusicError("is no MIDI file, or only the beginning of one")
    length, kind, _, division = struct.unpack(">IHHH", data[4:14])
    if kind not in (0, 1):
        raise MusicError(f"is a MIDI file of format {kind}; expected 0 or 1")
    if division & 0x8000:
        raise MusicError("counts time in film frames (SMPTE), not in beats")
    if division == 0:
        raise MusicError("is damaged: a quarter has no ticks")
    chunks, place = [], 8 + length
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "big")
        if data[place : place + 4] == b"MTrk":
            chunks.append(data[place + 8 : place + 8 + size])
        place += 8 + size
    return division, chunks


def timed_events(data: bytes) -> Iterator[tuple[int, Any]]:
    """The ticks before each event of a track, and the event, as music21 reads it.

    Its own loop copies all that is left of a track at every event; here that is at most a window.
    An event that music21 does not know is skipped, the time before it is kept.

    Raises:
        MusicError: the track is damaged.
    """
    from music21.midi import MidiEvent, MidiException
    from music21.midi.base import getVariableLengthNumber

    place, size, status, waited = 0, WINDOW, None, 0
    while place < len(data):
        window = rest = data[place : place + size]
        is_last = place + size >= len(data)
        while rest:
            event = MidiEvent()
            event.lastStatusByte = status
            try:
                ticks, after = getVariableLengthNumber(rest)
                remaining = event.read(after)
            except MidiException:
                ticks, remaining, event = ticks, after, None
            except (IndexError, ValueError) as error:
                if is_last:
                    raise MusicError(f"is damaged, or cut off: {error}") from error
                break
            if not remaining and not is_last:
                break  # the event may reach beyond the window
            rest, waited = remaining, waited + ticks
            if event is not None:
                status = event.lastStatusByte
                yield waited, event
                waited = 0
        consumed = len(window) - len(rest)
        place += consumed
        size = WINDOW if consumed else 2 * size


class _Track:
    """Listens to one track's events."""

    def __init__(self, events: Events, number: int, programs: list[int]) -> None:
        self.events = events
        self.number = number
        self.programs = programs
        self.notes_begun = sum(map(len, events.notes.values()))
        self.sounding: dict[tuple[int, int], list[tuple[int, int, int]]] = defaultdict(list)
        self.held: dict[int, list[tuple[int, int, int, int]]] = {}  # by pedals

    def read(self, data: bytes) -> None:
        """Add what the track holds to the events."""
        from music21.midi import ChannelVoiceMessages, MetaEvents

        note_on, note_off = ChannelVoiceMessages.NOTE_ON, ChannelVoiceMessages.NOTE_OFF
        others = {
            ChannelVoiceMessages.PROGRAM_CHANGE: self._program,
            ChannelVoiceMessages.CONTROLLER_CHANGE: self._controller,
            MetaEvents.SET_TEMPO: self._tempo,
            MetaEvents.TIME_SIGNATURE: self._meter,
            MetaEvents.KEY_SIGNATURE: self._key,
            MetaEvents.SEQUENCE_TRACK_NAME: self._name,
        }
        now = 0
        for ticks, event in timed_events(data):
            now += ticks
            kind = event.type
            if kind is note_on and event.parameter2:
                channel = event.channel
                begun = (now, event.parameter2, self.programs[channel])
                self.sounding[channel, event.parameter1].append(begun)
            elif kind is note_on or kind is note_off:
                self._end(now, event.channel, event.parameter1)
            elif kind in others:
                others[kind](now, event)
        self._end_all(now)

    def _end(self, now: int, channel: int, pitch: int) -> None:
        """Of notes of one pitch that sound together, the first begun ends first."""
        begun = self.sounding.get((channel, pitch))
        if not begun:
            return
        start, velocity, program = begun.pop(0)
        if channel in self.held:  # by its pedal
            self.held[channel].append((start, pitch, velocity, program))
        else:
            self._add(channel, program, RawNote(start, now, pitch, velocity))

    def _add(self, channel: int, program: int, note: RawNote) -> None:
        self.events.notes[self.number, channel, program].append(note)

    def _end_all(self, now: int) -> None:
        """At the end of the track."""
        for channel in list(self.held):
            self._release(now, channel)
        for (channel, pitch), begun in self.sounding.items():
            for start, velocity, program in begun:
                self._add(channel, program, RawNote(start, max(now, start), pitch, velocity))
                self.events.unended += 1

    def _release(self, now: int, channel: int) -> None:
        """The pedal goes up: what only it held ends, unless it was struck anew before."""
        struck: dict[int, int] = {}
        for start, pitch, velocity, program in sorted(self.held.pop(channel), reverse=True):
            end = struck.get(pitch, now)
            sounding = self.sounding.get((channel, pitch))
            if pitch not in struck and sounding:
                end = sounding[0][0]
            struck[pitch] = start
            self._add(channel, program, RawNote(start, max(end, start), pitch, velocity))

    def _program(self, now: int, event: Any) -> None:
        self.programs[event.channel] = int(event.parameter1) & 127

    def _controller(self, now: int, event: Any) -> None:
        if event.parameter1 != SUSTAIN_PEDAL:
            return
        if event.parameter2 >= 64:
            self.held.setdefault(event.channel, [])
        elif event.channel in self.held:
            self._release(now, event.channel)

    def _tempo(self, now: int, event: Any) -> None:
        microseconds = int.from_bytes(event.parameter1[:3], "big")
        if microseconds:
            self.events.tempi.append((now, round(60_000_000 / microseconds, 3)))

    def _meter(self, now: int, event: Any) -> None:
        if len(event.parameter1) < 2:
            return
        beats, power = event.parameter1[:2]
        beat_type = 1 << min(power, 7)
        if is_real_meter(beats, beat_type):
            self.events.meters.append((now, Meter(beats, beat_type)))
        else:
            self.events.odd_meters += 1

    def _key(self, now: int, event: Any) -> None:
        if len(event.parameter1) < 2:
            return
        sharps = (event.parameter1[0] + 128) % 256 - 128
        if -7 <= sharps <= 7:
            mode = "minor" if event.parameter1[1] else "major"
            self.events.keys.append((now, Key(sharps, mode)))

    def _name(self, now: int, event: Any) -> None:
        if not self.events.title:
            self.events.title = event.parameter1.decode("utf-8", "replace").strip("\0 ")
