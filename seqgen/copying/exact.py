"""Exact search for the longest copies, for which the training corpus must be available."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from seqgen.types import Hashes

SEED = 5  # length of the runs that are looked up; shorter common runs are coincidence


class ExactCopies:
    """Finds runs of codes that occur in known sequences.

    Args:
        known: the codes `(M,)` of each known sequence.

    >>> import numpy as np
    >>> codes = np.arange(20, dtype=np.uint64)
    >>> ExactCopies([codes]).longest(codes[4:13])
    9
    """

    def __init__(self, known: Iterable[Hashes]) -> None:
        self.known = [codes.tolist() for codes in known]
        self.positions: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for number, codes in enumerate(self.known):
            for i in range(len(codes) - SEED + 1):
                self.positions[tuple(codes[i : i + SEED])].append((number, i))

    def longest(self, output: Hashes, without: int | None = None) -> int:
        """The length of the longest run of an output that occurs in a known sequence.

        Args:
            output: codes `(N,)`.
            without: the index of a known sequence to skip, if the output is one of them.

        Returns:
            The length in codes; 0 if no run has at least `SEED` codes.
        """
        codes, best = output.tolist(), 0
        for i in range(len(codes) - SEED + 1):
            for number, position in self.positions.get(tuple(codes[i : i + SEED]), ()):
                known, length = self.known[number], SEED
                if number == without or (i and position and codes[i - 1] == known[position - 1]):
                    continue  # part of a longer run that starts one code earlier
                longest = min(len(codes) - i, len(known) - position)
                while length < longest and codes[i + length] == known[position + length]:
                    length += 1
                best = max(best, length)
        return best
