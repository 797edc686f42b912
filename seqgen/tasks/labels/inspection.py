"""Descriptions of files of labelled sequences for `seqgen inspect`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.labels.examples import Examples
from seqgen.tasks.labels.files import read_parts
from seqgen.tasks.labels.tables import Columns
from seqgen.tasks.requests import Inspection

SHOWN = 8  # labels in a line


def inspect(sources: Sequence[Source], encoding: str | None) -> list[Inspection]:
    """Describe every file: its sequences and labels, and the rows that cannot be used."""
    return [_inspection(source, encoding or "utf-8") for source in sources]


def _inspection(source: Source, encoding: str) -> Inspection:
    examples = Examples()
    try:
        for part in read_parts([source], Columns(), encoding):
            examples.extend(part)
    except CorpusError as error:
        reason = str(error).removeprefix(f"{source.label}: ")
        return Inspection({"file": source.label, "kept": False, "reason": reason}, reason)
    labels = Counter(str(label) for label in examples.labels)
    lengths = [len(content) for content in examples.contents]
    facts = {
        "file": source.label,
        "kept": len(examples) > 0,
        "sequences": len(examples),
        "channels": examples.channels,
        "lengths": [min(lengths), median(lengths), max(lengths)] if lengths else [],
        "labels": dict(labels.most_common()),
        "skipped": dict(examples.skipped),
    }
    shown = ", ".join(f"{label} {count:,}" for label, count in labels.most_common(SHOWN))
    more = ", …" if len(labels) > SHOWN else ""
    kind = f"series of {examples.channels} channels" if examples.has_series else "texts"
    span = f", {min(lengths):,} to {max(lengths):,} steps" if lengths else ""
    line = f"{len(examples):,} {kind}{span}; {len(labels):,} labels: {shown}{more}"
    return Inspection(facts, "; ".join([line, *examples.messages()]))
