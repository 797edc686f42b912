"""What a MIDI file holds, in its own ticks: the events of music21's MIDI layer, heard."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from seqgen.errors import MusicError
from seqgen.music.signatures import Key, Meter, is_real_meter

MOST_BYTES = 32 << 20
MOST_NOTES = 1_000_000
SUSTAIN_PEDAL = 64  # number of the controller; from 64 on it is down
WINDOW = 4096  # bytes of a track looked at together: music21 copies what is left at each event


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
    count: int = 0  # of notes
    unended: int = 0  # notes that the file never ends
    odd_meters: int = 0  # that nobody writes


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
        self.events.count += 1
        if self.events.count > MOST_NOTES:
            raise MusicError(f"holds more than {MOST_NOTES:,} notes")
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
