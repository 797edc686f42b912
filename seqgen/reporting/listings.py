"""Rows of `seqgen inspect` and `seqgen corpora`, as plain data and as lines of text."""

from __future__ import annotations

from seqgen.corpus.catalogue import Entry
from seqgen.music.io.result import ReadResult
from seqgen.types import Json

SHOWN_REASONS = 3  # of skipped pieces, in one line


def reading(file: str, result: ReadResult) -> Json:
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


def reading_line(row: Json) -> str:
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


def entry(named: Entry) -> Json:
    """An entry of the catalogue, as plain data."""
    return {
        "name": named.name,
        "task": named.task,
        "characters": named.size,
        "pieces": named.pieces,
        "licence": named.licence,
        "here": named.is_here,
        "description": named.description,
        "source": named.source,
    }


def entry_line(named: Entry) -> str:
    """An entry of the catalogue as one line."""
    row = entry(named)
    unit = "characters" if row["pieces"] is None else "pieces"
    size = f"{row[unit] or 0:,} {unit}"
    missing = "to download" if row[unit] else "not installed"
    where = "on this machine" if row["here"] else missing
    return (
        f"{row['name']:20} {size:>21}  {where:15}  {row['licence']:32} {row['description']} "
        f"({row['source']})"
    )
