"""Tunes that are nearly the same: they must not be learned and then scored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqgen.music import melody
from seqgen.music.piece import Piece

OPENING = 12  # notes by which tunes are compared


def opening(piece: Piece) -> tuple[tuple[int, int], ...]:
    """How the highest voice begins: intervals and durations, whatever key it is in.

    >>> from seqgen.music.piece import Note, Part
    >>> scale = Piece((Part(tuple(Note(24 * i, 24, 60 + i) for i in range(3))),), (0,), 96)
    >>> opening(scale) == opening(scale.transposed(5))
    True
    """
    notes = melody.fit(piece).parts[0].notes[: OPENING + 1]
    return tuple((after.pitch - note.pitch, note.duration) for note, after in pairwise(notes))


def families(pieces: Sequence[Piece]) -> npt.NDArray[np.int64]:
    """A number for each piece `(P,)`, the same for those with the same opening.

    >>> families([]).tolist()
    []
    """
    numbers: dict[tuple[tuple[int, int], ...], int] = {}
    return np.array(
        [numbers.setdefault(opening(piece), len(numbers)) for piece in pieces], np.int64
    )
