"""Copies of music: the same steps from note to note, in any key."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from seqgen.copying.exact import ExactCopies
from seqgen.copying.index import Pieces
from seqgen.corpus.corpus import Corpus
from seqgen.music.analysis.steps import NONE, Steps
from seqgen.music.piece import Piece
from seqgen.music.tokens.codec import Codec
from seqgen.types import Hashes, Ids, Mask
from seqgen.utils import hashing
from seqgen.vocabulary import Vocabulary


class StepCodes:
    """One code for each step from a note to the next, so that N codes are N + 1 notes.

    Args:
        vocabulary: the model's vocabulary.
    """

    unit = "notes"
    extra = 1

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.tokens = vocabulary.tokens

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """Return the codes of a piece `(N,)`, and that every output is a whole piece."""
        return hashing.mixed(Steps(self.tokens).of(ids)), True

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """Return the codes of the training part of a corpus, piece by piece."""
        bounds = corpus.training_bounds
        assert bounds is not None
        steps, ids = Steps(self.tokens), corpus.training_ids
        pieces = [steps.of(np.asarray(ids[start:end])) for start, end in pairwise(bounds)]
        ends = np.cumsum([0, *map(len, pieces)])
        return Pieces(hashing.mixed(np.concatenate(pieces)), ends)

    def follower(self) -> StepFollower:
        """Return a follower for one piece."""
        return StepFollower(self.tokens)


class StepFollower:
    """Follows one piece token by token and returns its codes."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.steps = Steps(tokens)

    def feed(self, token_id: int) -> int | None:
        """Read the next token and return the code of the step that it completes, if any."""
        step = self.steps.feed(token_id)
        return None if step is None else hashing.mixed_number(step)

    def coming(self) -> tuple[Hashes, Mask]:
        """Return the code that each token would complete `(V,)`, and whether it would `(V,)`."""
        steps = self.steps.coming()
        return hashing.mixed(steps), steps != NONE


def longest_copies(outputs: Sequence[Piece], known: Sequence[Piece], codec: Codec) -> list[int]:
    """Return the notes of the longest run of each output that occurs in known pieces.

    The codes are those of the index, but the search is exact: an index may report a run that is a
    little too long.

    >>> from seqgen.music.pitch_names import piece_of
    >>> tune = "C4/8 D4/8 E4/4 C4/8 D4/8 E4/4 G4/2"
    >>> output = piece_of("A4/1 D4/8 E4/8 F#4/4 D4/8 E4/8 F#4/4 A5/2")
    >>> longest_copies([output], [piece_of(tune)], Codec("melody"))
    [6]
    """
    copies = ExactCopies(_steps_of(piece, codec) for piece in known)
    runs = (copies.longest(_steps_of(piece, codec)) for piece in outputs)
    return [run + StepCodes.extra if run else 0 for run in runs]


def _steps_of(piece: Piece, codec: Codec) -> Hashes:
    """Return the codes of a piece, whether or not a model knows its tokens."""
    tokens = codec.encode(codec.restrict(piece))
    ids = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return hashing.mixed(Steps([*ids]).of(np.array([ids[token] for token in tokens], int)))
