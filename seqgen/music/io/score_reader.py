"""Scores (ABC, MusicXML, Humdrum and what else music21 opens) → pieces."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from seqgen.errors import MusicError
from seqgen.music.io.abc_split import documents
from seqgen.music.io.drum_staff import drum_at
from seqgen.music.io.music21_parser import scores
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import MOST_TICKS, TICKS_PER_QUARTER, Note, Part, Piece
from seqgen.music.signatures import MODES, Key, Meter, is_real_meter


def read_score(name: str, data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Every piece of a file.

    Args:
        name: of the file; music21 tells by its ending what it is.
        data: its bytes.
        expand_repeats: write out what a repeat sign repeats.

    Returns:
        The pieces, why others of the file cannot be used, and counts of `grace notes dropped`, `odd
        meters`, `notes moved` onto the grid, `repeats not expanded`, `music21 warnings`.

    Raises:
        MusicError: nothing of it can be used.
    """
    suffix = PurePath(name).suffix.lower()
    counts: Counter[str] = Counter()
    pieces: list[Piece] = []
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"score{suffix}"
        for label, document in documents(suffix, data).items():
            path.write_bytes(document)
            for found in _pieces(path, counts, expand_repeats):
                if isinstance(found, Piece):
                    pieces.append(found)
                else:
                    skipped.append(f"{label} {found}".lstrip())
    if not pieces:
        raise MusicError(skipped[0] if skipped else "holds no notes")
    return ReadResult(tuple(pieces), counts, skipped=tuple(skipped))


def _pieces(path: Path, counts: Counter[str], expand_repeats: bool) -> Iterator[Piece | str]:
    """The pieces, or the reasons why they cannot be used; music21 raises whatever happens to it."""
    try:
        parsed = scores(path, counts)
    except Exception as error:
        yield _reason(error)
        return
    for score in parsed:
        own: Counter[str] = Counter()
        try:
            piece = _piece(_expanded(score, own) if expand_repeats else score, own)
        except Exception as error:
            yield _reason(error)
        else:
            counts.update(own)
            yield piece


def _reason(error: Exception) -> str:
    if isinstance(error, MusicError):
        return str(error)
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"cannot be read as music: {lines[0][:120]}"


def _expanded(score: Any, counts: Counter[str]) -> Any:
    try:
        return score.expandRepeats()
    except Exception:  # it fails on about one tune in fifty, in many ways
        counts["repeats not expanded"] += 1
        return score


def _piece(score: Any, counts: Counter[str]) -> Piece:
    streams = list(score.parts) if hasattr(score, "parts") else []
    streams = streams or [score]
    first = max(streams, key=_says_most)
    parts = [_part(part, counts) for part in streams]
    end = max((note.end for part in parts for note in part.notes), default=0)
    if end == 0:
        raise MusicError("holds no notes")
    if end > MOST_TICKS:
        raise MusicError(f"lasts {end // 96:,} bars; expected at most {MOST_TICKS // 96:,}")
    bars, length, meters, keys = _measures(first, end, counts)
    tempi = [
        (tempo, mark)
        for mark in score.recurse().getElementsByClass("MetronomeMark")
        if (tempo := mark.getQuarterBPM())
    ]
    title = score.metadata.title if score.metadata else ""
    return Piece(
        tuple(part for part in parts if part.notes),
        bars,
        length,
        meters,
        keys,
        ((0, round(float(tempi[0][0]), 3)),) if tempi else (),
        title or "",
    )


def _says_most(part: Any) -> tuple[int, bool]:
    """How well a part can speak for all: by its bars, and whether it has a key; drums have none."""
    measures = part.getElementsByClass("Measure")
    return len(measures), any(measure.keySignature for measure in measures)


def _ticks(quarters: Any) -> int:
    return round(float(quarters) * TICKS_PER_QUARTER)


def _part(part: Any, counts: Counter[str]) -> Part:
    """The notes that sound, ties joined."""
    from music21 import harmony

    notes: list[Note] = []
    tied: dict[int, int] = {}  # pitch → which note a tie goes on from
    drums = False
    for element in part.flatten().notes:
        if isinstance(element, harmony.Harmony):
            continue  # a chord symbol
        if element.duration.isGrace:
            counts["grace notes dropped"] += 1
            continue
        exact = float(element.offset) * TICKS_PER_QUARTER
        start = round(exact)
        end = _ticks(element.offset + element.quarterLength)
        counts["notes moved"] += abs(exact - start) > 1e-3
        for each in element.notes if hasattr(element, "notes") else (element,):
            pitch = _pitch(each)
            drums |= not hasattr(each, "pitch")
            tie = (each.tie or element.tie).type if each.tie or element.tie else None
            before = tied.pop(pitch, None)
            if tie in ("stop", "continue") and before is not None and notes[before].end == start:
                notes[before] = notes[before]._replace(duration=end - notes[before].start)
                number = before
            else:
                number = len(notes)
                notes.append(Note(start, max(end - start, 1), pitch))
            if tie in ("start", "continue"):
                tied[pitch] = number
    instrument = part.getInstrument(returnDefault=False)
    program = getattr(instrument, "midiProgram", None) or 0
    return Part(tuple(notes), 0 if drums else program, drums)


def _pitch(note: Any) -> int:
    if hasattr(note, "pitch"):
        return int(min(max(round(note.pitch.ps), 0), 127))
    instrument = getattr(note, "storedInstrument", None)
    named = getattr(instrument, "percMapPitch", None)
    return int(named or drum_at(f"{note.displayStep}{note.displayOctave}", note.notehead))


def _measures(part: Any, end: int, counts: Counter[str]) -> Any:
    """Where bars begin, where the last one ends, and what stands at their beginnings."""
    starts: dict[int, tuple[Any, Any]] = {}
    length = end
    meter = key = None
    for measure in part.getElementsByClass("Measure"):
        start = _ticks(measure.offset)
        meter, key = measure.timeSignature or meter, measure.keySignature or key
        starts[start] = (meter, key)
        length = max(length, start + _ticks(measure.highestTime))
    if not starts:
        return _without_measures(part, end, counts)
    starts = {start: starts[start] for start in sorted(starts) if start < length}
    if 0 not in starts:
        starts = {0: next(iter(starts.values())), **starts}
    meters: list[tuple[int, Meter]] = []
    keys: list[tuple[int, Key]] = []
    for start, (meter, key) in starts.items():
        _note_change(meters, start, meter and _meter(meter, counts))
        _note_change(keys, start, key and _key(key))
    return tuple(starts), length, tuple(meters), tuple(keys)


def _note_change(changes: list[tuple[int, Any]], start: int, value: Any) -> None:
    if value is not None and not (changes and changes[-1][1] == value):
        changes.append((start, value))


def _without_measures(part: Any, end: int, counts: Counter[str]) -> Any:
    """A stream of notes alone: bars as its meter has them."""
    meters = [_meter(each, counts) for each in part.recurse().getElementsByClass("TimeSignature")]
    keys = [_key(each) for each in part.recurse().getElementsByClass("KeySignature")]
    meter = next((each for each in meters if each), None)
    ticks = (meter or Meter(4, 4)).ticks
    length = -(-max(end, _ticks(part.highestTime)) // ticks) * ticks
    return (
        tuple(range(0, length, ticks)),
        length,
        ((0, meter),) if meter else (),
        ((0, keys[0]),) if keys else (),
    )


def _meter(signature: Any, counts: Counter[str]) -> Meter | None:
    if is_real_meter(signature.numerator, signature.denominator):
        return Meter(signature.numerator, signature.denominator)
    counts["odd meters"] += 1
    return None


def _key(signature: Any) -> Key:
    mode = getattr(signature, "mode", None)
    sharps = min(max(signature.sharps or 0, -7), 7)
    return Key(sharps, mode if mode in MODES else "major")
