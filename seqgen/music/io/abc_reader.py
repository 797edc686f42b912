"""ABC, the notation of folk tunes as text (standard 2.1) → pieces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar

from seqgen.errors import MusicError
from seqgen.music.io import abc_fields as fields
from seqgen.music.io.abc_fields import Signature
from seqgen.music.io.abc_macros import Macros
from seqgen.music.io.abc_music import MusicReader
from seqgen.music.io.abc_tokens import TOKEN
from seqgen.music.io.abc_tunes import FIELD, Tune, tunes_of
from seqgen.music.io.abc_voice import NOT, OCTAVE, PITCH, Voice
from seqgen.music.io.jumps import AT_END
from seqgen.music.io.repeats import Bar
from seqgen.music.io.result import ReadResult
from seqgen.music.io.score import Changes, Score, ScorePart, real_meter
from seqgen.music.io.score_piece import piece_of
from seqgen.music.piece import Piece
from seqgen.music.signatures import Key

DRUM_CHANNEL = 10
ACCIDENTALS = re.compile(  # the second is what abc2midi calls it
    rf"\s*(?:propagate-accidentals[ =]+({NOT}|{OCTAVE}|{PITCH})|MIDI\s+nobarlines)\b"
)


def read_abc(data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Read every tune of a file.

    Args:
        data: content of the file.
        expand_repeats: write out repeats.

    Returns:
        The pieces, the reasons why other tunes cannot be used, and counts of what was left out or
        not understood.

    Raises:
        MusicError: no tune can be used.

    >>> read_abc(b"X:1\\nL:1/4\\nK:D\\nFA|d2").pieces[0].notes[2]
    Note(start=48, duration=48, pitch=74, velocity=80)
    """
    counts: Counter[str] = Counter()
    pieces: list[Piece] = []
    skipped: list[str] = []
    tunes = tunes_of(data, counts)
    for tune in tunes:
        own: Counter[str] = Counter()
        try:
            pieces.append(
                piece_of(_TuneReader(tune, own).score(), own, expand_repeats=expand_repeats)
            )
        except MusicError as error:
            skipped.append(f"{tune.label} {error}")
        else:
            counts.update(own)
    if not pieces:
        reason = skipped[0].removeprefix(f"{tunes[0].label} ") if skipped else "holds no tune"
        raise MusicError(reason)
    return ReadResult(tuple(pieces), counts, skipped=tuple(skipped))


class _TuneReader:
    """Reads one tune, line by line, into voices."""

    def __init__(self, tune: Tune, counts: Counter[str]) -> None:
        self.counts = counts
        self.title = ""
        self.tempi: list[tuple[Fraction, float]] = []
        self.music_reader = MusicReader(counts)
        self.macros = Macros()
        self.sections: Changes[str] = []
        self.order: tuple[str, ...] = ()
        self.start = Voice()  # what every voice begins with
        self.declared: dict[str, str] = {}  # voice → its properties
        self.voices: dict[str, Voice] = {}
        self.voice: Voice | None = None
        self.unit_is_given = False
        self.is_body = False
        has_key = any((found := FIELD.match(line)) and found[1] == "K" for line in tune.lines)
        for line in tune.lines:
            self.read_line(line, has_key)

    def score(self) -> Score:
        """Return what was read."""
        voices = list(self.voices.values())
        for voice in voices:
            voice.end_bar()
            self.counts["broken rhythms of unequal notes"] += voice.uneven_rhythms
        frame = max(voices, key=lambda voice: len(voice.bars), default=self.start)
        length = max((voice.now for voice in voices), default=Fraction(0))
        with_key = next((voice for voice in voices if not voice.part.is_drums), frame)
        return Score(
            [voice.part for voice in voices],
            _bars(frame, voices),
            length,
            [
                (time, real_meter(*meter, self.counts) if meter else None)
                for time, meter in frame.meters
            ],
            [(time, signature.key) for time, signature in with_key.keys],
            self.tempi,
            self.title,
            self.sections,
            self.order,
        )

    # Lines and fields

    def read_line(self, line: str, has_key: bool) -> None:
        """Read a field, a directive or a line of music."""
        if line.startswith("%%"):
            self.directive(line[2:])
        elif found := FIELD.match(line):
            self.field(found[1], found[2].strip())
        elif self.is_body or not has_key:
            if not self.is_body:
                self.counts["tunes without a key field"] += 1
                self.begin_body()
            self.music(line)
        else:
            self.counts["lines not understood"] += 1

    def begin_body(self) -> None:
        """End the header."""
        self.is_body = True
        if not self.unit_is_given:
            self.start.unit = fields.default_unit(self.start.meter)

    def field(self, name: str, value: str) -> None:
        """Apply a field."""
        if name == "T":
            self.title = self.title or fields.plain_title(value)
            return
        if name == "I":
            self.directive(value)
            return
        apply = self.FIELDS.get(name)
        if apply is None:
            return  # words for people
        try:
            apply(self, value)
        except ValueError as error:
            if isinstance(error, MusicError):
                raise
            self.counts["fields not understood"] += 1

    @property
    def target(self) -> Voice:
        """The voice that a field applies to; before the first, what all begin with."""
        return self.voice or self.start

    def key(self, value: str) -> None:
        target, signature = self.target, None
        try:
            signature = fields.parse_key(value)
        except ValueError as error:
            if isinstance(error, MusicError):
                raise
            self.counts["fields not understood"] += 1
        if signature is not None:
            target.set_signature(signature)
        elif not self.is_body:
            target.set_signature(Signature(Key(0)))
        target.key_shift = fields.parse_shift(value)
        if not self.is_body:
            self.begin_body()

    def meter(self, value: str) -> None:
        self.target.set_meter(fields.parse_meter(value))

    def unit(self, value: str) -> None:
        self.target.unit = fields.parse_unit(value)
        self.unit_is_given = True

    def tempo(self, value: str) -> None:
        unit = self.target.unit
        if not (self.unit_is_given or self.is_body):
            unit = fields.default_unit(self.start.meter)
        if tempo := fields.parse_tempo(value, unit):
            self.tempi.append((self.target.now, tempo))

    def change_voice(self, value: str) -> None:
        name, _, properties = value.strip().partition(" ")
        if self.is_body:
            self.voice = self.voice_named(name)
            if properties:
                self.voice.voice_shift = fields.parse_shift(properties)
        else:
            self.declared[name] = f"{self.declared.get(name, '')} {properties}"

    def voice_named(self, name: str) -> Voice:
        if name not in self.voices:
            start = self.start
            self.voices[name] = Voice(
                start.signature,
                start.meter,
                start.unit,
                start.key_shift,
                start.voice_shift + fields.parse_shift(self.declared.get(name, "")),
                ScorePart([], start.part.program, start.part.is_drums),
                propagation=start.propagation,
                keys=list(start.keys),
                meters=list(start.meters),
            )
        return self.voices[name]

    def user_symbol(self, value: str) -> None:
        symbol, _, decoration = (part.strip() for part in value.partition("="))
        self.music_reader.define(symbol, decoration)

    def macro(self, value: str) -> None:
        self.macros.add(value)

    def part(self, value: str) -> None:
        if self.is_body:
            self.sections.append((self.target.now, fields.parse_part(value)))
        else:
            self.order = fields.parse_order(value)

    FIELDS: ClassVar[dict[str, Callable[[_TuneReader, str], None]]] = {
        "K": key, "M": meter, "L": unit, "Q": tempo, "V": change_voice,
        "U": user_symbol, "m": macro, "P": part,
    }  # fmt: skip

    def directive(self, text: str) -> None:
        """Apply what is said about accidentals, and by `%%MIDI` about instruments."""
        if found := ACCIDENTALS.match(text):
            self.target.propagation = found[1] or NOT
            return
        found = re.match(r"\s*MIDI\s+(program|channel|transpose)\s+(?:\d+\s+)?(-?\d{1,3})\b", text)
        if not found:
            return
        part, number = self.target.part, int(found[2])
        if found[1] == "program":
            part.program = min(max(number, 0), 127)
        elif found[1] == "channel":
            part.is_drums = number == DRUM_CHANNEL
        else:
            self.target.voice_shift += number

    # Music

    def music(self, line: str) -> None:
        """Read a line of music."""
        if self.voice is None:
            self.voice = self.voice_named(next(iter(self.declared), ""))
        for token in TOKEN.finditer(self.macros.expand(line)):
            if token.lastgroup == "field":  # which may choose another voice
                self.field(token["name"], token["value"].strip())
            else:
                self.music_reader.read(token, self.voice)


def _bars(frame: Voice, voices: list[Voice]) -> list[Bar]:
    """Return the bars of a voice, with the repeats that stand in other voices alone."""
    others = {bar.start: bar for voice in voices if voice is not frame for bar in voice.bars}
    bars = []
    for bar in frame.bars:
        other = others.get(bar.start, bar)
        bars.append(
            Bar(
                bar.start,
                bar.begins_repeat or other.begins_repeat,
                max(bar.plays, other.plays),
                bar.ending or other.ending,
                bar.marks | other.marks,
                begins_section=bar.begins_section or other.begins_section,
            )
        )
    if len(bars) > 1 and bars[-1].start == frame.now:
        marks = bars.pop().marks
        bars[-1].marks |= marks & AT_END
    return bars
