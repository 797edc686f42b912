"""Describes music files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqgen.corpus.sources import Source
from seqgen.music.io.result import ReadResult
from seqgen.tasks.base import Inspection
from seqgen.tasks.music.files import readings

SHOWN_REASONS = 3  # of skipped pieces, in one line


def inspect(sources: Sequence[Source], *, progress: bool = False) -> list[Inspection]:
    """Describe every file of a corpus of music.

    Args:
        sources: the files.
        progress: draw a progress bar on stderr.

    >>> inspect([Source("tune.mid", data=b"MThd")])[0].line
    'skipped: is no MIDI file, or only the beginning of one'
    """
    results = readings(sources, progress=progress)
    found = []
    for source, result in zip(sources, results, strict=True):
        facts = reading(source.label, result)
        found.append(Inspection(facts, reading_line(facts)))
    return found


def reading(file: str, result: ReadResult) -> dict[str, Any]:
    """The result of reading a music file, as plain data."""
    pieces = result.pieces
    changes = sum(piece.tempo_changes for piece in pieces)
    counts = {"changes of tempo": changes, **result.counts}
    return {
        "file": file,
        "kept": bool(pieces),
        "reason": result.reason,
        "skipped": list(result.skipped),
        "pieces": len(pieces),
        "parts": max((len(piece.parts) for piece in pieces), default=0),
        "notes": result.notes,
        "bars": sum(len(piece.bars) for piece in pieces),
        "meters": sorted({str(piece.meter) for piece in pieces}),
        "keys": sorted({str(piece.key) for piece in pieces if piece.key}),
        "counts": {name: count for name, count in counts.items() if count},
    }


def reading_line(row: dict[str, Any]) -> str:
    """A row of `reading` as one line.

    >>> reading_line({"kept": False, "reason": "not a MIDI file"})
    'skipped: not a MIDI file'
    """
    if not row["kept"]:
        return f"skipped: {row['reason']}"
    texts = [
        f"{row['pieces']:,} pieces" if row["pieces"] > 1 else "",
        f"{row['parts']} parts" if row["parts"] > 1 else "",
        f"{row['notes']:,} notes, {row['bars']:,} bars",
        " ".join(row["meters"][:4]),
        " ".join(row["keys"][:4]),
        *(f"{count:,.0f} {name}" for name, count in row["counts"].items() if name != "moved ms"),
    ]
    if moved := row["counts"].get("moved ms"):
        texts[-1] += f" by {moved:.0f} ms on average"
    if skipped := row["skipped"]:
        more = "; …" if len(skipped) > SHOWN_REASONS else ""
        texts.append(f"{len(skipped):,} pieces skipped: {'; '.join(skipped[:SHOWN_REASONS])}{more}")
    return ", ".join(filter(None, texts))
