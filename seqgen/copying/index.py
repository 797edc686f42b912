"""What stands in a training corpus, kept so small that a model file can carry it.

A Bloom filter (Bloom 1970) of the hashes of all n-grams of one order: a byte for each of them, and
nothing that could be read. What is in it is always found; of what is not, one n-gram in forty is
taken for one that is. A run of tokens counts as copied as long as every n-gram in it is found, so
what is said to be copied may be a little too long, never too short.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.types import Hashes
from seqgen.utils.hashing import MODULUS, mixed, of_ngrams

HASHES = 4  # bits of each n-gram
NUMBERS = np.arange(HASHES, dtype=np.uint64)[:, None]
BITS = 8  # of the filter, for each n-gram
CHUNK = 1 << 20  # n-grams hashed at once
MOST_NGRAMS = 1 << 26  # kept; of more than these only some are
ORDERS = range(4, 33)
SAMPLE = 1 << 18  # codes by which the order is found
BY_CHANCE = 0.1  # share of n-grams of unknown text that may be known
LEAST_BYTES = 64
MISTAKEN = 0.024  # share of unknown n-grams whose marks are all there
UNLIKELY = 1e-4  # that so many of them in a row are taken for known

PAD = np.uint64(0x5EED)  # stands before a piece, so that its beginning is known too


class Pieces:
    """The pieces of a corpus as codes: numbers that look like chance.

    Args:
        ids: `(N,)`, all pieces one after another.
        bounds: `(P + 1,)`, where they begin and end.
        codes: `(V,)`, that of each id; None: the ids are codes.
        release: called when some of the ids have been read, to let go of their memory.
    """

    def __init__(
        self,
        ids: npt.NDArray[Any],
        bounds: npt.NDArray[np.int64],
        codes: Hashes | None = None,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.ids = ids
        self.bounds = bounds
        self.codes = codes
        self.release = release

    @property
    def total(self) -> int:
        """How many codes there are."""
        return int(self.bounds[-1] - self.bounds[0])

    def between(self, start: int, end: int) -> Hashes:
        """Some of the codes `(N,)`."""
        ids = self.ids[start:end]
        return np.asarray(ids if self.codes is None else self.codes[ids])

    def ngrams(self, order: int) -> Iterator[Hashes]:
        """The hashes of the n-grams that end at each code, some at a time."""
        first = 0
        while first < len(self.bounds) - 1:
            start = int(self.bounds[first])
            last = int(np.searchsorted(self.bounds, start + CHUNK, side="right")) - 1
            if last > first:
                yield self._of_short(first, last, order)
            else:
                last = first + 1
                yield from self._of_long(start, int(self.bounds[last]), order)
            self.release()
            first = last

    def _of_short(self, first: int, last: int, order: int) -> Hashes:
        bounds = self.bounds[first : last + 1]
        codes = self.between(int(bounds[0]), int(bounds[-1]))
        number = np.repeat(np.arange(last - first), np.diff(bounds))
        places = np.arange(len(codes)) + (order - 1) * number
        padded = np.full(len(codes) + (order - 1) * (last - first), PAD)
        padded[places + order - 1] = codes
        return mixed(of_ngrams(padded, order)[places])

    def _of_long(self, start: int, end: int, order: int) -> Iterator[Hashes]:
        for here in range(start, end, CHUNK):
            before = max(start, here - order + 1)
            codes = self.between(before, min(here + CHUNK, end))
            pads = np.full(order - 1 - (here - before), PAD)
            yield mixed(of_ngrams(np.concatenate((pads, codes)), order))
            self.release()


def telling_order(pieces: Pieces) -> int:
    """The shortest n-grams that tell where they come from.

    That is, those that a text hardly shares with others of its kind: of its last tenth's n-grams
    at most BY_CHANCE stand in the rest. Of a long text a part is looked at; the lengths that are
    shared by chance grow with the logarithm of what there is (Wyner and Ziv 1989).
    """
    end = int(pieces.bounds[-1])
    start = max(end - SAMPLE, int(pieces.bounds[0]))
    codes = pieces.between(start, end)
    piece = np.searchsorted(pieces.bounds, np.arange(start, end), side="right")
    cut = len(codes) * 9 // 10
    for order in ORDERS:
        inside = piece[: len(codes) - order + 1] == piece[order - 1 :]
        ngrams = of_ngrams(codes, order)
        known, new = ngrams[:cut][inside[:cut]], ngrams[cut:][inside[cut:]]
        if not len(new) or np.isin(new, known).mean() <= BY_CHANCE:
            break
    longer = math.log(max(pieces.total, 2)) / math.log(max(len(codes), 2))
    return min(math.ceil(order * longer), ORDERS[-1])


@dataclass(frozen=True, eq=False)
class CopyIndex:
    """The n-grams of a corpus.

    >>> codes = mixed(np.arange(1000))
    >>> index = CopyIndex.of(Pieces(codes, np.array([0, 1000])), order=6)
    >>> runs = index.runs(np.concatenate((codes[500:520], codes[100:103])))
    >>> int(runs.max()), index.size
    (20, 1000)
    """

    order: int  # tokens of an n-gram
    every: int  # only those whose hash this divides are kept
    bits: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, pieces: Pieces, order: int | None = None) -> CopyIndex:
        """The index of pieces; the order is found by them, unless it is given."""
        order = order or telling_order(pieces)
        every = math.ceil(pieces.total / MOST_NGRAMS) or 1
        index = cls(order, every, np.zeros(max(pieces.total // every, LEAST_BYTES), np.uint8))
        for hashes in pieces.ngrams(order):
            index._add(hashes[hashes % np.uint64(every) == 0] if every > 1 else hashes)
        return index

    def metadata(self) -> dict[str, int]:
        """What is needed besides the bits."""
        return {"order": self.order, "every": self.every}

    @classmethod
    def from_metadata(cls, facts: dict[str, Any], bits: bytes) -> CopyIndex:
        """The index that `facts` and `bits` are of.

        Raises:
            ValueError: they make no index.
        """
        order, every = int(facts["order"]), int(facts["every"])
        if order not in ORDERS or every < 1 or len(bits) < LEAST_BYTES:
            raise ValueError(f"no index of order {order} has {len(bits)} bytes")
        return cls(order, every, np.frombuffer(bits, np.uint8))

    def __deepcopy__(self, memo: Any) -> CopyIndex:
        """It never changes: one is enough for all that look into it."""
        return self

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.bits)

    @property
    def shortest(self) -> int:
        """Tokens of the shortest run that is hardly chance."""
        taken_for_known = 1 - (1 - MISTAKEN) / self.every  # share of unknown n-grams
        return self.order - 1 + math.ceil(math.log(UNLIKELY) / math.log(taken_for_known))

    def _places(self, hashes: Hashes) -> tuple[Hashes, npt.NDArray[np.uint8]]:
        """Bytes `(HASHES, N)` of n-grams' marks, and which bit of each."""
        step = (hashes >> np.uint64(32)) | np.uint64(1)
        place = (hashes + NUMBERS * step) % np.uint64(BITS * self.size)
        return place >> np.uint64(3), np.uint8(1) << (place & np.uint64(7)).astype(np.uint8)

    def _add(self, hashes: Hashes) -> None:
        byte, mark = self._places(hashes)
        for each in 1 << np.arange(8, dtype=np.uint8):  # what is named twice gets the same mark
            self.bits[byte[mark == each]] |= each

    def holds(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether n-grams stand in the corpus; where it was not kept which, they may."""
        byte, mark = self._places(hashes)
        found = np.asarray((self.bits[byte] & mark).all(axis=0))
        if self.every > 1:
            found |= hashes % np.uint64(self.every) != 0
        return found

    def holds_number(self, number: int) -> bool:
        """What `holds` says of one n-gram, at once."""
        if number % self.every:
            return True
        step, bits = (number >> 32) | 1, BITS * self.bits.size
        for each in range(HASHES):
            place = (number + each * step) % MODULUS % bits
            if not self.bits.item(place >> 3) >> (place & 7) & 1:
                return False
        return True

    def runs(self, codes: Hashes, *, begins: bool = False) -> npt.NDArray[np.int64]:
        """How long the run is, at each code, that ends there and stands in the corpus.

        Args:
            codes: `(N,)`.
            begins: whether the first is the first one of a piece.

        Returns:
            `(N,)`; 0 where the last n-gram is unknown.
        """
        pads = np.full(self.order - 1 if begins else 0, PAD)
        padded = np.concatenate((pads, codes))
        found = self.holds(mixed(of_ngrams(padded, self.order)))
        ends = np.arange(len(found))
        unknown = np.maximum.accumulate(np.where(found, -1, ends))  # the last one up to there
        runs = ends - unknown
        if begins:  # a run from the beginning holds no codes before its first n-gram
            runs[found & (unknown >= 0)] += self.order - 1
            return np.asarray(runs)
        runs[found] += self.order - 1
        return np.concatenate((np.zeros(len(codes) - len(runs), np.int64), runs))
