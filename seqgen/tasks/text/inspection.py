"""Describes text files: what could be learned from them, and what should not be."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.requests import Inspection
from seqgen.tasks.text.boilerplate import HEAD_LINES, TAIL_LINES, Boilerplate, licences, shared
from seqgen.tasks.text.corpus import SNIFFED_BYTES, why_not_text
from seqgen.tasks.text.decoding import decoded, require_encoding
from seqgen.tasks.text.guess_encoding import guess

RARE = 10  # a character that occurs less often in all files is rare
SHOWN = 5  # rare characters in a line
LEAST_LENGTH = 20  # characters of a line that counts as repeated; shorter ones often are
MOST_LINES = 5_000_000  # of all files that are compared; one takes some 100 bytes of memory


@dataclass
class _Text:
    """What is known of one file."""

    label: str
    reason: str | None = None  # why it cannot be used
    encoding: str | None = None
    characters: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    repeated: int = 0  # lines that occurred before in any file
    example: str | None = None  # the first of them
    head: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))
    boilerplate: list[Boilerplate] = field(default_factory=list)


def inspect(
    sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
) -> list[Inspection]:
    """Describe every file of a corpus of texts.

    Args:
        sources: the files.
        encoding: in which they should be; utf-8 by default.
        progress: draw a progress bar on stderr.

    Raises:
        ConfigError: there is no such encoding.

    >>> inspect([Source("note", data=b"aaaaaaaaaaab\\n" * 12)])[0].line
    'ascii, 156 characters, 3 different, 12 lines'
    """
    from tqdm import tqdm

    encoding = encoding or "utf-8"
    require_encoding(encoding)
    seen: set[int] = set()
    texts = [
        _read(source, encoding, seen)
        for source in tqdm(
            sources, "reading", file=sys.stderr, leave=False, disable=not progress, unit=""
        )
    ]
    _find_boilerplate([text for text in texts if text.reason is None])
    total: Counter[str] = Counter()
    for text in texts:
        total.update(text.characters)
    rare = {character for character, count in total.items() if count < RARE}
    return [_inspection(text, rare) for text in texts]


def _read(source: Source, encoding: str, seen: set[int]) -> _Text:
    text = _Text(source.label, why_not_text(source, encoding, whole=True))
    if text.reason is not None:
        text.encoding = _likely_encoding(source)
        return text
    for line in _lines(source, encoding):
        text.characters.update(line)
        text.lines += 1
        line = line.rstrip("\n")
        if len(text.head) < HEAD_LINES:
            text.head.append(line)
        text.tail.append(line)
        if len(line.strip()) < LEAST_LENGTH:
            continue
        number = hash(line)
        if number in seen:
            text.repeated += 1
            text.example = text.example or line
        elif len(seen) < MOST_LINES:
            seen.add(number)
    text.encoding = "ascii" if all(map(str.isascii, text.characters)) else encoding
    return text


def _lines(source: Source, encoding: str) -> Iterator[str]:
    """The lines of a text with their newlines; without a newline, the last one has none either."""
    rest = ""
    for chunk in decoded(source, encoding):
        *lines, rest = (rest + chunk).split("\n")
        for line in lines:
            yield f"{line}\n"
    if rest:
        yield rest


def _likely_encoding(source: Source) -> str | None:
    """The encoding that the first bytes of a source that cannot be used suggest."""
    try:
        head = source.head(SNIFFED_BYTES)
        return guess(head) if head else None
    except CorpusError:  # it cannot be read
        return None


def _find_boilerplate(texts: Sequence[_Text]) -> None:
    heads = shared([text.head for text in texts])
    tails = shared([[*text.tail][::-1] for text in texts])
    for text, head, tail in zip(texts, heads, tails, strict=True):
        text.boilerplate = licences(text.head, text.tail, text.lines)
        if head and head < text.lines:
            text.boilerplate.append(Boilerplate("shared with other files", 1, head))
        if tail and head + tail < text.lines:
            first = text.lines - tail + 1
            text.boilerplate.append(Boilerplate("shared with other files", first, text.lines))


def _inspection(text: _Text, rare: set[str]) -> Inspection:
    counts = text.characters.most_common()
    found = {character: count for character, count in counts if character in rare}
    facts = {
        "file": text.label,
        "kept": text.reason is None,
        "reason": text.reason,
        "encoding": text.encoding,
        "characters": text.characters.total(),
        "different": len(text.characters),
        "rare": found,
        "lines": text.lines,
        "repeated_lines": text.repeated,
        "repeated_line": text.example,
        "boilerplate": [run._asdict() for run in text.boilerplate],
    }
    return Inspection(facts, _line(facts))


def _line(facts: dict[str, Any]) -> str:
    if not facts["kept"]:
        return f"skipped: {facts['reason']}"
    different = f"{facts['different']:,} different"
    if rare := facts["rare"]:
        shown = ", ".join(f"{character!r} {n}" for character, n in [*rare.items()][:SHOWN])
        more = ", …" if len(rare) > SHOWN else ""
        different += f" ({len(rare):,} rare: {shown}{more})"
    plural = "" if facts["lines"] == 1 else "s"
    parts = [
        facts["encoding"],
        f"{facts['characters']:,} characters",
        different,
        f"{facts['lines']:,} line{plural}",
    ]
    if facts["repeated_lines"]:
        example = facts["repeated_line"].strip()
        example = example if len(example) <= 40 else f"{example[:37]}..."
        parts.append(f"{facts['repeated_lines']:,} of them repeated, such as {example!r}")
    parts += [
        f"{run['kind']}: lines {run['first']:,} to {run['last']:,}" for run in facts["boilerplate"]
    ]
    return ", ".join(parts)
