"""Finds lines of files that are no part of their texts: licences, and beginnings they share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import NamedTuple

HEAD_LINES = 60  # of a file, in which a header is looked for
TAIL_LINES = 60
LEAST_SHARED = 3  # lines that are not blank
LICENCE = re.compile(
    r"copyright\s*(\(c\)|©|\d{4})|©\s*\d{4}|all rights reserved|spdx-license-identifier"
    r"|licen[sc]ed under|permission is hereby granted|redistribution and use in source"
    r"|general public licen[sc]e|creative commons|creativecommons\.org|project gutenberg",
    re.IGNORECASE,
)
MARKER = re.compile(r"\*\*\* ?(START|END) OF (THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)


class Boilerplate(NamedTuple):
    """A run of lines that is probably not worth learning."""

    kind: str  # "licence" or "shared with other files"
    first: int  # line numbers, from 1
    last: int


def licences(head: Sequence[str], tail: Sequence[str], count: int) -> list[Boilerplate]:
    """Find licences at the beginning and at the end of a text.

    A licence at the beginning ends with the paragraph of the last line that looks like one.

    Args:
        head: the first lines, at most `HEAD_LINES`.
        tail: the last lines, at most `TAIL_LINES`.
        count: number of lines of the text.

    >>> licences(["Copyright 2001 Jane Doe", "", "Once upon a time"], [], 3)
    [Boilerplate(kind='licence', first=1, last=1)]
    """
    found = []
    if matches := [i for i, line in enumerate(head) if LICENCE.search(line)]:
        last = next((i for i, line in enumerate(head) if MARKER.search(line)), matches[-1])
        while last + 1 < len(head) and head[last + 1].strip():
            last += 1
        found.append(Boilerplate("licence", 1, last + 1))
    after = found[0].last if found else 0
    first_of_tail = count - len(tail)
    for i, line in enumerate(tail):
        if first_of_tail + i >= max(after, HEAD_LINES) and LICENCE.search(line):
            found.append(Boilerplate("licence", first_of_tail + i + 1, count))
            break
    return found


def shared(parts: Sequence[Sequence[str]]) -> list[int]:
    """The number of lines at the beginning of every part that another part begins with, too.

    Fewer than `LEAST_SHARED` lines that are not blank count as none.

    Args:
        parts: the lines of several texts, forwards or backwards.

    >>> shared(["abcd", "xyz", "abce"])
    [3, 0, 3]
    """
    order = sorted(range(len(parts)), key=lambda i: list(parts[i]))
    longest = [0] * len(parts)
    for a, b in pairwise(order):  # the most similar ones are neighbours
        both = zip(parts[a], parts[b], strict=False)
        common = [line for line, other in takewhile(lambda pair: pair[0] == pair[1], both)]
        if sum(bool(line.strip()) for line in common) >= LEAST_SHARED:
            longest[a], longest[b] = max(longest[a], len(common)), max(longest[b], len(common))
    return longest
