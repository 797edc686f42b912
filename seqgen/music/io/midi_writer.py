"""Pieces → MIDI files, through music21's MIDI layer."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, pairwise
from typing import Any

from seqgen.music.piece import TICKS_PER_QUARTER, Part, Piece
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter

DIVISION = 480  # ticks of the file per quarter: what every program takes
SCALE = DIVISION // TICKS_PER_QUARTER
DRUM_CHANNEL = 10  # as music21 counts, from 1
CHANNELS = [channel for channel in range(1, 17) if channel != DRUM_CHANNEL]
TIME, OFF, ON = 0, 1, 2  # what comes first of what happens at one time


def midi_bytes(piece: Piece) -> bytes:
    """A MIDI file of format 1: a track of tempo, meter and key, then a track for each part.

    A bar that its meter does not fill, such as a pick-up, stands there as a meter of its own.

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


def _track(number: int, length: int, events: Iterable[tuple[int, int, Any]]) -> Any:
    from music21.midi import DeltaTime, MetaEvents, MidiTrack

    track = MidiTrack(number)
    now = 0
    for tick, _, event in sorted(events, key=lambda each: each[:2]):
        track.events += [DeltaTime(track, time=(tick - now) * SCALE), event]
        now = tick
    end = _meta(MetaEvents.END_OF_TRACK, b"")
    track.events += [DeltaTime(track, time=(length - now) * SCALE), end]
    return track


def _meta(kind: Any, data: bytes) -> Any:
    from music21.midi import MidiEvent

    event = MidiEvent(type=kind)
    event.data = data
    return event


def _conductor(piece: Piece) -> Iterable[tuple[int, int, Any]]:
    from music21.midi import MetaEvents

    if piece.title:
        yield 0, TIME, _meta(MetaEvents.SEQUENCE_TRACK_NAME, piece.title.encode("utf-8"))
    for tick, tempo in piece.tempi or ((0, piece.tempo),):
        microseconds = min(max(round(60_000_000 / tempo), 1), 0xFFFFFF)
        yield tick, TIME, _meta(MetaEvents.SET_TEMPO, microseconds.to_bytes(3, "big"))
    for tick, meter in written_meters(piece):
        power = meter.beat_type.bit_length() - 1
        yield tick, TIME, _meta(MetaEvents.TIME_SIGNATURE, bytes((meter.beats, power, 24, 8)))
    for tick, key in piece.keys:
        written = _in_midi(key)
        data = bytes((written.sharps % 256, int(written.mode == "minor")))
        yield tick, TIME, _meta(MetaEvents.KEY_SIGNATURE, data)


def _in_midi(key: Key) -> Key:
    """MIDI knows two modes; of the others the signature stays."""
    return key if key.mode == "minor" else key._replace(mode="major")


def _part(part: Part, channel: int) -> Iterable[tuple[int, int, Any]]:
    from music21.midi import ChannelVoiceMessages, MidiEvent

    program = MidiEvent(type=ChannelVoiceMessages.PROGRAM_CHANGE, channel=channel)
    program.data = part.program
    yield 0, TIME, program
    for note in part.notes:
        on = MidiEvent(type=ChannelVoiceMessages.NOTE_ON, channel=channel)
        on.parameter1, on.parameter2 = note.pitch, max(note.velocity, 1)
        off = MidiEvent(type=ChannelVoiceMessages.NOTE_OFF, channel=channel)
        off.parameter1, off.parameter2 = note.pitch, 0
        yield note.start, ON, on
        yield note.end, OFF, off


def written_meters(piece: Piece) -> list[tuple[int, Meter]]:
    """The meters as a program that knows only full bars needs them: wherever bars change length.

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
    """One of that length, in quarters, eighths and so on."""
    for beat_type in (4, 8, 16, 32):
        beats, rest = divmod(ticks * beat_type, TICKS_PER_WHOLE)
        if rest == 0 and beats < 256:
            return Meter(beats, beat_type)
    return Meter(4, 4)  # no meter has that length; later bar lines are off, no note is
