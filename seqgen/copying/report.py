"""Reports on how much of an output is copied from the training corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.copying.codes import CopyCodes
from seqgen.copying.index import CopyIndex
from seqgen.types import Ids


def longest_copy(indexes: Sequence[CopyIndex], codes: CopyCodes, ids: Ids) -> int | None:
    """The longest run of an output that occurs in the corpus, in units of `codes`.

    Args:
        indexes: one per training corpus.
        codes: of the task.
        ids: `(N,)`; starts with the end token if the output starts a piece.

    Returns:
        0 if all runs are short enough to be coincidence; None if there is no index.
    """
    if not indexes:
        return None
    output, starts_piece = codes.of(ids)
    runs = (index.runs(output, starts_piece=starts_piece).max(initial=0) for index in indexes)
    longest = int(max(runs)) + codes.extra
    return longest if longest >= shortest_copy(indexes, codes) else 0


def shortest_copy(indexes: Sequence[CopyIndex], codes: CopyCodes) -> int:
    """The shortest copy that the indexes can tell from coincidence, in units of `codes`."""
    return min(index.shortest for index in indexes) + codes.extra


def is_whole_piece(indexes: Sequence[CopyIndex], codes: CopyCodes, ids: Ids, end_id: int) -> bool:
    """Whether an output `(N,)`, without end tokens, equals a piece of the corpus."""
    piece, _ = codes.of(np.array([end_id, *ids, end_id]))
    return any(index.runs(piece, starts_piece=True)[-1] == len(piece) for index in indexes)


def report(
    indexes: Sequence[CopyIndex], codes: CopyCodes, longest: Sequence[int | None]
) -> list[str]:
    """One line on the longest copy in several outputs; no line without an index.

    Args:
        indexes: one per training corpus.
        codes: of the task.
        longest: `longest_copy` of each output.
    """
    found = max((length for length in longest if length is not None), default=None)
    if found is None:
        return []
    if found == 0:
        shortest = shortest_copy(indexes, codes)
        return [f"no run of {shortest} {codes.unit} or more is copied from the corpus"]
    return [f"longest run copied from the corpus: {found} {codes.unit}"]
