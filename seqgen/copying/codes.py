"""The definition of a copy.

A task defines how its token ids are converted to codes (`Task.copy_codes`). A run of an output is a
copy if the same run of codes occurs in the training corpus. The index, the report and the guard all
work on codes, so that they agree on what a copy is.
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
    """Converts one output to codes while it is generated."""

    def feed(self, token_id: int) -> int | None:
        """Append a token; return the code that it completes, or None."""

    def coming(self) -> tuple[Hashes, Mask]:
        """The code `(V,)` that each token would complete, and whether it would complete one."""


class CopyCodes(Protocol):
    """The conversion of token ids to codes for one task."""

    unit: str  # in which copies are counted, plural, such as "characters"
    extra: int  # a run of N codes is a copy of N + extra units

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes `(M,)` of an output `(N,)`, and whether it starts at the start of a piece."""

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of the training part of a corpus."""

    def follower(self) -> CodeFollower:
        """A new converter for one output."""


class TokenCodes:
    """One code per token, so that a copy is a run of equal tokens.

    Args:
        vocabulary: of the model.
        unit: the name of tokens, plural.

    >>> codes, starts_piece = TokenCodes(Vocabulary(("<end>", "a", "b"))).of(np.array([0, 1, 2, 1]))
    >>> len(codes), bool(codes[0] == codes[2]), starts_piece
    (3, True, True)
    """

    extra = 0

    def __init__(self, vocabulary: Vocabulary, unit: str = "tokens") -> None:
        self.unit = unit
        self.end_id = vocabulary.end_id
        self.table = hashing.of_texts(vocabulary.tokens)  # (V,)
        self._numbers: list[int] = self.table.tolist()  # faster to index one by one
        self._has_code: Mask = np.arange(len(self.table)) != self.end_id  # (V,)

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes of an output without an end token at its start."""
        starts_piece = len(ids) > 0 and int(ids[0]) == self.end_id
        return self.table[ids[int(starts_piece) :]], starts_piece

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of the training part of a corpus, computed in chunks."""
        ids, bounds = corpus.training_ids, corpus.training_bounds
        if bounds is None:
            bounds = np.array([0, len(ids)])
        return Pieces(ids, bounds, self.table, corpus.release_memory)

    def follower(self) -> TokenCodes:
        """This object, which needs no state: the code of a token does not depend on others."""
        return self

    def feed(self, token_id: int) -> int | None:
        """The code of a token; None in subclasses where a token has none."""
        return self._numbers[token_id]

    def coming(self) -> tuple[Hashes, Mask]:
        """The codes of all tokens; the end token completes none."""
        return self.table, self._has_code


def index_of(corpus: Corpus, codes: CopyCodes) -> CopyIndex:
    """The index of the training part of a corpus.

    >>> vocabulary = Vocabulary(("a", "b", "c", "d"))
    >>> ids = np.random.default_rng(0).integers(0, 4, 5000)
    >>> index_of(Corpus("random", "letters", vocabulary, ids), TokenCodes(vocabulary)).order
    8
    """
    return CopyIndex.of(codes.of_corpus(corpus))
