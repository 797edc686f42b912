"""Pieces → MIDI files, by music21's MIDI layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle, pairwise
from typing import Any

from seqgen.music.io import music21_types as types
from seqgen.music.piece import TICKS_PER_QUARTER, Part, Piece
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter

DIVISION = 480  # ticks of the file per quarter, which every program can read
SCALE = DIVISION // TICKS_PER_QUARTER
DRUM_CHANNEL = 10  # counted from 1, as music21 does
CHANNELS = [channel for channel in range(1, 17) if channel != DRUM_CHANNEL]
META, NOTE_OFF, NOTE_ON = 0, 1, 2  # the order of events at one tick

TimedEvent = tuple[int, int, types.MidiEvent]  # tick of the grid, order, event


def midi_bytes(piece: Piece) -> bytes:
    """Return a MIDI file of format 1: a track of tempo, meter and key, then one for each part.

    A bar that is not as long as its meter says, such as a pick-up, gets a meter of its own.

    >>> midi_bytes(Piece((), bars=(0,), length=96))[:4]
    b'MThd'
    """
    from music21.midi import MidiFile

    file = MidiFile()
    file.ticksPerQuarterNote = DIVISION
    file.tracks = [_track(0, piece.length, _conductor(piece))]
    channels = cycle(CHANNELS)
    for number, part in enumerate(piece.parts, start=1):
        channel = DRUM_CHANNEL if part.is_drums else next(channels)
        file.tracks.append(_track(number, piece.length, _part(part, channel)))
    return bytes(file.writestr())


def _track(number: int, length: int, events: Iterable[TimedEvent]) -> Any:
    from music21.midi import DeltaTime, MetaEvents, MidiTrack

    track = MidiTrack(number)
    now = 0
    for tick, _, event in sorted(events, key=lambda event: event[:2]):
        track.events += [DeltaTime(track, time=(tick - now) * SCALE), event]
        now = tick
    end = _meta(MetaEvents.END_OF_TRACK, b"")
    track.events += [DeltaTime(track, time=(length - now) * SCALE), end]
    return track


def _meta(kind: object, data: bytes) -> types.MidiEvent:
    from music21.midi import MidiEvent

    event: types.MidiEvent = MidiEvent(type=kind)
    event.data = data
    return event


def _conductor(piece: Piece) -> Iterator[TimedEvent]:
    """Yield the title, tempi, meters and keys."""
    from music21.midi import MetaEvents

    if piece.title:
        yield 0, META, _meta(MetaEvents.SEQUENCE_TRACK_NAME, piece.title.encode("utf-8"))
    for tick, tempo in piece.tempi or ((0, piece.tempo),):
        microseconds = min(max(round(60_000_000 / tempo), 1), 0xFFFFFF)
        yield tick, META, _meta(MetaEvents.SET_TEMPO, microseconds.to_bytes(3, "big"))
    for tick, meter in written_meters(piece):
        power = meter.beat_type.bit_length() - 1
        yield tick, META, _meta(MetaEvents.TIME_SIGNATURE, bytes((meter.beats, power, 24, 8)))
    for tick, key in piece.keys:
        written = _in_midi(key)
        data = bytes((written.sharps % 256, int(written.mode == "minor")))
        yield tick, META, _meta(MetaEvents.KEY_SIGNATURE, data)


def _in_midi(key: Key) -> Key:
    """Return a key in one of the two modes of MIDI, with the same accidentals."""
    return key if key.mode == "minor" else key._replace(mode="major")


def _part(part: Part, channel: int) -> Iterator[TimedEvent]:
    from music21.midi import ChannelVoiceMessages, MidiEvent

    program = MidiEvent(type=ChannelVoiceMessages.PROGRAM_CHANGE, channel=channel)
    program.data = part.program
    yield 0, META, program
    for note in part.notes:
        on = MidiEvent(type=ChannelVoiceMessages.NOTE_ON, channel=channel)
        on.parameter1, on.parameter2 = note.pitch, max(note.velocity, 1)
        off = MidiEvent(type=ChannelVoiceMessages.NOTE_OFF, channel=channel)
        off.parameter1, off.parameter2 = note.pitch, 0
        yield note.start, NOTE_ON, on
        yield note.end, NOTE_OFF, off


def written_meters(piece: Piece) -> list[tuple[int, Meter]]:
    """Return meters that give every bar its length, for programs that know only full bars.

    >>> piece = Piece((), bars=(0, 12), length=84, meters=((0, Meter(6, 8)),))
    >>> [(tick, str(meter)) for tick, meter in written_meters(piece)]
    [(0, '1/8'), (12, '6/8')]
    """
    changes = dict(piece.meters)
    meter = Meter(4, 4)
    written: list[tuple[int, Meter]] = []
    for bar, end in pairwise((*piece.bars, piece.length)):
        meter = changes.get(bar, meter)
        fitting = meter if meter.ticks == end - bar else _meter_of(end - bar)
        if not written or written[-1][1] != fitting:
            written.append((bar, fitting))
    return written


def _meter_of(ticks: int) -> Meter:
    """Return a meter of a length, in quarters if possible, else eighths and so on."""
    for beat_type in (4, 8, 16, 32):
        beats, rest = divmod(ticks * beat_type, TICKS_PER_WHOLE)
        if rest == 0 and beats < 256:
            return Meter(beats, beat_type)
    return Meter(4, 4)  # no meter has that length: later bar lines move, but no note does
