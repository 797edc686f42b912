"""What a copy is: the codes that two sequences must share.

A task says how its token ids become codes (`Task.copy_codes`). A run of an output is a copy if the
same run of codes occurs in the training corpus. The index, the report and the guard see only codes,
so that all of them mean the same by a copy.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from seqgen.copying.index import CopyIndex, Pieces
from seqgen.corpus.corpus import Corpus
from seqgen.types import Hashes, Ids, Mask
from seqgen.utils import hashing
from seqgen.vocabulary import Vocabulary


class CodeFollower(Protocol):
    """Follows one output while it grows."""

    def feed(self, token_id: int) -> int | None:
        """Take the next token; return the code that it completes, if it completes one."""

    def coming(self) -> tuple[Hashes, Mask]:
        """The code `(V,)` that each token would complete next, and where it would complete one."""


class CopyCodes(Protocol):
    """How the token ids of a task become the codes that copies are counted in."""

    unit: str  # what is counted, in the plural: "characters"
    extra: int  # a run of N codes is a copy of N + extra units

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes `(M,)` of an output `(N,)`, and whether it starts where a piece starts."""

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of a corpus's training part."""

    def follower(self) -> CodeFollower:
        """A new follower for one output."""


class TokenCodes:
    """One code for each token: a copy is a run of equal tokens.

    Args:
        vocabulary: the model's.
        unit: what a token is called, in the plural.

    >>> codes, starts_piece = TokenCodes(Vocabulary(("<end>", "a", "b"))).of(np.array([0, 1, 2, 1]))
    >>> len(codes), bool(codes[0] == codes[2]), starts_piece
    (3, True, True)
    """

    extra = 0

    def __init__(self, vocabulary: Vocabulary, unit: str = "tokens") -> None:
        self.unit = unit
        self.end_id = vocabulary.end_id
        self.table = hashing.of_texts(vocabulary.tokens)  # (V,)
        self._numbers: list[int] = self.table.tolist()  # Python integers are faster one by one
        self._adds = np.arange(len(self.table)) != self.end_id

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes of an output; an end token at its start is no part of it."""
        starts_piece = len(ids) > 0 and int(ids[0]) == self.end_id
        return self.table[ids[int(starts_piece) :]], starts_piece

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of a corpus's training part, looked up in chunks."""
        ids, bounds = corpus.training_ids, corpus.training_bounds
        if bounds is None:
            bounds = np.array([0, len(ids)])
        return Pieces(ids, bounds, self.table, corpus.release_memory)

    def follower(self) -> TokenCodes:
        """The codes themselves: a token's code does not depend on the tokens before it."""
        return self

    def feed(self, token_id: int) -> int:
        """The code of the token."""
        return self._numbers[token_id]

    def coming(self) -> tuple[Hashes, Mask]:
        """The codes of all tokens; the end token has none."""
        return self.table, self._adds


def index_of(corpus: Corpus, codes: CopyCodes) -> CopyIndex:
    """The index of a corpus's training part.

    >>> vocabulary = Vocabulary(("a", "b", "c", "d"))
    >>> ids = np.random.default_rng(0).integers(0, 4, 5000)
    >>> index_of(Corpus("random", "letters", vocabulary, ids), TokenCodes(vocabulary)).order
    8
    """
    return CopyIndex.of(codes.of_corpus(corpus))
