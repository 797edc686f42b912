"""MusicXML scores, by part or by time, compressed or not → pieces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from xml.etree.ElementTree import Element

from seqgen.errors import MusicError
from seqgen.music.instruments import NAMES
from seqgen.music.io.musicxml_file import score_root
from seqgen.music.io.musicxml_part import DRUM_CHANNEL, Measure, PartReader
from seqgen.music.io.repeats import Bar
from seqgen.music.io.result import ReadResult
from seqgen.music.io.score import Score, ScorePart, require_length
from seqgen.music.io.score_piece import piece_of
from seqgen.music.piece import MOST_BARS

OTHER_NAMES = {
    "violoncello": "cello", "violino": "violin", "double bass": "contrabass",
    "horn": "french horn", "bass guitar": "finger bass", "guitar": "nylon guitar",
    "acoustic guitar": "nylon guitar", "organ": "church organ", "flauto": "flute",
    "alto saxophone": "alto sax", "tenor saxophone": "tenor sax", "fagotto": "bassoon",
}  # fmt: skip
NUMBERED = re.compile(r"\s+in\s.*|[\s.]+([ivx]{1,4}|\d{1,2})\.?$")  # Horn in F, Violin II


def read_musicxml(data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Read the score of a file.

    Every staff of a part becomes a part of the piece. Pitches and keys are those that sound.

    Args:
        data: content of the file.
        expand_repeats: write out repeats.

    Raises:
        MusicError: the file is damaged or has no notes.
    """
    counts: Counter[str] = Counter()
    root = score_root(data)
    readers = _readers(root, counts)
    measures = _measures(_by_part(root), readers, counts)
    score = _score(readers, measures)
    score.title = _text(root, "work/work-title") or _text(root, "movement-title")
    return ReadResult((piece_of(score, counts, expand_repeats=expand_repeats),), counts)


def _text(root: Element, path: str) -> str:
    return " ".join((root.findtext(path) or "").split())


def _readers(root: Element, counts: Counter[str]) -> dict[str, PartReader]:
    """Return a reader for every part, with the instruments of the list of parts."""
    readers: dict[str, PartReader] = {}
    for part in root.iterfind("part-list/score-part"):
        reader = PartReader(counts, _program_named(part))
        for midi in part.iterfind("midi-instrument"):
            if drum := _midi_number(midi.findtext("midi-unpitched")):
                reader.drums[midi.get("id", "")] = drum - 1
            reader.is_drums |= (midi.findtext("midi-channel") or "").strip() == DRUM_CHANNEL
        if program := _midi_number(part.findtext("midi-instrument/midi-program")):
            reader.program = program - 1
        readers[part.get("id", "")] = reader
    return readers


def _program_named(part: Element) -> int:
    """Return the program of the part's instrument, if its name tells; that of a piano otherwise."""
    for path in ("score-instrument/instrument-name", "part-name"):
        name = NUMBERED.sub("", _text(part, path).lower())
        name = OTHER_NAMES.get(name, name)
        if name in NAMES:
            return NAMES.index(name)
    return 0


def _midi_number(text: str | None) -> int:
    """Return a number of MIDI, counted from 1; 0 if it is none."""
    text = (text or "").strip()
    return int(text) if text.isdecimal() and len(text) < 4 and 1 <= int(text) <= 128 else 0


def _by_part(root: Element) -> dict[str, list[Element]]:
    """Return the measures of every part."""
    parts: dict[str, list[Element]] = {}
    if root.tag == "score-partwise":
        for part in root.iterfind("part"):
            name = part.get("id", "")
            if name in parts:  # of several parts with one name, none hides the others
                name = f"{name} {len(parts)}"
            parts[name] = part.findall("measure")
        return parts
    for number, measure in enumerate(root.iterfind("measure")):
        for part in measure.iterfind("part"):
            own = parts.setdefault(part.get("id", ""), [])
            own += [Element("measure")] * (number - len(own))
            own.append(part)
    return parts


def _measures(
    parts: dict[str, list[Element]], readers: dict[str, PartReader], counts: Counter[str]
) -> list[Measure]:
    """Read the measures of all parts side by side, since they begin together."""
    most = max((len(own) for own in parts.values()), default=0)
    if most > MOST_BARS:
        raise MusicError(f"has {most:,} bars; expected at most {MOST_BARS:,}")
    active = [(readers.setdefault(name, PartReader(counts)), own) for name, own in parts.items()]
    measures: list[Measure] = []
    now = Fraction(0)
    for number in range(most):
        measure = Measure(now, now)
        active = [(reader, own) for reader, own in active if len(own) > number]
        for reader, own in active:
            reader.read(own[number], measure)
        if measure.end == now:
            measure.end = now + max(reader.full_bar for reader, _ in active)
        now = measure.end
        require_length(now)
        measures.append(measure)
    return measures


def _score(readers: dict[str, PartReader], measures: list[Measure]) -> Score:
    parts: list[ScorePart] = []
    for reader in readers.values():
        for _, part in sorted(reader.staves.items()):
            part.is_drums = reader.is_drums
            part.program = 0 if reader.is_drums else reader.program
            parts.append(part)
    with_keys = [reader for reader in readers.values() if reader.keys and not reader.is_drums]
    # Transposing instruments such as horns are often written without a key.
    key_reader = min(with_keys, key=lambda reader: reader.is_transposing, default=None)
    return Score(
        parts,
        _bars(measures),
        measures[-1].end if measures else Fraction(0),
        [(measure.start, measure.meter[0]) for measure in measures if measure.meter],
        key_reader.keys if key_reader else [],
        [tempo for measure in measures for tempo in measure.tempi],
    )


def _bars(measures: Iterable[Measure]) -> list[Bar]:
    bars = []
    ending: tuple[int, ...] = ()
    for measure in measures:
        ending = measure.ending_starts or ending
        bars.append(
            Bar(
                measure.start,
                measure.begins_repeat,
                measure.plays,
                ending,
                measure.marks,
                measure.repeats_after_jump,
            )
        )
        if measure.ending_stops:
            ending = ()
    return bars or [Bar(Fraction(0))]
