"""How much of an output occurs in the training corpus, for a person to read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.copying.codes import CopyCodes
from seqgen.copying.index import CopyIndex
from seqgen.types import Ids


def longest_copy(indexes: Sequence[CopyIndex], codes: CopyCodes, ids: Ids) -> int | None:
    """The longest run of an output that occurs in the corpus, in units of `codes`.

    Args:
        indexes: of all corpora that the model was trained on.
        codes: the task's.
        ids: `(N,)`, with the end token in front where the output is a whole piece.

    Returns:
        0 if no run is long enough to rule out chance; None if there is no index.
    """
    if not indexes:
        return None
    output, starts_piece = codes.of(ids)
    runs = (index.runs(output, begins=starts_piece).max(initial=0) for index in indexes)
    longest = int(max(runs)) + codes.extra
    return longest if longest >= shortest_copy(indexes, codes) else 0


def shortest_copy(indexes: Sequence[CopyIndex], codes: CopyCodes) -> int:
    """The shortest copy that the indexes can tell from chance, in units of `codes`."""
    return min(index.shortest for index in indexes) + codes.extra


def is_whole_piece(indexes: Sequence[CopyIndex], codes: CopyCodes, ids: Ids, end_id: int) -> bool:
    """Whether an output `(N,)`, without end tokens, is a whole piece of the corpus."""
    piece, _ = codes.of(np.array([end_id, *ids, end_id]))
    return any(index.runs(piece, begins=True)[-1] == len(piece) for index in indexes)


def report(
    indexes: Sequence[CopyIndex], codes: CopyCodes, longest: Sequence[int | None]
) -> list[str]:
    """One line on how much some outputs have copied; no line without an index.

    Args:
        indexes: of all corpora that the model was trained on.
        codes: the task's.
        longest: what `longest_copy` gives for each output.
    """
    most = max((each for each in longest if each is not None), default=None)
    if most is None:
        return []
    if most == 0:
        shortest = shortest_copy(indexes, codes)
        return [f"no run of {shortest} {codes.unit} or more stands in the corpus"]
    return [f"longest run that stands in the corpus: {most} {codes.unit}"]
