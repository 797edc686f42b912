"""Scores of the formats that seqgen has no reader for, such as MEI → pieces, by music21."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple, TypeVar

from seqgen.errors import MusicError
from seqgen.music.io import music21_types as m21
from seqgen.music.io.drum_staff import drum_at
from seqgen.music.io.music21_parser import scores
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import MOST_TICKS, TICKS_PER_QUARTER, Note, Part, Piece
from seqgen.music.signatures import MODES, TICKS_PER_WHOLE, Key, Meter, is_real_meter, is_real_tempo

OFF_GRID = 1e-3  # ticks; smaller differences are due to rounding

Value = TypeVar("Value")


def read_score(name: str, data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """Read every piece of a file.

    Args:
        name: name of the file; its suffix tells music21 the format.
        data: content of the file.
        expand_repeats: write out repeats.

    Returns:
        The pieces, the reasons why other pieces of the file cannot be used, and the counts `grace
        notes dropped`, `chord symbols dropped`, `odd meters`, `odd tempi`, `notes moved` onto the
        grid, `repeats not expanded` and `music21 warnings`.

    Raises:
        MusicError: no piece can be used.
    """
    suffix = PurePath(name).suffix.lower()
    counts: Counter[str] = Counter()
    pieces: list[Piece] = []
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"score{suffix}"
        path.write_bytes(data)
        for found in _pieces(path, counts, expand_repeats):
            if isinstance(found, Piece):
                pieces.append(found)
            else:
                skipped.append(found)
    if not pieces:
        raise MusicError(skipped[0] if skipped else "holds no notes")
    return ReadResult(tuple(pieces), counts, skipped=tuple(skipped))


def _pieces(path: Path, counts: Counter[str], expand_repeats: bool) -> Iterator[Piece | str]:
    """Yield the pieces of a file, or the reasons why they cannot be used."""
    try:
        parsed = scores(path, counts)
    except Exception as error:  # music21 lets any exception of its parsers through
        yield _reason(error)
        return
    for score in parsed:
        own: Counter[str] = Counter()
        try:
            score.toSoundingPitch(inPlace=True)
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


def _expanded(score: m21.Score, counts: Counter[str]) -> m21.Score:
    try:
        return score.expandRepeats()
    except Exception:  # music21 fails on about one tune in fifty, in many ways
        counts["repeats not expanded"] += 1
        return score


def _piece(score: m21.Score, counts: Counter[str]) -> Piece:
    streams: list[m21.Stream] = list(score.parts) if hasattr(score, "parts") else []
    streams = streams or [score]
    parts = [_part(stream, counts) for stream in streams]
    end = max((note.end for part in parts for note in part.notes), default=0)
    if end == 0:
        raise MusicError("holds no notes")
    if end > MOST_TICKS:
        bars, most = end // TICKS_PER_WHOLE, MOST_TICKS // TICKS_PER_WHOLE
        raise MusicError(f"lasts {bars:,} bars; expected at most {most:,}")
    frame = _frame(max(streams, key=_informative), end, counts)
    return Piece(
        tuple(part for part in parts if part.notes),
        frame.bars,
        frame.length,
        frame.meters,
        frame.keys,
        _tempi(score, counts),
        (score.metadata.title if score.metadata else None) or "",
    )


def _tempi(score: m21.Score, counts: Counter[str]) -> tuple[tuple[int, float], ...]:
    """Return the changes of tempo."""
    tempi: dict[int, float] = {}
    for mark in score.recurse().getElementsByClass("MetronomeMark"):
        tempo = mark.getQuarterBPM()
        if tempo and not is_real_tempo(tempo):
            counts["odd tempi"] += 1
        elif tempo:
            tempi.setdefault(_ticks(mark.getOffsetInHierarchy(score)), round(float(tempo), 3))
    return tuple(sorted(tempi.items()))


def _informative(part: m21.Stream) -> tuple[int, bool]:
    """Rank a part by how much it tells about the whole: its bars, then whether it has a key.

    Drums have no key.
    """
    measures = part.getElementsByClass("Measure")
    return len(measures), any(measure.keySignature for measure in measures)


def _ticks(quarters: m21.Quarters) -> int:
    return round(float(quarters) * TICKS_PER_QUARTER)


def _part(stream: m21.Stream, counts: Counter[str]) -> Part:
    """Return the sounding notes of a part, with tied notes joined."""
    from music21 import harmony

    notes: list[Note] = []
    tied: dict[int, int] = {}  # pitch → index of the note that a tie continues
    is_drums = False
    for element in stream.flatten().notes:
        if isinstance(element, harmony.Harmony):
            counts["chord symbols dropped"] += 1
            continue
        if element.duration.isGrace:
            counts["grace notes dropped"] += 1
            continue
        exact = float(element.offset) * TICKS_PER_QUARTER
        start = round(exact)
        end = _ticks(element.offset + element.quarterLength)
        counts["notes moved"] += abs(exact - start) > OFF_GRID
        for member in element.notes if hasattr(element, "notes") else (element,):
            is_drums |= not hasattr(member, "pitch")
            tie = member.tie
            _add_note(notes, tied, _pitch(member), start, end, tie.type if tie else "")
    instrument = stream.getInstrument(returnDefault=False)
    program = getattr(instrument, "midiProgram", None) or 0
    return Part(tuple(notes), 0 if is_drums else program, is_drums)


def _add_note(
    notes: list[Note], tied: dict[int, int], pitch: int, start: int, end: int, tie: str
) -> None:
    """Add a note, or lengthen the note that it continues."""
    index = tied.pop(pitch, None)
    if tie in ("stop", "continue") and index is not None and notes[index].end == start:
        notes[index] = notes[index]._replace(duration=end - notes[index].start)
    else:
        index = len(notes)
        notes.append(Note(start, max(end - start, 1), pitch))
    if tie in ("start", "continue"):
        tied[pitch] = index


def _pitch(note: m21.Element) -> int:
    if hasattr(note, "pitch"):
        return int(min(max(round(note.pitch.ps), 0), 127))
    instrument = getattr(note, "storedInstrument", None)
    drum = getattr(instrument, "percMapPitch", None)
    return int(drum or drum_at(f"{note.displayStep}{note.displayOctave}", note.notehead))


class _Frame(NamedTuple):
    """What holds for all parts of a piece."""

    bars: tuple[int, ...]
    length: int
    meters: tuple[tuple[int, Meter], ...]
    keys: tuple[tuple[int, Key], ...]


def _frame(part: m21.Stream, end: int, counts: Counter[str]) -> _Frame:
    """Read the bars, meters and keys of a part. `end` is where the last note of the piece ends."""
    starts: dict[int, tuple[m21.TimeSignature | None, m21.KeySignature | None]] = {}
    length = end
    meter: m21.TimeSignature | None = None
    key: m21.KeySignature | None = None
    for measure in part.getElementsByClass("Measure"):
        start = _ticks(measure.offset)
        meter, key = measure.timeSignature or meter, measure.keySignature or key
        starts[start] = (meter, key)
        length = max(length, start + _ticks(measure.highestTime))
    if not starts:
        return _frame_without_measures(part, end, counts)
    starts = {start: starts[start] for start in sorted(starts) if start < length}
    if 0 not in starts:
        starts = {0: next(iter(starts.values())), **starts}
    meters: list[tuple[int, Meter]] = []
    keys: list[tuple[int, Key]] = []
    for start, (meter, key) in starts.items():
        _add_change(meters, start, _meter(meter, counts) if meter else None)
        _add_change(keys, start, _key(key) if key else None)
    return _Frame(tuple(starts), length, tuple(meters), tuple(keys))


def _add_change(changes: list[tuple[int, Value]], start: int, value: Value | None) -> None:
    """Add a meter or key where it differs from the one before."""
    if value is not None and not (changes and changes[-1][1] == value):
        changes.append((start, value))


def _frame_without_measures(part: m21.Stream, end: int, counts: Counter[str]) -> _Frame:
    """Return the frame of a stream of notes alone, with bars of its first meter."""
    signatures = part.recurse().getElementsByClass("TimeSignature")
    meters = [_meter(signature, counts) for signature in signatures]
    keys = [_key(signature) for signature in part.recurse().getElementsByClass("KeySignature")]
    meter = next((meter for meter in meters if meter), None)
    ticks = (meter or Meter(4, 4)).ticks
    length = -(-max(end, _ticks(part.highestTime)) // ticks) * ticks
    return _Frame(
        tuple(range(0, length, ticks)),
        length,
        ((0, meter),) if meter else (),
        ((0, keys[0]),) if keys else (),
    )


def _meter(signature: m21.TimeSignature, counts: Counter[str]) -> Meter | None:
    if is_real_meter(signature.numerator, signature.denominator):
        return Meter(signature.numerator, signature.denominator)
    counts["odd meters"] += 1
    return None


def _key(signature: m21.KeySignature) -> Key:
    mode = getattr(signature, "mode", None)
    sharps = min(max(signature.sharps or 0, -7), 7)
    return Key(sharps, mode if mode in MODES else "major")
