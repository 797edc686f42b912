"""Reading of text files as a corpus of characters (Unicode code points)."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from seqgen.corpus import sources as sources_module
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.text.decoding import UnreadableTextError, decoded
from seqgen.tasks.text.encoding import Bounds, TextOptions, encode
from seqgen.tasks.text.guess_encoding import ISO_2022_JP, UNICODE_MARKS, unicode_with_nul
from seqgen.types import Ids
from seqgen.vocabulary import Vocabulary

SNIFFED_BYTES = 8192
SAMPLED_LINES = 200
BINARY_STARTS = (
    *(b"%PDF-", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF87a", b"GIF89a"),
    *(b"\x1f\x8b", b"MThd\0", b"ID3\x02", b"ID3\x03", b"ID3\x04"),
)


def read(
    sources: Sequence[Source],
    *,
    encoding: str = "utf-8",
    lines: bool = False,
    min_count: int = 1,
    validation: float = 0.1,
    **origin: Any,
) -> Corpus:
    r"""Read texts in order; a missing final newline is added before the next text.

    Byte order marks are removed, and `\r\n` and `\r` become `\n`.

    Args:
        sources: the texts.
        encoding: of the bytes, such as `utf-8` or `latin-1`.
        lines: make every line that is not empty a piece, which ends with an end token. Sorted
            lines are shuffled.
        min_count: replace characters that occur less often by `<unk>`, which is never generated.
        validation: fraction held out at the end.
        origin: fields of `Corpus` that are passed to it unchanged: `name` and others.

    Raises:
        CorpusError: the bytes are not in this encoding, a file is binary or empty, or there is no
            text.
        ConfigError: an option is out of range.

    >>> corpus = read([Source("note", data=b"hello\r\n")], name="note", validation=0)
    >>> "".join(corpus.vocabulary.decode(corpus.ids))
    'hello\n'
    """
    options = TextOptions(encoding, lines, min_count)
    usable, notes = _usable(sources, options)
    digest = sources_module.sha256(usable)
    vocabulary, ids, bounds = encode(usable, options, digest)
    shuffled = lines and not isinstance(ids, np.memmap) and _is_sorted(vocabulary, ids, bounds)
    if shuffled:
        ids, bounds = _shuffled(ids, bounds)
        notes += ("the lines are sorted: shuffled, so that the held-out lines resemble the rest",)
    return Corpus(
        task="text",
        vocabulary=vocabulary,
        ids=ids,
        bounds=bounds if lines else None,
        validation=validation,
        sha256=digest,
        options={
            "encoding": encoding,
            "lines": lines,
            "min_count": min_count,
            "shuffled": shuffled,
        },
        notes=notes,
        **origin,
    )


def _usable(
    sources: Sequence[Source], options: TextOptions
) -> tuple[list[Source], tuple[str, ...]]:
    """The sources that contain text, and messages about those that were skipped.

    Only sources from folders are skipped; others raise `CorpusError` if they are not text.
    """
    usable, skipped = [], []
    for source in sources:
        reason = why_not_text(source, options.encoding, whole=source.optional)
        if reason is None:
            usable.append(source)
        elif source.optional:
            skipped.append(f"skipped {source.label}: {reason}")
        else:
            raise CorpusError(f"{source.label} {reason}")
    if not usable:
        where = "the folder has no files" if not sources else "no file of the folder holds text"
        detail = f": {'; '.join(skipped[:3])}" if skipped else ""
        raise CorpusError(f"no text to learn from: {where}{detail}; choose another corpus")
    return usable, tuple(skipped)


def why_not_text(source: Source, encoding: str, *, whole: bool = False) -> str | None:
    r"""Why a source cannot be learned from, and what to do; None if it can.

    Args:
        source: a file.
        encoding: in which it should be.
        whole: decode all of it, rather than judge by its first bytes. The reason is then also
            that the file cannot be opened.

    >>> why_not_text(Source("note", data=b"MThd\0"), "utf-8")
    'is a binary file; expected plain text, save it as such'
    """
    try:
        reason = _why_no_head_of_text(source.head(SNIFFED_BYTES), encoding)
        if reason is None and whole:
            for _ in decoded(source, encoding):
                pass
    except UnreadableTextError as error:
        return error.reason
    except CorpusError as error:
        if not whole:
            raise
        return str(error).removeprefix(source.label).lstrip()
    return reason


def _why_no_head_of_text(head: bytes, encoding: str) -> str | None:
    if not head:
        return "is empty; expected a file with text"
    codec = codecs.lookup(encoding).name
    wide = codec.startswith(("utf-16", "utf-32"))
    for name, marks in UNICODE_MARKS.items():
        if not wide and head.startswith(marks):
            return f"looks like {name}; add --encoding {name}"
    if head.startswith(BINARY_STARTS):
        return "is a binary file; expected plain text, save it as such"
    if not wide and b"\0" in head:
        name = unicode_with_nul(head) or ""
        if name:
            return f"looks like {name} without a byte order mark; add --encoding {name}"
        return "is a binary file; expected plain text, save it as such"
    if codec == "utf-8" and any(sign in head for sign in ISO_2022_JP):
        return "looks like iso2022_jp; add --encoding iso2022_jp"
    return None


def _is_sorted(vocabulary: Vocabulary, ids: Ids, bounds: Bounds) -> bool:
    """Whether the lines are in alphabetical order, judging by a sample.

    The held-out end of a sorted list starts with letters that no other line starts with, so that
    its loss would be meaningless.
    """
    lines = len(bounds) - 1
    chosen = np.unique(np.linspace(0, lines - 1, SAMPLED_LINES).astype(int))
    pieces = [vocabulary.decode(ids[bounds[i] : bounds[i + 1] - 1]) for i in chosen]
    texts = ["".join(piece).casefold() for piece in pieces]
    in_order = sum(a <= b for a, b in pairwise(texts))
    return len(texts) >= 10 and in_order >= 0.95 * (len(texts) - 1)


def _shuffled(ids: Ids, bounds: Bounds) -> tuple[Ids, Bounds]:
    """Shuffle the pieces, always in the same way."""
    order = np.random.default_rng(0).permutation(len(bounds) - 1)
    pieces = [ids[bounds[i] : bounds[i + 1]] for i in order]
    lengths = np.diff(bounds)[order]
    return np.concatenate(pieces), np.concatenate(([0], np.cumsum(lengths)))
