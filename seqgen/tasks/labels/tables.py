"""Tables of texts and labels: CSV, TSV and JSON Lines, whose columns have names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.labels.examples import Examples

# Names of columns, without regard to case; the first one that a table has is used.
TEXT_COLUMNS = ("text", "sentence", "review", "message", "comment", "tweet", "content", "name",
                "title", "document", "body")  # fmt: skip
LABEL_COLUMNS = ("label", "class", "target", "category", "sentiment", "language", "lang", "origin",
                 "labels", "tag", "topic", "rating", "y")  # fmt: skip
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
DELIMITERS = ",;\t|"
LONGEST_CELL = 1 << 24  # characters of a cell


@dataclass(frozen=True)
class Columns:
    """How the columns of a table are found."""

    text: str | None = None  # its name; None: one of `TEXT_COLUMNS`
    label: str | None = None  # its name; None: one of `LABEL_COLUMNS`
    needs_label: bool = True  # whether a table without labels is an error


def looks_like_table(head: bytes, suffix: str) -> bool:
    r"""Whether the first bytes of a file are those of a table with texts and labels.

    >>> looks_like_table(b"review,sentiment\nfine,good\n", ".csv")
    True
    >>> looks_like_table(b"name,price\n", ".csv"), looks_like_table(b"[" * 100_000, ".jsonl")
    (False, False)
    """
    text = head.decode("utf-8-sig", "replace")
    if suffix in (".jsonl", ".ndjson"):
        try:
            first = json.loads(text.partition("\n")[0])
        except (ValueError, RecursionError):
            return False
        names = list(first) if isinstance(first, dict) else []
    else:
        rows = csv.reader(io.StringIO(text.partition("\n")[0]), delimiter=_delimiter(text, suffix))
        names = next(rows, [])
    return bool(_found(names, TEXT_COLUMNS) and _found(names, LABEL_COLUMNS))


def read_table(source: Source, text: str, columns: Columns) -> Examples:
    r"""Read a table.

    Args:
        source: of the table, whose name says what kind it is.
        text: its content.
        columns: how its columns are found.

    Raises:
        CorpusError: a column is missing, or the file is no table.

    >>> table = read_table(Source("a.csv"), "text,label\nfine,good\n,bad\n", Columns())
    >>> table.contents, table.labels, dict(table.skipped)
    (['fine'], ['good'], {'an empty text': 1})
    """
    suffix = "." + source.label.rpartition(".")[2].lower()
    is_json = suffix in (".jsonl", ".ndjson")
    rows: Iterator[Mapping[str, object] | None]
    rows = _json_rows(source, text) if is_json else _csv_rows(source, text, suffix)
    examples = Examples()
    names: tuple[str, str | None] | None = None
    for row in rows:
        if row is None:
            examples.skipped["no object of JSON"] += 1
            continue
        if names is None:
            names = _names(source, list(row), columns)
        content, label = row.get(names[0]), row.get(names[1]) if names[1] else None
        if not isinstance(content, str):
            examples.skipped["no text"] += 1
        elif names[1] and (label is None or isinstance(label, (dict, list))):
            examples.skipped["no label"] += 1
        else:
            examples.add(content, None if label is None else str(label))
    if names is None:
        raise CorpusError(f"{source.label}: expected rows below the header, got none; add data")
    return examples


def _names(source: Source, names: Sequence[str], columns: Columns) -> tuple[str, str | None]:
    """The names of the columns of texts and of labels."""
    text = _column(source, names, columns.text, TEXT_COLUMNS, "text")
    needs_label = columns.needs_label or columns.label is not None
    if not needs_label and not _found(names, LABEL_COLUMNS):
        return text, None
    return text, _column(source, names, columns.label, LABEL_COLUMNS, "label")


def _column(
    source: Source, names: Sequence[str], name: str | None, usual: Sequence[str], what: str
) -> str:
    there = ", ".join(map(str, names)) or "none"
    if name is not None:
        if name not in names:
            raise CorpusError(
                f"{source.label}: expected a column {name!r}, got the columns {there}; name one "
                f"with --{what}-column"
            )
        return name
    found = _found(names, usual)
    if found is None:
        raise CorpusError(
            f"{source.label}: expected a column of {what}s, such as {usual[0]!r} or {usual[1]!r}, "
            f"got the columns {there}; name one with --{what}-column"
        )
    return found


def _found(names: Sequence[str], usual: Sequence[str]) -> str | None:
    by_lower = {str(name).strip().lower(): name for name in reversed(names)}
    return next((by_lower[name] for name in usual if name in by_lower), None)


def _delimiter(text: str, suffix: str) -> str:
    """The delimiter that is most frequent in the header."""
    if suffix == ".tsv":
        return "\t"
    header = text.partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def _csv_rows(source: Source, text: str, suffix: str) -> Iterator[Mapping[str, object]]:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text, suffix))
    try:
        yield from reader
    except csv.Error as error:
        raise CorpusError(
            f"{source.label}: expected a table, line {reader.line_num}: {error}; correct that line"
        ) from error


def _json_rows(source: Source, text: str) -> Iterator[Mapping[str, object] | None]:
    """The rows; None for a line that is not one, after the first row."""
    is_table = False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        fault = ""
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                fault = type(row).__name__
        except (ValueError, RecursionError) as error:
            fault = str(error)
        if fault and not is_table:
            raise CorpusError(
                f"{source.label}: expected an object of JSON in line {number}, got {fault}; "
                "correct that line"
            )
        is_table = True
        yield None if fault else row
