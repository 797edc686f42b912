"""MIDI files → notes, meters, keys and tempi in ticks of the file, by music21's MIDI layer."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from typing import NamedTuple

from seqgen.errors import MusicError
from seqgen.music.io.music21_types import MidiEvent, meta_data
from seqgen.music.signatures import Key, Meter, is_real_meter

MAX_BYTES = 32 << 20
MAX_NOTES = 1_000_000
END_OF_TRACK = b"\xff\x2f\x00"
SUSTAIN_PEDAL = 64  # number of the controller
PEDAL_DOWN = 64  # lowest value at which the pedal is down
WINDOW = 4096  # bytes of a track that music21 reads at once: it copies the rest at every event

Voice = tuple[int, int, int]  # track, channel and program, or track, channel and pitch


class RawNote(NamedTuple):
    """A note in ticks of the file."""

    start: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Events:
    """The content of a file; times are ticks of the file."""

    division: int  # ticks per quarter
    notes: dict[Voice, list[RawNote]] = field(
        default_factory=lambda: defaultdict(list)
    )  # by track, channel and program
    meters: list[tuple[int, Meter]] = field(default_factory=list)
    keys: list[tuple[int, Key]] = field(default_factory=list)
    tempi: list[tuple[int, float]] = field(default_factory=list)
    title: str = ""
    count: int = 0  # of notes
    unended: int = 0  # notes without a note-off
    odd_meters: int = 0  # meters that nobody writes, which are ignored
    cut_off: int = 0  # tracks that are missing or incomplete


def read_events(data: bytes) -> Events:
    """Read the content of a MIDI file.

    Raises:
        MusicError: see `seqgen.music.io.midi_reader.read_midi`.
    """
    if len(data) > MAX_BYTES:
        raise MusicError(f"is larger than {MAX_BYTES >> 20} MB")
    division, chunks, cut_off = _header(data)
    listener = _Listener(Events(division, cut_off=cut_off))
    listener.listen(chunks)
    return listener.events


def _header(data: bytes) -> tuple[int, list[bytes], int]:
    """Return the ticks per quarter, the data of all tracks, and the number of incomplete tracks."""
    if len(data) < 14 or data[:4] != b"MThd":
        raise MusicError("is no MIDI file, or only the beginning of one")
    length, kind, tracks, division = struct.unpack(">IHHH", data[4:14])
    if kind not in (0, 1):
        raise MusicError(f"is a MIDI file of format {kind}; expected 0 or 1")
    if division & 0x8000:
        raise MusicError("counts time in film frames (SMPTE), not in beats")
    if division == 0:
        raise MusicError("is damaged: a quarter has no ticks")
    chunks, complete, place = [], 0, 8 + length
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "big")
        if data[place : place + 4] == b"MTrk":
            chunks.append(data[place + 8 : place + 8 + size])
            complete += len(chunks[-1]) == size and END_OF_TRACK in chunks[-1]
        place += 8 + size
    return division, chunks, max(tracks, len(chunks)) - complete


def timed_events(data: bytes) -> Iterator[tuple[int, MidiEvent]]:
    """Yield the events of a track, each with the ticks since the event before.

    music21's own loop copies the rest of the track at every event; this one copies at most a
    window. Events that music21 does not know are skipped, but not the time before them.

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
                break  # the event may continue after the window
            rest, waited = remaining, waited + ticks
            if event is not None:
                status = event.lastStatusByte
                yield waited, event
                waited = 0
        consumed = len(window) - len(rest)
        place += consumed
        size = WINDOW if consumed else 2 * size


class _Listener:
    """Follows all tracks at once, since a pedal or program counts for its channel in all tracks."""

    def __init__(self, events: Events) -> None:
        self.events = events
        # By track, channel and pitch: start, velocity and program of the notes that sound.
        self.sounding: dict[Voice, list[tuple[int, int, int]]] = defaultdict(list)
        # By channel whose pedal is down: start, track, pitch, velocity and program of the notes
        # that only the pedal holds.
        self.held: dict[int, list[tuple[int, int, int, int, int]]] = {}
        self.programs = [0] * 17  # by channel
        self.own_programs: dict[tuple[int, int], int] = {}  # by track and channel

    def listen(self, chunks: list[bytes]) -> None:
        """Add the content of all tracks to the events."""
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

        def timed(track: int) -> Iterator[tuple[int, bool, int, MidiEvent]]:
            now = 0
            for ticks, event in timed_events(chunks[track]):
                now += ticks
                yield now, event.type is note_on, track, event
            ends[track] = now

        # At one tick note-ons come last, so that they have the programs of other tracks. Two
        # events are never compared, since their tracks differ.
        tracks = map(timed, range(len(chunks)))
        for now, is_note_on, track, event in merge(*tracks):
            if is_note_on and event.parameter2:
                self._note_on(now, track, event)
            elif is_note_on or event.type is note_off:
                self._note_off(now, track, event.channel, event.parameter1)
            elif event.type in others:
                others[event.type](now, track, event)
        self._end_all(ends)

    def _note_on(self, now: int, track: int, event: MidiEvent) -> None:
        channel = event.channel
        program = self.own_programs.get((track, channel), self.programs[channel])
        self.sounding[track, channel, event.parameter1].append((now, event.parameter2, program))

    def _note_off(self, now: int, track: int, channel: int, pitch: int) -> None:
        """End the note of this pitch that began first."""
        notes = self.sounding.get((track, channel, pitch))
        if not notes:
            return
        start, velocity, program = notes.pop(0)
        if channel in self.held:
            self.held[channel].append((start, track, pitch, velocity, program))
        else:
            self._add(track, channel, program, RawNote(start, now, pitch, velocity))

    def _add(self, track: int, channel: int, program: int, note: RawNote) -> None:
        self.events.count += 1
        if self.events.count > MAX_NOTES:
            raise MusicError(f"holds more than {MAX_NOTES:,} notes")
        self.events.notes[track, channel, program].append(note)

    def _end_all(self, ends: list[int]) -> None:
        """End all notes that still sound with their tracks."""
        for channel in list(self.held):
            self._release(channel, ends)
        for (track, channel, pitch), notes in self.sounding.items():
            for start, velocity, program in notes:
                note = RawNote(start, max(ends[track], start), pitch, velocity)
                self._add(track, channel, program, note)
                self.events.unended += 1
        by_track = sorted(self.events.notes.items(), key=lambda item: item[0][0])
        self.events.notes = dict(by_track)

    def _release(self, channel: int, ends: int | list[int]) -> None:
        """Lift the pedal: end the notes that only it holds.

        A note whose pitch starts again before that ends there.

        Args:
            channel: the channel of the pedal.
            ends: the tick at which notes end, or at the end of the file the tick for each track.
        """
        next_start: dict[tuple[int, int], int] = {}
        for start, track, pitch, velocity, program in sorted(self.held.pop(channel), reverse=True):
            end = next_start.get((track, pitch), ends if isinstance(ends, int) else ends[track])
            sounding = self.sounding.get((track, channel, pitch))
            if (track, pitch) not in next_start and sounding:
                end = sounding[0][0]
            next_start[track, pitch] = start
            self._add(track, channel, program, RawNote(start, max(end, start), pitch, velocity))

    def _program(self, now: int, track: int, event: MidiEvent) -> None:
        program = int(event.parameter1) & 127
        self.programs[event.channel] = self.own_programs[track, event.channel] = program

    def _controller(self, now: int, track: int, event: MidiEvent) -> None:
        if event.parameter1 != SUSTAIN_PEDAL:
            return
        if event.parameter2 >= PEDAL_DOWN:
            self.held.setdefault(event.channel, [])
        elif event.channel in self.held:
            self._release(event.channel, now)

    def _tempo(self, now: int, track: int, event: MidiEvent) -> None:
        microseconds = int.from_bytes(meta_data(event)[:3], "big")
        if microseconds:
            self.events.tempi.append((now, round(60_000_000 / microseconds, 3)))

    def _meter(self, now: int, track: int, event: MidiEvent) -> None:
        data = meta_data(event)
        if len(data) < 2:
            return
        beats, power = data[:2]
        beat_type = 1 << min(power, 7)
        if is_real_meter(beats, beat_type):
            self.events.meters.append((now, Meter(beats, beat_type)))
        else:
            self.events.odd_meters += 1

    def _key(self, now: int, track: int, event: MidiEvent) -> None:
        data = meta_data(event)
        if len(data) < 2:
            return
        sharps = (data[0] + 128) % 256 - 128  # a signed byte
        if -7 <= sharps <= 7:
            mode = "minor" if data[1] else "major"
            self.events.keys.append((now, Key(sharps, mode)))

    def _name(self, now: int, track: int, event: MidiEvent) -> None:
        if not self.events.title:
            self.events.title = meta_data(event).decode("utf-8", "replace").strip("\0 ")
