"""Pieces → MusicXML, by music21.

The streams that are built here are music21's, which have no types; `Any` stands for them.
"""

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
from seqgen.music.io.musicxml_drums import with_drums_named
from seqgen.music.io.notation import Symbol, Voice, hands, is_low, spelled, triplets, voices
from seqgen.music.piece import TICKS_PER_QUARTER, Part, Piece
from seqgen.music.signatures import TICKS_PER_WHOLE, Key, Meter
from seqgen.music.tokens.durations import basis_sum

ALTERS = {-2: "--", -1: "-", 0: "", 1: "#", 2: "##"}


def musicxml(piece: Piece, *, is_picture: bool = False) -> bytes:
    """Return a MusicXML file with a staff for every part.

    Args:
        piece: the piece.
        is_picture: write for drawing only: without a tempo mark, and with two staves for wide
            keyboard parts, which other programs would read as two parts.

    >>> from seqgen.music.pitch_names import piece_of
    >>> b"<step>G</step>" in musicxml(piece_of("G4/4"))
    True
    """
    from music21 import converter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "piece.musicxml"
        writer = converter.subConverters.ConverterMusicXML()
        written = writer.write(score_of(piece, is_picture), "musicxml", path, makeNotation=False)
        data = Path(written).read_bytes()
    return with_drums_named(data) if any(part.is_drums for part in piece.parts) else data


def score_of(piece: Piece, is_picture: bool) -> Any:
    """Return the piece as a complete `music21.stream.Score`."""
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
    """Join the two staves of each keyboard part by a brace, under one name."""
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


def _part(piece: Piece, number: int, staff_voices: list[Voice]) -> Any:
    """Return the staff of a part, with voices in its bars if there is more than one."""
    from music21 import bar as barline
    from music21 import key, meter, stream

    part = stream.Part(id=f"part {number + 1}")
    is_drums = bool(piece.parts) and piece.parts[number].is_drums
    if piece.parts:
        part.insert(0, _player(piece.parts, number))
    meters, keys = {0: piece.meter, **dict(piece.meters)}, dict(piece.keys)
    current: Key | None = None
    now = piece.meter
    tied = [False] * len(staff_voices)
    first_end = piece.bars[1] if len(piece.bars) > 1 else piece.length
    first_number = 0 if first_end < piece.meter.ticks else 1  # a pick-up has the number 0
    for i, tick in enumerate(piece.bars):
        measure = stream.Measure(number=i + first_number)
        if i == 0:
            measure.append(_clef(staff_voices, is_drums))
        if tick in meters:
            now = meters[tick]
            measure.timeSignature = meter.TimeSignature(str(now))
        current = keys.get(tick, current)
        if current and tick in keys and not is_drums:
            measure.keySignature = key.KeySignature(current.sharps).asKey(current.mode)
        for line, voice in enumerate(staff_voices):
            place = measure if len(staff_voices) == 1 else stream.Voice(id=str(line + 1))
            make = partial(_drums if is_drums else _tones, key=current)
            tied[line] = _fill(place, voice.bars[i], now, make, tied[line])
            if place is not measure:
                measure.insert(0, place)
            for rest in place.getElementsByClass("Rest") if line else ():
                rest.style.hideObjectOnPrint = True  # the rests of the first voice are enough
        part.append(measure)
    measure.rightBarline = barline.Barline("final")
    part.makeAccidentals(inPlace=True)
    with suppress(Exception):  # it fails on bars of odd lengths, which then have flags
        part.makeBeams(inPlace=True)
    return part


def _lengths(start: int, ticks: int, meter: Meter) -> list[int]:
    """Split a length into tied note values, so that in compound meters the beats stay visible.

    Args:
        start: tick within the bar.
        ticks: the length.
        meter: the meter of the bar.

    >>> _lengths(0, 60, Meter(6, 8)), _lengths(12, 36, Meter(6, 8)), _lengths(0, 60, Meter(3, 4))
    ([36, 24], [24, 12], [48, 12])
    """
    beat = meter.beat_ticks
    if beat * meter.beat_type == TICKS_PER_WHOLE:  # the beat has no dot
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
    make: Callable[[tuple[int, ...]], Any],
    is_tied: bool,
) -> bool:
    """Write one bar of a voice.

    Args:
        place: the music21 measure or voice to fill.
        bar: the symbols of the bar.
        meter: the meter of the bar.
        make: makes a music21 note or chord of pitches.
        is_tied: whether the first symbol is tied to the bar before.

    Returns:
        Whether the last symbol is tied to the next bar.
    """
    from music21 import note, tie

    at, written = 0, []
    for symbol in bar:
        lengths = _lengths(at, symbol.ticks, meter)
        at += symbol.ticks
        for i, ticks in enumerate(lengths):
            element = make(symbol.pitches) if symbol.pitches else note.Rest()
            element.quarterLength = Fraction(ticks, TICKS_PER_QUARTER)
            starts_tie = symbol.is_tied or i < len(lengths) - 1
            ends_tie = is_tied or i > 0
            if symbol.pitches and (starts_tie or ends_tie):
                kind = "continue" if starts_tie and ends_tie else "start" if starts_tie else "stop"
                for member in element.notes if len(symbol.pitches) > 1 else (element,):
                    member.tie = tie.Tie(kind)
            place.append(element)
            written.append((ticks, element))
        is_tied = symbol.is_tied
    _bracket_triplets(written)
    return is_tied


def _bracket_triplets(written: Sequence[tuple[int, Any]]) -> None:
    """Mark where the triplets of a bar begin and end.

    Args:
        written: the length in ticks, and the music21 note, chord or rest, of each symbol.
    """
    for group in triplets([ticks for ticks, _ in written]):
        signs = [sign for i in group for sign in written[i][1].duration.tuplets[:1]]
        for sign in signs:
            sign.type = None
        if len(signs) == 1:
            signs[0].type = "startStop"
        elif signs:
            signs[0].type, signs[-1].type = "start", "stop"


def _tones(pitches: tuple[int, ...], key: Key | None) -> Any:
    """Return a note or a chord, spelled as in the key."""
    from music21 import chord, note

    named = [_pitch(pitch, key) for pitch in pitches]
    return chord.Chord(named) if len(named) > 1 else note.Note(named[0])


def _drums(pitches: tuple[int, ...], key: Key | None) -> Any:
    """Return one drum note, or a chord of drums."""
    from music21 import note, percussion

    drums = []
    for place, head in map(place_of, pitches):
        drums.append(note.Unpitched(place))
        drums[-1].notehead = head
    return percussion.PercussionChord(drums) if len(drums) > 1 else drums[0]


def _player(parts: Sequence[Part], number: int) -> Any:
    """Return the instrument of a part, with its name and its MIDI channel."""
    from music21 import instrument

    part = parts[number]
    if part.is_drums:
        player = instrument.UnpitchedPercussion()
        channel = DRUM_CHANNEL
    else:
        player = instrument.instrumentFromMidiProgram(part.program)
        before = sum(not other.is_drums for other in parts[:number])
        channel = CHANNELS[before % len(CHANNELS)]
    player.midiChannel = channel - 1
    # music21 would choose another channel if parts share one, and warn if none is left.
    player.autoAssignMidiChannel = lambda **_: player.midiChannel
    # music21 sometimes uses the name of the instrument's family.
    player.partName = "drums" if part.is_drums else NAMES[part.program]
    return player


def _clef(staff_voices: list[Voice], is_drums: bool) -> Any:
    from music21 import clef

    if is_drums:
        return clef.PercussionClef()
    return clef.BassClef() if is_low(staff_voices) else clef.TrebleClef()


def _pitch(number: int, key: Key | None) -> Any:
    from music21 import pitch

    step, alter, octave = spelled(number, key)
    named = pitch.Pitch(step + ALTERS[alter])
    named.octave = octave
    return named
