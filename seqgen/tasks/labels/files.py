"""Files, tables and folders → examples of the training and of the test part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.labels import series, tables
from seqgen.tasks.labels.examples import Examples
from seqgen.tasks.labels.tables import Columns

HEAD_BYTES = 4096
PART = re.compile(r"(^|[-_. ])(TRAIN|TEST)$", re.IGNORECASE)  # at the end of the stem of a name
TEXT_SUFFIXES = {".txt", ".md", ".text", ""}  # of texts whose folder is their label


def is_examples(source: Source) -> bool:
    """Whether a source holds labelled sequences, judging by its name and first bytes."""
    suffix = PurePath(source.label).suffix.lower()
    if suffix == ".ts":
        head = source.head(HEAD_BYTES).lstrip()
        return head.startswith((b"#", b"@"))
    if suffix == ".npz":
        return series.looks_like_npz(source.head(HEAD_BYTES))
    if suffix in tables.SUFFIXES:
        head = source.head(HEAD_BYTES)
        return tables.looks_like_table(head, suffix) or (
            suffix == ".tsv" and series.looks_like_ucr(head)
        )
    return False


def read_parts(
    sources: Sequence[Source], columns: Columns, encoding: str
) -> tuple[Examples, Examples]:
    """Read all sources.

    If both parts of a pair such as `Name_TRAIN.ts` and `Name_TEST.ts` are there, the second one is
    set apart.

    Args:
        sources: the files.
        columns: how the columns of tables are found.
        encoding: of texts and tables.

    Returns:
        The examples for training, and those set apart.

    Raises:
        CorpusError: a file cannot be read; files of a folder are skipped instead.
    """
    parts = [_part(source) for source in sources]
    is_pair = {"TRAIN", "TEST"} <= set(parts)
    training, test = Examples(), Examples()
    for source, part in zip(sources, parts, strict=True):
        suffix = PurePath(source.label).suffix.lower()
        if suffix == ".npz":
            for_training, set_apart = series.read_npz(source)
            training.extend(for_training)
            test.extend(set_apart)
            continue
        target = test if is_pair and part == "TEST" else training
        try:
            target.extend(_read(source, suffix, columns, encoding))
        except UnicodeDecodeError as error:
            if not source.optional:
                raise CorpusError(
                    f"{source.label}: expected a text in {encoding}, got another encoding; set "
                    "--encoding"
                ) from error
            target.skipped["another encoding"] += 1
    return training, test


def _part(source: Source) -> str:
    found = PART.search(PurePath(source.label).stem)
    return found[2].upper() if found else ""


def _read(source: Source, suffix: str, columns: Columns, encoding: str) -> Examples:
    try:
        text = b"".join(source.chunks()).decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except LookupError as error:
        raise CorpusError(
            f"encoding: expected a name such as utf-8 or latin-1, got {encoding!r}; correct it"
        ) from error
    if suffix == ".ts":
        return series.read_ts(source, text)
    if suffix == ".tsv" and series.looks_like_ucr(text[:HEAD_BYTES].encode()):
        return series.read_ucr(source, text)
    if suffix in tables.SUFFIXES:
        return tables.read_table(source, text, columns)
    examples = Examples()
    if source.path is not None and source.optional and suffix in TEXT_SUFFIXES:
        examples.add(text, source.path.parent.name)  # a folder with a subfolder for every label
    elif not columns.needs_label:  # the texts to classify, line by line
        for line in text.splitlines():
            examples.add(line, None)
    elif source.optional:
        examples.skipped["a file of another kind"] += 1
    else:
        raise CorpusError(
            f"{source.label}: expected a table (.csv, .tsv, .jsonl), series (.ts, .tsv, .npz) or a "
            "folder with a subfolder of texts for every label; convert it"
        )
    return examples
