"""Melodies that are nearly the same, which must stay on one side of the split.

They are compared as copies are: by the intervals from note to note and the time between their
starts, so that the key and the way of playing, legato or detached, make no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, dropwhile, islice, pairwise

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import Piece
from seqgen.utils.hashing import mixed, of_ngrams

OPENING = 12  # steps from note to note that only versions of one tune share at the start
RUN = 24  # successive steps that only versions of one tune share anywhere
MIN_DISTINCT = 6  # distinct steps in a run; with fewer it repeats a note or figure

Numbers = npt.NDArray[np.int64]


def opening(melody: Piece) -> tuple[tuple[int, int], ...]:
    """Return the first steps (interval, ticks between the starts) after a pick-up.

    >>> from seqgen.music.pitch_names import piece_of
    >>> scale = piece_of("C4/8 D4/8 E4/4 F4/8")
    >>> opening(scale) == opening(scale.transposed(5))
    True
    """
    bars = zip(melody.bars, melody.bar_lengths, strict=True)
    start = next((bar for bar, length in bars if length >= melody.meter.ticks), 0)
    notes = dropwhile(lambda note: note.start < start, melody.parts[0].notes)
    return tuple(
        (after.pitch - note.pitch, after.start - note.start)
        for note, after in pairwise(islice(notes, OPENING + 1))
    )


def families(melodies: Sequence[Piece]) -> Numbers:
    """Return a number for each melody `(P,)`, the same for versions of one tune.

    Melodies are of one family if they begin alike or share a long run, and so are the families of
    their families.

    Args:
        melodies: pieces that `seqgen.music.tokens.melody.restrict` leaves unchanged.

    >>> families([]).tolist()
    []
    """
    first: dict[tuple[tuple[int, int], ...], int] = {}
    alike = [(i, first.setdefault(opening(melody), i)) for i, melody in enumerate(melodies)]
    one, other = np.array([*alike, *_sharing_runs(melodies)], np.int64).reshape(-1, 2).T
    numbers = np.arange(len(melodies))
    while (numbers[one] != numbers[other]).any():  # until pairs of pairs have the same number, too
        lower = np.minimum(numbers[one], numbers[other])
        np.minimum.at(numbers, one, lower)
        np.minimum.at(numbers, other, lower)
    return np.unique(numbers, return_inverse=True)[1]


def _sharing_runs(melodies: Sequence[Piece]) -> Numbers:
    """Return pairs of indices of melodies `(N, 2)` that share a run of `RUN` steps."""
    voices = [melody.parts[0].notes for melody in melodies]
    owners = np.repeat(np.arange(len(voices)), [len(voice) for voice in voices])
    numbers = chain.from_iterable(chain.from_iterable(voices))
    starts, _, pitches, _ = np.fromiter(numbers, np.int64).reshape(-1, 4).T
    steps = np.diff(pitches) + (np.diff(starts) << 8)
    if len(steps) < RUN:
        return np.empty((0, 2), np.int64)
    places = np.flatnonzero(owners[:-RUN] == owners[RUN:])  # where a run is within one melody
    hashes = of_ngrams(mixed(steps), RUN)[places]
    order = np.argsort(hashes)
    places, hashes = places[order], hashes[order]
    one, other = places[:-1], places[1:]
    shared = (hashes[:-1] == hashes[1:]) & (owners[one] != owners[other])
    one, other = one[shared], other[shared]
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(steps, RUN)[one], axis=1)
    differ = (np.diff(runs, axis=1) != 0).sum(axis=1) + 1 >= MIN_DISTINCT
    return np.stack((owners[one[differ]], owners[other[differ]]), axis=1)
