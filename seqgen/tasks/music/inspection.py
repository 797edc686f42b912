"""Describes music files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqgen.corpus.sources import Source
from seqgen.music.io.result import ReadResult
from seqgen.tasks.music.files import readings
from seqgen.tasks.requests import Inspection

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
    rows = [_facts(source.label, result) for source, result in zip(sources, results, strict=True)]
    return [Inspection(facts, _line(facts)) for facts in rows]


def _facts(file: str, result: ReadResult) -> dict[str, Any]:
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


def _line(facts: dict[str, Any]) -> str:
    if not facts["kept"]:
        return f"skipped: {facts['reason']}"
    texts = [
        f"{facts['pieces']:,} pieces" if facts["pieces"] > 1 else "",
        f"{facts['parts']} parts" if facts["parts"] > 1 else "",
        f"{facts['notes']:,} notes, {facts['bars']:,} bars",
        " ".join(facts["meters"][:4]),
        " ".join(facts["keys"][:4]),
        *(f"{count:,.0f} {name}" for name, count in facts["counts"].items() if name != "moved ms"),
    ]
    if moved := facts["counts"].get("moved ms"):
        texts[-1] += f" by {moved:.0f} ms on average"
    if skipped := facts["skipped"]:
        more = "; …" if len(skipped) > SHOWN_REASONS else ""
        texts.append(f"{len(skipped):,} pieces skipped: {'; '.join(skipped[:SHOWN_REASONS])}{more}")
    return ", ".join(filter(None, texts))
