"""Copies of pictures: runs of equal pixels, across the ends of rows."""

from __future__ import annotations

import numpy as np

from seqgen.copying.codes import TokenCodes
from seqgen.copying.index import Pieces
from seqgen.corpus.corpus import Corpus
from seqgen.tasks.images.grid import ROW
from seqgen.types import Hashes, Ids
from seqgen.vocabulary import Vocabulary

UNIT = "pixels"


class PixelCodes(TokenCodes):
    """One code per pixel; the numbers of rows have none.

    Args:
        vocabulary: of the model.

    >>> codes, starts_piece = PixelCodes(Vocabulary(("<end>", "#000000", "<row 2>"))).of(
    ...     np.array([0, 1, 2, 1])
    ... )
    >>> len(codes), starts_piece
    (2, True)
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__(vocabulary, UNIT)
        self._is_row = np.array([token.startswith(ROW) for token in vocabulary.tokens])
        self._has_code &= ~self._is_row

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes of an output without an end token at its start."""
        ids = np.asarray(ids, int)
        return super().of(ids[~self._is_row[ids]])

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of the training part of a corpus."""
        ids, bounds = corpus.training_ids, corpus.training_bounds
        assert bounds is not None
        is_counted = ~self._is_row[ids]
        sizes = np.add.reduceat(is_counted, bounds[:-1], dtype=np.int64)  # of the pictures
        ends = np.concatenate(([0], np.cumsum(sizes)))
        return Pieces(ids[is_counted], ends, self.table, corpus.release_memory)

    def feed(self, token_id: int) -> int | None:
        """The code of a pixel; None for the number of a row."""
        return None if self._is_row[token_id] else super().feed(token_id)
