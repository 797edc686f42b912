"""Humdrum `**kern` scores → pieces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from html import unescape

from seqgen.errors import MusicError
from seqgen.music.instruments import program_of
from seqgen.music.io.humdrum_spines import Spine, Spines
from seqgen.music.io.humdrum_tokens import parse_token
from seqgen.music.io.jumps import AT_END, mark_of
from seqgen.music.io.repeats import Bar
from seqgen.music.io.result import ReadResult
from seqgen.music.io.score import Changes, Score, ScoreNote, ScorePart, real_meter
from seqgen.music.io.score_piece import piece_of
from seqgen.music.io.score_text import decode_score
from seqgen.music.signatures import MODES, Key, Meter

KERN = "**kern"
METER = re.compile(r"\*M(\d{1,3}(?:\+\d{1,3})*)/(\d{1,3})")
TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d{1,3})?)")
SIGNATURE = re.compile(r"\*k\[([a-g#n-]*)\]")
SECTION = re.compile(r"\*>([^\[\]]+)")
ORDER = re.compile(r"\*>([^\[\]]*)\[([^\]]*)\]")  # its name, which is often empty, and its sections
TEXT = re.compile(r"!!?LO:TX\b(?:.*?:)?t=([^:]*)")  # that is printed, such as [segno] or D.C.
TONIC = re.compile(r"\*([A-Ga-g])([#-]?):([a-z]*)")
INSTRUMENTS = {
    "piano": "piano", "cemba": "harpsichord", "organ": "church organ", "vioin": "violin",
    "violn": "violin", "viola": "viola", "cello": "cello", "cbass": "contrabass", "flt": "flute",
    "oboe": "oboe", "clars": "clarinet", "fagot": "bassoon", "tromp": "trumpet", "trmpt": "trumpet",
    "cor": "french horn", "trmbn": "trombone", "tromb": "trombone", "tuba": "tuba",
    "guitr": "nylon guitar", "harp": "harp",
}  # fmt: skip


def read_humdrum(data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Read the score of a file: its `**kern` spines, and of the others how many there are.

    Args:
        data: content of the file.
        expand_repeats: write out repeats.

    Raises:
        MusicError: the file is damaged or has no notes.

    >>> read_humdrum(b"**kern\\n*M2/4\\n4c\\n4d\\n*-").pieces[0].notes[1]
    Note(start=24, duration=24, pitch=62, velocity=80)
    """
    counts: Counter[str] = Counter()
    score = _ScoreReader(counts).read(decode_score(data, counts))
    return ReadResult((piece_of(score, counts, expand_repeats=expand_repeats),), counts)


class _ScoreReader:
    """Reads line by line: all fields of a line sound from the same time on."""

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.spines = Spines()
        self.parts: dict[int, ScorePart] = {}  # root of the spine → its part
        self.time = Fraction(0)  # of the last line with notes
        self.end = Fraction(0)
        self.title = ""
        self.bars = [Bar(Fraction(0))]
        self.meters: Changes[Meter | None] = []
        self.keys: Changes[Key | None] = []
        self.tempi: Changes[float] = []
        self.sections: Changes[str] = []
        self.orders: dict[str, tuple[str, ...]] = {}
        self.sharps: int | None = None
        # Bar lines, interpretations, and marks of jumps after "!", until notes follow.
        self.waiting: list[list[str]] = []

    def read(self, text: str) -> Score:
        """Return the score of a text.

        Raises:
            MusicError: a line has too many or too few fields.
        """
        for number, line in enumerate(re.split(r"\r\n?|\n", text), start=1):
            if line.startswith("!"):
                self.comments(line)
                continue
            if not line.strip():
                continue
            fields = re.split(r"\t+", line.strip("\t\r "))
            expected = len(self.spines.now) or len(fields)
            if len(fields) != expected:
                raise MusicError(f"line {number} has {len(fields)} fields; expected {expected}")
            if fields[0].startswith("*"):
                self.interpretations(fields)
            elif not self.spines.now:
                raise MusicError(f"line {number} comes before {KERN}")
            elif fields[0].startswith("="):
                self.waiting.append(fields)
            else:
                self.notes(fields)
        self.time = self.end
        self.apply_waiting()
        if len(self.bars) > 1 and self.bars[-1].start == self.end:
            self.bars.pop()
        parts = [self.parts[root] for root in sorted(self.parts, reverse=True)]  # highest first
        order = self.orders.get("", ())
        if order:  # which repeats what the bar lines say
            self.bars = [Bar(bar.start) for bar in self.bars]
        changes = (self.meters, self.keys, self.tempi)
        return Score(parts, self.bars, self.end, *changes, self.title, self.sections, order)

    def comments(self, line: str) -> None:
        """Keep the title, and the marks of jumps that are printed as text."""
        if line.startswith("!!!OTL") and not self.title:
            self.title = line.partition(":")[2].strip()
        for field in line.split("\t"):
            found = TEXT.match(field)
            if found and (mark := mark_of(unescape(found[1]))):
                self.waiting.append([f"!{mark}"])

    def interpretations(self, fields: list[str]) -> None:
        """Follow the spines, and keep what says something about the notes that follow."""
        before = self.spines.now
        self.spines.follow(fields)
        if found := next(filter(None, map(ORDER.fullmatch, fields)), None):
            self.orders[found[1]] = tuple(map(str.strip, found[2].split(",")))
        in_kern = []
        for field, spine in zip(fields, before, strict=bool(before)):  # none before the first line
            if spine.kind == KERN and field not in ("*", "*^", "*v", "*x", "*+", "*-"):
                in_kern.append(field)
                if field.startswith("*I") and (name := INSTRUMENTS.get(field[2:])):
                    self.part(spine).program = program_of(name)
        if in_kern:
            self.waiting.append(in_kern)

    def part(self, spine: Spine) -> ScorePart:
        return self.parts.setdefault(spine.root, ScorePart())

    def notes(self, fields: Sequence[str]) -> None:
        """Read a line of notes, in all spines at once."""
        found = []
        for field, spine in zip(fields, self.spines.now, strict=True):
            if spine.kind != KERN or field == ".":
                continue
            token = parse_token(field)
            self.counts["symbols not understood"] += token.not_understood
            if token.quarters is None:
                self.counts["grace notes dropped"] += len(token.sounds)
            else:
                found.append((spine, token.quarters, token.sounds))
        if not found:
            return
        ends = [spine.end for spine in self.spines.now if spine.end > self.time]
        self.time = max(min(ends, default=self.time), *(spine.end for spine, _, _ in found))
        self.apply_waiting()
        for spine, quarters, sounds in found:
            spine.end = self.time + quarters
            self.end = max(self.end, spine.end)
            notes = self.part(spine).notes
            notes += [ScoreNote(self.time, spine.end, *sound) for sound in sounds]

    def apply_waiting(self) -> None:
        """Apply bar lines and interpretations, now that their time is known."""
        next_marks = set()  # of the bar that begins here, even if they come before its bar line
        for fields in self.waiting:
            kind, mark = fields[0][0], fields[0][1:]
            if kind == "=":
                self.bar_line(fields)
            elif kind != "!":
                self.signatures(fields)
            elif mark in AT_END:
                self.bars[-1].marks.add(mark)
            else:
                next_marks.add(mark)
        self.bars[-1].marks |= next_marks
        self.waiting = []

    def bar_line(self, fields: Sequence[str]) -> None:
        text = fields[0]
        is_empty = self.bars[-1].start == self.time
        if re.search(r":[|!]", text) and len(self.bars) > is_empty:
            self.bars[-1 - is_empty].plays = 2
        if not is_empty:
            self.bars.append(Bar(self.time))
        self.bars[-1].begins_repeat |= bool(re.search(r"[|!]:", text))

    def signatures(self, fields: Sequence[str]) -> None:
        """Apply the first section, meter, tempo and key of a line."""
        for field in fields:
            if found := SECTION.fullmatch(field):
                self.sections.append((self.time, found[1]))
                break
        for field in fields:
            if found := METER.match(field):
                beats, beat_type = sum(map(int, found[1].split("+"))), int(found[2])
                self.meters.append((self.time, real_meter(beats, beat_type, self.counts)))
                break
        for field in fields:
            if (found := TEMPO.fullmatch(field)) and float(found[1]) > 0:
                self.tempi.append((self.time, float(found[1])))
                break
        for field in fields:
            if found := SIGNATURE.fullmatch(field):
                self.sharps = min(max(found[1].count("#") - found[1].count("-"), -7), 7)
                self.keys.append((self.time, Key(self.sharps)))
                break
            if found := TONIC.fullmatch(field):
                key = _key(found[1], found[2], found[3], self.sharps)
                if key is not None:
                    self.keys.append((self.time, key))
                    break


def _key(tonic: str, sign: str, mode: str, sharps: int | None) -> Key | None:
    """Return the key of a tonic, in lower case for minor; the signature tells about its mode.

    >>> _key("a", "", "", None), _key("G", "", "mix", 0), _key("D", "", "", 0)
    (Key(sharps=0, mode='minor'), Key(sharps=0, mode='mixolydian'), Key(sharps=0, mode='dorian'))
    """
    name = tonic.upper() + {"#": "#", "-": "b", "": ""}[sign]
    own = mode or ("minor" if tonic.islower() else "major")
    try:
        key = Key.parse(f"{name} {own[:3]}")
    except MusicError:
        return None
    if sharps is None or key.sharps == sharps:
        return key
    return next(
        (
            Key(sharps, other)
            for other in MODES
            if Key(sharps, other).tonic == key.tonic and abs(key.sharps - sharps) < len(MODES)
        ),
        Key(sharps),
    )
