"""Tunes that are nearly the same: they must not be learned and then scored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, dropwhile, islice, pairwise

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import Piece
from seqgen.music.tokens import melody
from seqgen.utils.hashing import mixed, of_ngrams

OPENING = 12  # moves from note to note that only versions of one tune begin with
RUN = 24  # moves in a row that only they share,
DIFFERENT = 6  # if so many are different: not a note, or a figure, again and again

Places = npt.NDArray[np.int64]


def opening(piece: Piece) -> tuple[tuple[int, int], ...]:
    """How a melody starts, after a pick-up: intervals and durations, in whatever key.

    >>> from seqgen.music.pitch_names import piece_of
    >>> scale = piece_of("C4/8 D4/8 E4/4 F4/8")
    >>> opening(scale) == opening(scale.transposed(5))
    True
    """
    bars = zip(piece.bars, piece.bar_lengths, strict=True)
    start = next((bar for bar, length in bars if length >= piece.meter.ticks), 0)
    notes = dropwhile(lambda note: note.start < start, piece.parts[0].notes)
    return tuple(
        (after.pitch - note.pitch, note.duration)
        for note, after in pairwise(islice(notes, OPENING + 1))
    )


def families(pieces: Sequence[Piece]) -> Places:
    """A number for each piece `(P,)`, the same for those that begin alike or share a long run.

    >>> families([]).tolist()
    []
    """
    pieces = [melody.restrict(piece) for piece in pieces]
    first: dict[tuple[tuple[int, int], ...], int] = {}
    alike = [(i, first.setdefault(opening(piece), i)) for i, piece in enumerate(pieces)]
    one, other = np.array([*alike, *_sharing_runs(pieces)], np.int64).reshape(-1, 2).T
    numbers = np.arange(len(pieces))
    while (numbers[one] != numbers[other]).any():  # a version of a version is one, too
        lower = np.minimum(numbers[one], numbers[other])
        np.minimum.at(numbers, one, lower)
        np.minimum.at(numbers, other, lower)
    return np.unique(numbers, return_inverse=True)[1]


def _sharing_runs(pieces: Sequence[Piece]) -> Places:
    """Pairs of melodies `(N, 2)`, by their places, that share a run of intervals and durations."""
    lines = [piece.parts[0].notes for piece in pieces]
    owners = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    numbers = chain.from_iterable(chain.from_iterable(lines))
    _, ticks, pitches, _ = np.fromiter(numbers, np.int64).reshape(-1, 4).T
    moves = np.diff(pitches) + (ticks[:-1] << 8)
    if len(moves) < RUN:
        return np.empty((0, 2), np.int64)
    places = np.flatnonzero(owners[:-RUN] == owners[RUN:])
    hashes = of_ngrams(mixed(moves), RUN)[places]
    order = np.argsort(hashes)
    places, hashes = places[order], hashes[order]
    one, other = places[:-1], places[1:]
    shared = (hashes[:-1] == hashes[1:]) & (owners[one] != owners[other])
    one, other = one[shared], other[shared]
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(moves, RUN)[one], axis=1)
    differ = (np.diff(runs, axis=1) != 0).sum(axis=1) + 1 >= DIFFERENT
    return np.stack((owners[one[differ]], owners[other[differ]]), axis=1)
