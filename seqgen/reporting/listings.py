"""Rows of `seqgen corpora`, as plain data and as lines of text."""

from __future__ import annotations

from seqgen.corpus.catalogue import Entry
from seqgen.types import Json


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
