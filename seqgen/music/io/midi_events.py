"""What a MIDI file holds, in its own ticks: the events of music21's MIDI layer, heard."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import Any, NamedTuple

from seqgen.errors import MusicError
from seqgen.music.signatures import Key, Meter, is_real_meter

MOST_BYTES = 32 << 20
MOST_NOTES = 1_000_000
END_OF_TRACK = b"\xff\x2f\x00"
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
    cut_off: int = 0  # tracks that are not there to their end


def read_events(data: bytes) -> Events:
    """What a MIDI file holds, in its own ticks.

    Raises:
        MusicError: see `read_midi`.
    """
    if len(data) > MOST_BYTES:
        raise MusicError(f"is larger than {MOST_BYTES >> 20} MB")
    division, chunks, cut_off = _header(data)
    listener = _Listener(Events(division, cut_off=cut_off))
    listener.listen(chunks)
    return listener.events


def _header(data: bytes) -> tuple[int, list[bytes], int]:
    """The ticks per quarter, the data of every track, and how many of them are not whole."""
    if len(data) < 14 or data[:4] != b"MThd":
        raise MusicError("is no MIDI file, or only the beginning of one")
    length, kind, tracks, division = struct.unpack(">IHHH", data[4:14])
    if kind not in (0, 1):
        raise MusicError(f"is a MIDI file of format {kind}; expected 0 or 1")
    if division & 0x8000:
        raise MusicError("counts time in film frames (SMPTE), not in beats")
    if division == 0:
        raise MusicError("is damaged: a quarter has no ticks")
    chunks, whole, place = [], 0, 8 + length
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "big")
        if data[place : place + 4] == b"MTrk":
            chunks.append(data[place + 8 : place + 8 + size])
            whole += len(chunks[-1]) == size and END_OF_TRACK in chunks[-1]
        place += 8 + size
    return division, chunks, max(tracks, len(chunks)) - whole


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


class _Listener:
    """Listens to all tracks at once: pedals and programs are a channel's, in whatever track."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.sounding: dict[tuple[int, int, int], list[tuple[int, int, int]]] = defaultdict(list)
        self.held: dict[int, list[tuple[int, int, int, int, int]]] = {}  # by channel: its pedal's
        self.programs = [0] * 17  # by channel
        self.own_programs: dict[tuple[int, int], int] = {}  # by track and channel

    def listen(self, chunks: list[bytes]) -> None:
        """Add what the tracks hold to the events."""
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
        ends = [0] * len(chunks)

        def timed(track: int) -> Iterator[tuple[int, bool, int, Any]]:
            now = 0
            for ticks, event in timed_events(chunks[track]):
                now += ticks
                yield now, event.type is note_on, track, event
            ends[track] = now

        # Of what happens at one time in several tracks, notes begin last: with their programs. No
        # two events are compared, since the numbers of their tracks differ.
        tracks = map(timed, range(len(chunks)))
        for now, begins, track, event in merge(*tracks):
            if begins and event.parameter2:
                self._begin(now, track, event)
            elif begins or event.type is note_off:
                self._end(now, track, event.channel, event.parameter1)
            elif event.type in others:
                others[event.type](now, track, event)
        self._end_all(ends)

    def _begin(self, now: int, track: int, event: Any) -> None:
        channel = event.channel
        program = self.own_programs.get((track, channel), self.programs[channel])
        self.sounding[track, channel, event.parameter1].append((now, event.parameter2, program))

    def _end(self, now: int, track: int, channel: int, pitch: int) -> None:
        """Of notes of one pitch that sound together, the first begun ends first."""
        begun = self.sounding.get((track, channel, pitch))
        if not begun:
            return
        start, velocity, program = begun.pop(0)
        if channel in self.held:  # by its pedal
            self.held[channel].append((start, track, pitch, velocity, program))
        else:
            self._add(track, channel, program, RawNote(start, now, pitch, velocity))

    def _add(self, track: int, channel: int, program: int, note: RawNote) -> None:
        self.events.count += 1
        if self.events.count > MOST_NOTES:
            raise MusicError(f"holds more than {MOST_NOTES:,} notes")
        self.events.notes[track, channel, program].append(note)

    def _end_all(self, ends: list[int]) -> None:
        """What still sounds ends with its track."""
        for channel in list(self.held):
            self._release(channel, ends)
        for (track, channel, pitch), begun in self.sounding.items():
            for start, velocity, program in begun:
                note = RawNote(start, max(ends[track], start), pitch, velocity)
                self._add(track, channel, program, note)
                self.events.unended += 1
        by_track = sorted(self.events.notes.items(), key=lambda item: item[0][0])
        self.events.notes = dict(by_track)

    def _release(self, channel: int, ends: int | list[int]) -> None:
        """The pedal goes up: what only it held ends, unless it was struck again before.

        Args:
            channel: whose pedal it is.
            ends: the ticks at which notes end; by track at the end of the file.
        """
        struck: dict[tuple[int, int], int] = {}
        for start, track, pitch, velocity, program in sorted(self.held.pop(channel), reverse=True):
            end = struck.get((track, pitch), ends if isinstance(ends, int) else ends[track])
            sounding = self.sounding.get((track, channel, pitch))
            if (track, pitch) not in struck and sounding:
                end = sounding[0][0]
            struck[track, pitch] = start
            self._add(track, channel, program, RawNote(start, max(end, start), pitch, velocity))

    def _program(self, now: int, track: int, event: Any) -> None:
        program = int(event.parameter1) & 127
        self.programs[event.channel] = self.own_programs[track, event.channel] = program

    def _controller(self, now: int, track: int, event: Any) -> None:
        if event.parameter1 != SUSTAIN_PEDAL:
            return
        if event.parameter2 >= 64:
            self.held.setdefault(event.channel, [])
        elif event.channel in self.held:
            self._release(event.channel, now)

    def _tempo(self, now: int, track: int, event: Any) -> None:
        microseconds = int.from_bytes(event.parameter1[:3], "big")
        if microseconds:
            self.events.tempi.append((now, round(60_000_000 / microseconds, 3)))

    def _meter(self, now: int, track: int, event: Any) -> None:
        if len(event.parameter1) < 2:
            return
        beats, power = event.parameter1[:2]
        beat_type = 1 << min(power, 7)
        if is_real_meter(beats, beat_type):
            self.events.meters.append((now, Meter(beats, beat_type)))
        else:
            self.events.odd_meters += 1

    def _key(self, now: int, track: int, event: Any) -> None:
        if len(event.parameter1) < 2:
            return
        sharps = (event.parameter1[0] + 128) % 256 - 128
        if -7 <= sharps <= 7:
            mode = "minor" if event.parameter1[1] else "major"
            self.events.keys.append((now, Key(sharps, mode)))

    def _name(self, now: int, track: int, event: Any) -> None:
        if not self.events.title:
            self.events.title = event.parameter1.decode("utf-8", "replace").strip("\0 ")
