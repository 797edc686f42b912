"""Marks of jumps through a score, such as D.C. al Fine, and where they lead.

The marks of a bar are a set: `SEGNO` and `CODA` stand where it begins, the others where it ends.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

SEGNO, CODA, FINE = "segno", "coda", "fine"
TO_CODA, DA_CAPO, DAL_SEGNO = "to coda", "da capo", "dal segno"
AT_END = frozenset({FINE, TO_CODA, DA_CAPO, DAL_SEGNO})
WORDS = (
    (re.compile(r"d\.? ?c\b|da ?capo\b"), DA_CAPO),
    (re.compile(r"d\.? ?s\b|dal ?segno\b"), DAL_SEGNO),
    (re.compile(r"(?:to|da) ?(?:coda\b|\U0001d10c)"), TO_CODA),
    (re.compile(r"fine\W*$"), FINE),
    (re.compile(r"coda\W*$|\U0001d10c"), CODA),
    (re.compile(r"segno\W*$|\U0001d10b"), SEGNO),
)


def mark_of(words: str) -> str | None:
    """Return the mark that words in a score stand for.

    >>> mark_of("D.C. al Fine"), mark_of("[segno]"), mark_of("To Coda"), mark_of("fine tuning")
    ('da capo', 'segno', 'to coda', None)
    """
    text = " ".join(re.sub(r"[\[\]]", "", words).lower().split()).strip("( ")
    return next((mark for pattern, mark in WORDS if pattern.match(text)), None)


def with_to_coda(marks: Sequence[AbstractSet[str]]) -> list[AbstractSet[str]]:
    """Turn the first of two signs of a coda into `TO_CODA`, if no bar has that mark.

    The sign is the same at both places.

    Args:
        marks: of all bars, in their order.

    >>> with_to_coda([{"coda"}, {"da capo"}, {"coda"}])
    [{'to coda'}, {'da capo'}, {'coda'}]
    """
    found = list(marks)
    codas = [i for i, own in enumerate(found) if CODA in own]
    if len(codas) > 1 and not any(TO_CODA in own for own in found):
        found[codas[0]] = (found[codas[0]] - {CODA}) | {TO_CODA}
    return found


def targets(marks: Sequence[AbstractSet[str]]) -> list[int | None]:
    """Return to which bar the end of every bar jumps.

    It is None where there is no jump, or D.S. without a segno before.

    Args:
        marks: of all bars, in their order.

    >>> targets([{"segno"}, {"dal segno"}, {"da capo"}, set()])
    [None, 0, 0, None]
    """
    found: list[int | None] = []
    segno: int | None = None
    for i, own in enumerate(marks):
        segno = i if SEGNO in own else segno
        found.append(0 if DA_CAPO in own else segno if DAL_SEGNO in own else None)
    return found


def codas(marks: Sequence[AbstractSet[str]]) -> list[int | None]:
    """Return the coda to which the end of every bar leads, after a jump; None for none.

    >>> codas([{"to coda"}, {"da capo"}, {"coda"}, {"to coda"}])
    [2, None, None, None]
    """
    found: list[int | None] = []
    coda: int | None = None
    for i in range(len(marks) - 1, -1, -1):
        found.append(coda if TO_CODA in marks[i] else None)
        coda = i if CODA in marks[i] else coda
    return found[::-1]


def not_followed(marks: Sequence[AbstractSet[str]]) -> int:
    """Return the number of jumps that lead nowhere: without a segno before, or a coda after.

    >>> not_followed([{"dal segno"}, {"to coda"}, {"da capo"}])
    2
    """
    found = zip(marks, targets(marks), codas(marks), strict=True)
    return sum(
        (DAL_SEGNO in own and target is None) + (TO_CODA in own and coda is None)
        for own, target, coda in found
    )
