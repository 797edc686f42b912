"""Copies of music: the same intervals at the same distances in time, in any key."""

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
    """One code for each step from a note to the next; N steps are N + 1 notes.

    Args:
        vocabulary: the model's.
    """

    unit = "notes"
    extra = 1

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.tokens = vocabulary.tokens

    def of(self, ids: Ids) -> tuple[Hashes, bool]:
        """The codes of a piece; every output is a whole piece."""
        return hashing.mixed(Steps(self.tokens).of(ids)), True

    def of_corpus(self, corpus: Corpus) -> Pieces:
        """The codes of a corpus's training part, piece by piece."""
        bounds = corpus.training_bounds
        assert bounds is not None
        steps, ids = Steps(self.tokens), corpus.training_ids
        pieces = [steps.of(np.asarray(ids[start:end])) for start, end in pairwise(bounds)]
        ends = np.cumsum([0, *map(len, pieces)])
        return Pieces(hashing.mixed(np.concatenate(pieces)), ends)

    def follower(self) -> StepFollower:
        """A new follower for one piece."""
        return StepFollower(self.tokens)


class StepFollower:
    """Follows one piece token by token, in codes instead of steps."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.steps = Steps(tokens)

    def feed(self, token_id: int) -> int | None:
        """Take the next token; return the code of the step that it completes, if any."""
        step = self.steps.feed(token_id)
        return None if step is None else hashing.mixed_number(step)

    def coming(self) -> tuple[Hashes, Mask]:
        """The code of the step that each token would complete, and where it would complete one."""
        steps = self.steps.coming()
        return hashing.mixed(steps), steps != NONE


def longest_copies(outputs: Sequence[Piece], known: Sequence[Piece], codec: Codec) -> list[int]:
    """The notes of the longest run of each output that occurs in some known pieces.

    Exact, where an index may report a run that is a little too long; the codes are the same.

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
    """The codes of a piece that need not be in a model's tokens."""
    tokens = codec.encode(codec.restrict(piece))
    ids = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    return hashing.mixed(Steps([*ids]).of(np.array([ids[token] for token in tokens], int)))
