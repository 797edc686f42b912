"""Finds sequences that are almost the same, so that they stay on one side of the split.

Texts are compared by MinHash (Broder 1997): the share of equal minima of two texts estimates the
share of n-grams that they have in common. Texts with equal minima in a band are candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqgen.tasks.labels.examples import Content
from seqgen.types import Hashes
from seqgen.utils import hashing

ORDER = 5  # characters of an n-gram
BANDS, ROWS = 8, 4  # minima that must be equal in one of the bands
SIMILAR = 0.8  # share of equal minima from which two texts are near-duplicates
DECIMALS = 2  # of numbers of series that are compared

Numbers = npt.NDArray[np.int64]


def groups(contents: Sequence[Content]) -> Numbers:
    """The number of the group `(N,)` of every sequence: near-duplicates have the same one.

    >>> groups(["What a fine day it is!", "no", "what a fine day it is"]).tolist()
    [0, 1, 0]
    """
    keys = _text_keys if all(isinstance(content, str) for content in contents) else _series_keys
    parents = list(range(len(contents)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    signatures = keys(contents)  # (N, bands, rows)
    for band in range(signatures.shape[1]):
        rows = np.ascontiguousarray(signatures[:, band])
        _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        first = first[inverse.ravel()]
        for number in np.flatnonzero(first != np.arange(len(first))).tolist():
            other = int(first[number])
            if (signatures[number] == signatures[other]).mean() >= SIMILAR:
                parents[root(number)] = root(other)
    return np.unique([root(i) for i in range(len(contents))], return_inverse=True)[1].ravel()


def _text_keys(contents: Sequence[Content]) -> Hashes:
    """The minima `(N, BANDS, ROWS)` of the hashes of all n-grams of letters and digits."""
    texts = ["".join(filter(str.isalnum, str(text).casefold())) for text in contents]
    padded = [text.ljust(ORDER) for text in texts]
    codes = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes = hashing.mixed(hashing.of_ngrams(hashing.mixed(codes), ORDER))
    lengths = np.array([len(text) for text in padded])
    starts = np.cumsum(lengths) - lengths
    inside = np.ones(len(codes), bool)  # n-grams that end in their own text
    for back in range(1, ORDER):
        inside[starts + lengths - back] = False
    hashes = hashes[inside[: len(hashes)]]
    counts = lengths - ORDER + 1
    firsts = np.cumsum(counts) - counts
    salts = hashing.mixed(np.arange(1, BANDS * ROWS + 1))
    minima = [np.minimum.reduceat(hashing.mixed(hashes ^ salt), firsts) for salt in salts]
    return np.stack(minima, axis=1).reshape(-1, BANDS, ROWS)


def _series_keys(contents: Sequence[Content]) -> Hashes:
    """The same hash `(N, 1, 1)` for series whose numbers are equal when rounded."""
    texts = [np.round(np.asarray(each, float), DECIMALS).tobytes().hex() for each in contents]
    return hashing.of_texts(texts)[:, None, None]
