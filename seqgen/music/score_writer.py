"""Pieces → MusicXML, through music21."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any

from seqgen.music.durations import parts_of
from seqgen.music.notation import Symbol, Voice, is_low, spelled, voices
from seqgen.music.piece import TICKS_PER_QUARTER, Piece
from seqgen.music.signatures import Key

ALTERS = {-2: "--", -1: "-", 0: "", 1: "#", 2: "##"}


def musicxml(piece: Piece, *, tempo: bool = True) -> bytes:
    """A MusicXML file: a stave for every part.

    Args:
        piece: what is written.
        tempo: whether its number stands above the stave.

    >>> from seqgen.music.names import piece_of
    >>> b"<step>G</step>" in musicxml(piece_of("G4/4"))
    True
    """
    from music21 import converter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        writer = converter.subConverters.ConverterMusicXML()
        written = writer.write(score_of(piece, tempo), "musicxml", path, makeNotation=False)
        return Path(written).read_bytes()


def score_of(piece: Piece, with_tempo: bool) -> Any:
    """The piece as a `music21.stream.Score`, ready to be written."""
    from music21 import metadata, stream, tempo

    score = stream.Score()
    score.metadata = metadata.Metadata(title=piece.title or "tune", composer="seqgen")
    for number, group in groupby(voices(piece), key=lambda voice: voice.part):
        score.insert(0, _part(piece, number, list(group)))
    if with_tempo:
        first = score.parts[0].getElementsByClass("Measure")[0]
        first.insert(0, tempo.MetronomeMark(number=piece.tempo))
    return score


def _part(piece: Piece, number: int, lines: list[Voice]) -> Any:
    """A stave; several lines are voices of its bars."""
    from music21 import bar as barline
    from music21 import clef, instrument, key, meter, stream

    part = stream.Part(id=f"part {number + 1}")
    if piece.parts:
        part.insert(0, instrument.instrumentFromMidiProgram(piece.parts[number].program))
    meters, keys = {0: piece.meter, **dict(piece.meters)}, dict(piece.keys)
    current: Key | None = None
    tied = [False] * len(lines)
    for i, tick in enumerate(piece.bars):
        measure = stream.Measure(number=i + 1)
        if i == 0:
            measure.append(clef.BassClef() if is_low(lines) else clef.TrebleClef())
        if tick in meters:
            measure.timeSignature = meter.TimeSignature(str(meters[tick]))
        if tick in keys:
            current = keys[tick]
            measure.keySignature = key.KeySignature(current.sharps)
        for line, voice in enumerate(lines):
            place = measure if len(lines) == 1 else stream.Voice(id=str(line + 1))
            for symbol in voice.bars[i]:
                tied[line] = _append(place, symbol, current, tied[line])
            if place is not measure:
                measure.insert(0, place)
        part.append(measure)
    measure.rightBarline = barline.Barline("final")
    part.makeAccidentals(inPlace=True)
    with suppress(Exception):  # it fails on bars that no meter has; they are drawn with flags
        part.makeBeams(inPlace=True)
    return part


def _append(place: Any, symbol: Symbol, key: Key | None, is_tied: bool) -> bool:
    """Add a symbol as as many notes as it takes, tied; whether it is tied to the next."""
    from music21 import chord, note, tie

    lengths = parts_of(symbol.ticks)
    for i, ticks in enumerate(lengths):
        quarters = Fraction(ticks, TICKS_PER_QUARTER)
        if not symbol.pitches:
            place.append(note.Rest(quarterLength=quarters))
            continue
        pitches = [_pitch(pitch, key) for pitch in symbol.pitches]
        if len(pitches) == 1:
            each = note.Note(pitches[0], quarterLength=quarters)
        else:
            each = chord.Chord(pitches, quarterLength=quarters)
        goes_on = symbol.is_tied or i < len(lengths) - 1
        came_on = is_tied or i > 0
        if goes_on or came_on:
            kind = "continue" if goes_on and came_on else "start" if goes_on else "stop"
            for member in each.notes if len(pitches) > 1 else (each,):
                member.tie = tie.Tie(kind)
        place.append(each)
    return symbol.is_tied


def _pitch(number: int, key: Key | None) -> Any:
    from music21 import pitch

    step, alter, octave = spelled(number, key)
    named = pitch.Pitch(step + ALTERS[alter])
    named.octave = octave
    return named
