"""Readers of scores: the notes that they find beside music21's, and their speed.

    python -m benchmarks.readers [--files 12] [--corpora bach palestrina ...] [--differences]

The corpora are those that music21 carries. Of each, that many files are read, evenly chosen. Notes
are compared by their start and pitch, as they sound, without grace notes and chord symbols, and a
tied note is one. `--differences` names the files in which the readers differ.

The speeds are those of one core, over files that are in memory: the same files, and for MIDI a
piece of 20,000 notes.
"""

from __future__ import annotations

import argparse
import struct
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import median_seconds, print_table
from seqgen.music.io.read import read
from seqgen.music.piece import TICKS_PER_QUARTER

CORPORA = (
    "bach", "palestrina", "haydn", "mozart", "beethoven", "monteverdi", "trecento", "chopin",
    "joplin", "schubert", "schumann_robert", "schumann_clara", "essenFolksong", "oneills1850",
    "ryansMammoth", "airdsAirs", "josquin", "nottingham-dataset", "leadSheet",
)  # fmt: skip
FORMATS = {".mxl": "MusicXML", ".xml": "MusicXML", ".musicxml": "MusicXML", ".krn": "Humdrum",
           ".abc": "ABC"}  # fmt: skip
AIMS = {"MusicXML": 10_000, "Humdrum": 4_000, "ABC": 10_000, "MIDI": 110_000}
LONG = 20_000  # notes of the MIDI file
Notes = Counter[tuple[int, int]]  # start in ticks and pitch


def ours(path: Path) -> Notes:
    """The notes that seqgen finds."""
    result = read(path.name, path.read_bytes())
    notes = (note for piece in result.pieces for part in piece.parts for note in part.notes)
    return Counter((note.start, note.pitch) for note in notes)


def theirs(path: Path) -> Notes:
    """The notes that music21 finds; none if it fails."""
    from music21 import converter

    try:
        found = converter.parse(path, forceSource=True)
        notes: Notes = Counter()
        for score in getattr(found, "scores", [found]):
            notes.update(sounding(score.toSoundingPitch()))
    except Exception as error:  # music21 lets any exception of its parsers through
        print(f"music21 fails on {path.name}: {error}")
        return Counter()
    return notes


def sounding(score: Any) -> Iterator[tuple[int, int]]:
    """Yield start and pitch of the notes of a score of music21."""
    from music21 import harmony

    for element in score.flatten().notes:
        if isinstance(element, harmony.Harmony) or element.duration.isGrace:
            continue
        start = round(float(element.offset) * TICKS_PER_QUARTER)
        for note in getattr(element, "notes", [element]):
            tie = note.tie or element.tie
            if hasattr(note, "pitch") and not (tie and tie.type in ("stop", "continue")):
                yield start, round(note.pitch.ps)


def chosen(corpus: str, most: int) -> dict[str, list[Path]]:
    """The files of a corpus that are read, by format."""
    from music21 import corpus as installed

    folder = Path(installed.__file__).parent / corpus
    files: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if kind := FORMATS.get(path.suffix):
            files.setdefault(kind, []).append(path)
    return {kind: own[:: -(-len(own) // most)] for kind, own in files.items()}


def compared(corpora: list[str], most: int, show: bool) -> dict[str, list[Path]]:
    """Print how the readers differ. Returns the files, by format."""
    rows: list[tuple[str, ...]] = [
        ("corpus", "format", "files", "seqgen", "music21", "only in seqgen", "only in music21")
    ]
    all_files: dict[str, list[Path]] = {}
    for corpus in corpora:
        for kind, files in chosen(corpus, most).items():
            all_files.setdefault(kind, []).extend(files)
            sums: Counter[str] = Counter()
            for path in files:
                mine, other = ours(path), theirs(path)
                more, less = (mine - other).total(), (other - mine).total()
                sums.update(mine=mine.total(), other=other.total(), more=more, less=less)
                if show and (more or less):
                    print(f"{corpus}/{path.name}: {more} only in seqgen, {less} only in music21")
            numbers = (f"{sums[name]:,}" for name in ("mine", "other", "more", "less"))
            rows.append((corpus, kind, str(len(files)), *numbers))
    print_table("Notes found by the readers", rows)
    return all_files


def long_midi() -> bytes:
    """A MIDI file of eighths, with and without rests between them."""
    random = np.random.default_rng(0)
    waits = random.choice([0, 12], LONG).tolist()
    pitches = random.integers(36, 96, LONG).tolist()
    events = [
        bytes((wait, 0x90, pitch, 80, 12, 0x80, pitch, 0))
        for wait, pitch in zip(waits, pitches, strict=True)
    ]
    track = b"".join(events) + bytes((0, 0xFF, 0x2F, 0))
    head = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 24, b"MTrk", len(track))
    return head + track


def speeds(files: dict[str, list[Path]]) -> None:
    """Print the notes that are read in a second."""
    data = {
        kind: [(path.name, path.read_bytes()) for path in own] for kind, own in files.items()
    } | {"MIDI": [("long.mid", long_midi())]}
    rows = [("format", "files", "notes", "notes/s", "at least")]
    for kind, named in data.items():
        total = sum(read(*file).notes for file in named)
        seconds = median_seconds(lambda: [read(*file) for file in named], 3)  # noqa: B023
        speed = f"{total / seconds:,.0f}"
        rows.append((kind, str(len(named)), f"{total:,}", speed, f"{AIMS[kind]:,}"))
    print_table("Speed of the readers, one core", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=12, help="files of each corpus and format")
    parser.add_argument("--corpora", nargs="+", default=CORPORA, choices=CORPORA)
    parser.add_argument("--differences", action="store_true", help="name files that differ")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # music21's
    speeds(compared(list(options.corpora), options.files, options.differences))


if __name__ == "__main__":
    main()
