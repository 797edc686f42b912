"""The longest copies, found exactly where the training corpus is at hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from seqgen.types import Hashes

SEED = 5  # codes by which runs are looked up; shorter ones are chance


class ExactCopies:
    """Finds runs of codes that occur in some known sequences.

    Args:
        known: the codes `(M,)` of each known sequence.

    >>> import numpy as np
    >>> codes = np.arange(20, dtype=np.uint64)
    >>> ExactCopies([codes]).longest(codes[4:13])
    9
    """

    def __init__(self, known: Iterable[Hashes]) -> None:
        self.known = [codes.tolist() for codes in known]
        self.places: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for number, codes in enumerate(self.known):
            for i in range(len(codes) - SEED + 1):
                self.places[tuple(codes[i : i + SEED])].append((number, i))

    def longest(self, output: Hashes, without: int | None = None) -> int:
        """The length of the longest run of an output that occurs in a known sequence.

        Args:
            output: codes `(N,)`.
            without: the number of a known sequence to leave out, for an output that is one of them.

        Returns:
            0 if no run has at least five codes.
        """
        codes, best = output.tolist(), 0
        for i in range(len(codes) - SEED + 1):
            for number, place in self.places.get(tuple(codes[i : i + SEED]), ()):
                known, length = self.known[number], SEED
                if number == without or (i and place and codes[i - 1] == known[place - 1]):
                    continue  # the run that starts one code earlier is longer
                most = min(len(codes) - i, len(known) - place)
                while length < most and codes[i + length] == known[place + length]:
                    length += 1
                best = max(best, length)
        return best
