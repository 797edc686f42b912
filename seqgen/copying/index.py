"""An index of the n-grams of a training corpus, small enough for a model file.

The index is a Bloom filter (Bloom 1970) of the hashes of all n-grams of one order. It takes a byte
per n-gram, and the text cannot be recovered from it. Every n-gram of the corpus is found; of other
n-grams, one in forty is found by mistake. A run is a copy if all of its n-grams are found, so that
the length of a copy may be overestimated a little, but is never underestimated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqgen.types import Hashes, Ids, Json
from seqgen.utils.hashing import MODULUS, mixed, of_ngrams

HASHES = 4  # bits set for each n-gram
NUMBERS = np.arange(HASHES, dtype=np.uint64)[:, None]
BITS = 8  # of the filter per n-gram
CHUNK = 1 << 20  # n-grams hashed at once
MAX_NGRAMS = 1 << 26  # in the index; of a larger corpus only a sample is stored
ORDERS = range(4, 33)  # possible orders of the n-grams
SAMPLE = 1 << 18  # codes from which the order is chosen
MAX_SHARED = 0.1  # fraction of the n-grams of unseen text that may occur in the corpus
MIN_BYTES = 64  # of the filter
FALSE_POSITIVES = 0.024  # (1 - exp(-HASHES / BITS)) ** HASHES, rate of the filter
UNLIKELY = 1e-4  # a run is a copy if false positives alone would give it with less probability

PAD = np.uint64(0x5EED)  # code of padding before a piece, so that its start is indexed too


class Pieces:
    """The pieces of a corpus as codes, which are uniformly distributed 64-bit numbers.

    Args:
        ids: `(N,)`, the concatenated pieces.
        bounds: `(P + 1,)`, the start of every piece and the end of the last one.
        codes: `(V,)`, id → code; None if the ids are codes.
        release: called after every chunk, to release the memory of the ids.
    """

    def __init__(
        self,
        ids: Ids,
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
        """Number of codes."""
        return int(self.bounds[-1] - self.bounds[0])

    def between(self, start: int, end: int) -> Hashes:
        """The codes `(end - start,)` from `start` to `end`."""
        ids = self.ids[start:end]
        return np.asarray(ids if self.codes is None else self.codes[ids])

    def ngrams(self, order: int) -> Iterator[Hashes]:
        """Yield the hashes of the n-grams that end at each code, in chunks."""
        first = 0
        while first < len(self.bounds) - 1:
            start = int(self.bounds[first])
            last = int(np.searchsorted(self.bounds, start + CHUNK, side="right")) - 1
            if last > first:
                yield self._of_whole_pieces(first, last, order)
            else:
                last = first + 1
                yield from self._of_long_piece(start, int(self.bounds[last]), order)
            self.release()
            first = last

    def _of_whole_pieces(self, first: int, last: int, order: int) -> Hashes:
        """The hashes of the pieces from `first` to `last`, each preceded by `order - 1` pads."""
        bounds = self.bounds[first : last + 1]
        codes = self.between(int(bounds[0]), int(bounds[-1]))
        number = np.repeat(np.arange(last - first), np.diff(bounds))
        starts = np.arange(len(codes)) + (order - 1) * number  # of the n-gram that ends at a code
        padded = np.full(len(codes) + (order - 1) * (last - first), PAD)
        padded[starts + order - 1] = codes
        return mixed(of_ngrams(padded, order)[starts])

    def _of_long_piece(self, start: int, end: int, order: int) -> Iterator[Hashes]:
        """Yield the hashes of a piece that is longer than a chunk."""
        for here in range(start, end, CHUNK):
            before = max(start, here - order + 1)
            codes = self.between(before, min(here + CHUNK, end))
            pads = np.full(order - 1 - (here - before), PAD)
            yield mixed(of_ngrams(np.concatenate((pads, codes)), order))
            self.release()


def choose_order(pieces: Pieces) -> int:
    """The smallest order of n-grams that identify the corpus.

    At most `MAX_SHARED` of the n-grams in the last tenth of the corpus may occur in the rest. Of a
    large corpus a sample is examined, and the order is scaled by the ratio of the logarithms of the
    sizes, as the length of coincidental repetitions grows (Wyner and Ziv 1989).
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
        if not len(new) or np.isin(new, known).mean() <= MAX_SHARED:
            break
    longer = math.log(max(pieces.total, 2)) / math.log(max(len(codes), 2))
    return min(math.ceil(order * longer), ORDERS[-1])


@dataclass(frozen=True, eq=False)
class CopyIndex:
    """The n-grams of a corpus, as a Bloom filter.

    >>> codes = mixed(np.arange(1000))
    >>> index = CopyIndex.of(Pieces(codes, np.array([0, 1000])), order=6)
    >>> runs = index.runs(np.concatenate((codes[500:520], codes[100:103])))
    >>> int(runs.max()), index.size
    (20, 1000)
    """

    order: int  # codes of an n-gram
    every: int  # only n-grams whose hash is divisible by it are stored
    bits: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, pieces: Pieces, order: int | None = None) -> CopyIndex:
        """Index pieces, with the order of `choose_order` by default."""
        order = order or choose_order(pieces)
        every = math.ceil(pieces.total / MAX_NGRAMS) or 1
        index = cls(order, every, np.zeros(max(pieces.total // every, MIN_BYTES), np.uint8))
        for hashes in pieces.ngrams(order):
            index._add(hashes[hashes % np.uint64(every) == 0] if every > 1 else hashes)
        return index

    def metadata(self) -> dict[str, int]:
        """The fields other than `bits`, as plain data."""
        return {"order": self.order, "every": self.every}

    @classmethod
    def from_metadata(cls, facts: Json, bits: bytes) -> CopyIndex:
        """The inverse of `metadata` and `bits.tobytes()`.

        Raises:
            ValueError: the data are not those of an index.
        """
        order, every = int(facts["order"]), int(facts["every"])
        if order not in ORDERS or every < 1 or len(bits) < MIN_BYTES:
            raise ValueError(
                f"expected an index, got order {order}, every {every} and {len(bits)} bytes"
            )
        return cls(order, every, np.frombuffer(bits, np.uint8))

    def __deepcopy__(self, memo: object) -> CopyIndex:
        """The same object, because an index never changes."""
        return self

    @property
    def size(self) -> int:
        """Size in bytes."""
        return len(self.bits)

    @property
    def shortest(self) -> int:
        """Codes of the shortest run that is too long to be found by mistake."""
        mistakes = 1 - (1 - FALSE_POSITIVES) / self.every  # fraction of unknown n-grams
        return self.order - 1 + math.ceil(math.log(UNLIKELY) / math.log(mistakes))

    def _bits_of(self, hashes: Hashes) -> tuple[Hashes, npt.NDArray[np.uint8]]:
        """The bytes `(HASHES, N)` of the bits of n-grams, and the masks of these bits.

        Double hashing (Kirsch and Mitzenmacher 2006): both halves of one hash give all positions.
        """
        step = (hashes >> np.uint64(32)) | np.uint64(1)
        position = (hashes + NUMBERS * step) % np.uint64(BITS * self.size)
        return position >> np.uint64(3), np.uint8(1) << (position & np.uint64(7)).astype(np.uint8)

    def _add(self, hashes: Hashes) -> None:
        byte, mark = self._bits_of(hashes)
        for bit in 1 << np.arange(8, dtype=np.uint8):  # `|=` sets a repeated byte once only
            self.bits[byte[mark == bit]] |= bit

    def holds(self, hashes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether n-grams `(N,)` may occur in the corpus; always true for those not stored."""
        byte, mark = self._bits_of(hashes)
        found = np.asarray((self.bits[byte] & mark).all(axis=0))
        if self.every > 1:
            found |= hashes % np.uint64(self.every) != 0
        return found

    def holds_number(self, number: int) -> bool:
        """`holds` of one n-gram, faster than with an array."""
        if number % self.every:
            return True
        step, bits = (number >> 32) | 1, BITS * self.bits.size
        for i in range(HASHES):
            position = (number + i * step) % MODULUS % bits
            if not self.bits.item(position >> 3) >> (position & 7) & 1:
                return False
        return True

    def runs(self, codes: Hashes, *, starts_piece: bool = False) -> npt.NDArray[np.int64]:
        """The length of the longest run that ends at each code and occurs in the corpus.

        Args:
            codes: `(N,)`.
            starts_piece: whether the first code starts a piece.

        Returns:
            `(N,)`; 0 where the n-gram that ends at a code does not occur.
        """
        pads = np.full(self.order - 1 if starts_piece else 0, PAD)
        padded = np.concatenate((pads, codes))
        found = self.holds(mixed(of_ngrams(padded, self.order)))
        ends = np.arange(len(found))
        unknown = np.maximum.accumulate(np.where(found, -1, ends))  # the last n-gram not found
        runs = ends - unknown
        if starts_piece:  # a run from the start of a piece has no codes before its first n-gram
            runs[found & (unknown >= 0)] += self.order - 1
            return np.asarray(runs)
        runs[found] += self.order - 1
        return np.concatenate((np.zeros(len(codes) - len(runs), np.int64), runs))
