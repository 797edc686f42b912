"""Pieces → MusicXML, through music21."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from seqgen.music.instruments import NAMES
from seqgen.music.io.drum_staff import place_of
from seqgen.music.io.midi_writer import CHANNELS, DRUM_CHANNEL
from seqgen.music.io.notation import Symbol, Voice, hands, is_low, spelled, voices
from seqgen.music.piece import TICKS_PER_QUARTER, Part, Piece
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter
from seqgen.music.tokens.durations import basis_sum

ALTERS = {-2: "--", -1: "-", 0: "", 1: "#", 2: "##"}


def musicxml(piece: Piece, *, is_picture: bool = False) -> bytes:
    """A MusicXML file: a stave for every part.

    Args:
        piece: what is written.
        is_picture: whether it is only looked at: then no tempo stands above the stave, and wide
            keyboards have two staves, which readers would take for two parts.

    >>> from seqgen.music.pitch_names import piece_of
    >>> b"<step>G</step>" in musicxml(piece_of("G4/4"))
    True
    """
    from music21 import converter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        writer = converter.subConverters.ConverterMusicXML()
        written = writer.write(score_of(piece, is_picture), "musicxml", path, makeNotation=False)
        return Path(written).read_bytes()


def score_of(piece: Piece, is_picture: bool) -> Any:
    """The piece as a `music21.stream.Score`, ready to be written."""
    from music21 import metadata, stream, tempo

    score = stream.Score()
    score.metadata = metadata.Metadata(title=piece.title or "tune", composer="seqgen")
    players = [hands(part) if is_picture else [part] for part in piece.parts]
    piece = replace(piece, parts=tuple(hand for player in players for hand in player))
    for number, group in groupby(voices(piece), key=lambda voice: voice.part):
        score.insert(0, _part(piece, number, list(group)))
    if is_picture:
        _brace(score, players)
    else:
        first = score.parts[0].getElementsByClass("Measure")[0]
        first.insert(0, tempo.MetronomeMark(number=piece.tempo))
    return score


def _brace(score: Any, players: list[list[Part]]) -> None:
    """Join the two staves of a keyboard, under one name."""
    from music21 import layout

    staves = iter(score.parts)
    for player in players:
        pair = [next(staves) for hand in player if hand.notes]
        if len(pair) == 2:
            for stave in pair:
                stave.partName = stave.partAbbreviation = ""
                stave.getInstrument().partName = stave.getInstrument().partAbbreviation = ""
            name = NAMES[player[0].program]
            score.insert(0, layout.StaffGroup(pair, name=name, symbol="brace", barTogether=True))


def _part(piece: Piece, number: int, lines: list[Voice]) -> Any:
    """A stave; several lines are voices of its bars."""
    from music21 import bar as barline
    from music21 import key, meter, stream

    part = stream.Part(id=f"part {number + 1}")
    is_drums = bool(piece.parts) and piece.parts[number].is_drums
    if piece.parts:
        part.insert(0, _player(piece.parts, number))
    meters, keys = {0: piece.meter, **dict(piece.meters)}, dict(piece.keys)
    current: Key | None = None
    now = piece.meter
    tied = [False] * len(lines)
    first_end = piece.bars[1] if len(piece.bars) > 1 else piece.length
    first_number = 0 if first_end < piece.meter.ticks else 1  # a pick-up does not count
    for i, tick in enumerate(piece.bars):
        measure = stream.Measure(number=i + first_number)
        if i == 0:
            measure.append(_clef(lines, is_drums))
        if tick in meters:
            now = meters[tick]
            measure.timeSignature = meter.TimeSignature(str(now))
        current = keys.get(tick, current)
        if current and tick in keys and not is_drums:
            measure.keySignature = key.KeySignature(current.sharps).asKey(current.mode)
        for line, voice in enumerate(lines):
            place = measure if len(lines) == 1 else stream.Voice(id=str(line + 1))
            sounds = partial(_drums if is_drums else _tones, key=current)
            tied[line] = _fill(place, voice.bars[i], now, sounds, tied[line])
            if place is not measure:
                measure.insert(0, place)
            for rest in place.getElementsByClass("Rest") if line else ():
                rest.style.hideObjectOnPrint = True  # those of the first voice are enough
        part.append(measure)
    measure.rightBarline = barline.Barline("final")
    part.makeAccidentals(inPlace=True)
    with suppress(Exception):  # it fails on bars that no meter has; they are drawn with flags
        part.makeBeams(inPlace=True)
    return part


def _lengths(start: int, ticks: int, meter: Meter) -> list[int]:
    """As which notes, tied, so many ticks are written that begin there in a bar; beats of three
    stay in sight.

    >>> _lengths(0, 60, Meter(6, 8)), _lengths(12, 36, Meter(6, 8)), _lengths(0, 60, Meter(3, 4))
    ([36, 24], [24, 12], [48, 12])
    """
    beat = meter.beat_ticks
    if beat * meter.beat_type == TICKS_PER_WHOLE:  # a beat is a simple note
        return list(basis_sum(ticks))
    lengths: list[int] = []
    if start % beat:
        lengths += basis_sum(min(ticks, beat - start % beat))
    left = ticks - sum(lengths)
    for beats in (4, 2, 1):
        while left >= beats * beat:
            lengths.append(beats * beat)
            left -= beats * beat
    return [*lengths, *(basis_sum(left) if left else [])]


def _fill(
    place: Any,
    bar: list[Symbol],
    meter: Meter,
    sounds: Callable[[tuple[int, ...]], Any],
    is_tied: bool,
) -> bool:
    """Put a bar of one voice in its place; whether its last symbol is tied to the next bar."""
    from music21 import note, tie

    at = 0
    for symbol in bar:
        lengths = _lengths(at, symbol.ticks, meter)
        at += symbol.ticks
        for i, ticks in enumerate(lengths):
            each = sounds(symbol.pitches) if symbol.pitches else note.Rest()
            each.quarterLength = Fraction(ticks, TICKS_PER_QUARTER)
            goes_on = symbol.is_tied or i < len(lengths) - 1
            came_on = is_tied or i > 0
            if symbol.pitches and (goes_on or came_on):
                kind = "continue" if goes_on and came_on else "start" if goes_on else "stop"
                for member in each.notes if len(symbol.pitches) > 1 else (each,):
                    member.tie = tie.Tie(kind)
            place.append(each)
        is_tied = symbol.is_tied
    return is_tied


def _tones(pitches: tuple[int, ...], key: Key | None) -> Any:
    """A note or a chord, named as in the key."""
    from music21 import chord, note

    named = [_pitch(pitch, key) for pitch in pitches]
    return chord.Chord(named) if len(named) > 1 else note.Note(named[0])


def _drums(pitches: tuple[int, ...], key: Key | None) -> Any:
    """A drum, or several that are struck together, without a pitch."""
    from music21 import note, percussion

    struck = []
    for place, head in map(place_of, pitches):
        struck.append(note.Unpitched(place))
        struck[-1].notehead = head
    return percussion.PercussionChord(struck) if len(struck) > 1 else struck[0]


def _player(parts: Sequence[Part], number: int) -> Any:
    """The instrument of a part, with its name, and the channel that it has in a MIDI file."""
    from music21 import instrument

    part = parts[number]
    if part.is_drums:
        player = instrument.UnpitchedPercussion()
        channel = DRUM_CHANNEL
    else:
        player = instrument.instrumentFromMidiProgram(part.program)
        before = sum(not each.is_drums for each in parts[:number])
        channel = CHANNELS[before % len(CHANNELS)]
    player.midiChannel = channel - 1
    # music21 looks for another one where parts share it, and complains when there is none left
    player.autoAssignMidiChannel = lambda **_: player.midiChannel
    # music21's own name is that of a family now and then
    player.partName = "drums" if part.is_drums else NAMES[part.program]
    return player


def _clef(lines: list[Voice], is_drums: bool) -> Any:
    from music21 import clef

    if is_drums:
        return clef.PercussionClef()
    return clef.BassClef() if is_low(lines) else clef.TrebleClef()


def _pitch(number: int, key: Key | None) -> Any:
    from music21 import pitch

    step, alter, octave = spelled(number, key)
    named = pitch.Pitch(step + ALTERS[alter])
    named.octave = octave
    return named
