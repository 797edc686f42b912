"""ABC files → tunes: the lines of each, without comments, and what stands before the first."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from seqgen.music.io.score_text import decode_score

BLOCKS = re.compile(r"%%begin(\w+).*?(?:%%end\1|\Z)", re.DOTALL)  # text, PostScript and so on
FIELD = re.compile(r"[ \t]*([A-Za-z+]):(?:(?<![A-Ga-gXZxz]:)|(?![:|]))(.*)")  # `G:|`: notes
COMMENT = re.compile(r"(?<!\\)%.*")


@dataclass
class Tune:
    """The lines of a tune, and its label in messages."""

    label: str
    lines: list[str] = field(default_factory=list)


def tunes_of(data: bytes, counts: Counter[str]) -> list[Tune]:
    """Split a file into tunes, and count the `lines outside tunes`.

    A tune begins with its number, the field X, or where that is missing with the fields of its
    header, of which K is one. It ends with an empty line. Fields before the first tune apply to all
    of them.

    Args:
        data: content of the file.
        counts: what was met and not understood.

    >>> [tune.lines for tune in tunes_of(b"M:3/4\\n\\nX:1\\nK:G\\nG3|\\n\\nHello", Counter())]
    [['M:3/4', 'X:1', 'K:G', 'G3|']]
    """
    text = re.sub(r"\r\n?", "\n", decode_score(data, counts))
    text = BLOCKS.sub("%", text)  # a comment, since an empty line would end the tune
    head: list[str] = []
    tunes: list[Tune] = []
    labels: set[str] = set()
    for block in re.split(r"\n[ \t]*(?=\n|\Z)", text):
        tune: Tune | None = None
        for line in _numbered(block):
            found = FIELD.match(line)
            if found and found[1] == "X":
                tune = _tune(found[2].strip(), tunes, labels, head)
            if tune is not None:
                tune.lines.append(line)
            elif found or line.startswith("%%"):
                head.append(line)
            elif line.strip():
                counts["lines outside tunes"] += 1
    return tunes


def _numbered(block: str) -> list[str]:
    """Return the lines of a block; one that is a tune without a number gets an empty one."""
    lines = [
        line if line.startswith("%%") else COMMENT.sub("", line).rstrip()
        for line in block.split("\n")
    ]
    lines = [line for line in lines if line.strip()]
    fields = []
    for line in lines:
        found = FIELD.match(line)
        if found is None and not line.startswith("%%"):
            break
        fields.append(found[1] if found else "%")
    has_music = len(fields) < len(lines)
    return ["X:", *lines] if has_music and "K" in fields and "X" not in fields else lines


def _tune(number: str, tunes: list[Tune], labels: set[str], head: list[str]) -> Tune:
    label = f"X:{number}"
    if label in labels:
        label = f"{label} (tune {len(tunes) + 1})"
    labels.add(label)
    tunes.append(Tune(label, list(head)))
    return tunes[-1]
