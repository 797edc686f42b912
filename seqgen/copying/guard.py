"""How much of what is written stands in the training corpus, and the guard that keeps it short.

Of text, characters are counted; of music notes, and a copy is a copy in whatever key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from seqgen.config import SampleConfig
from seqgen.copying.index import PAD, CopyIndex, Pieces
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.music.analysis.steps import NONE, Steps
from seqgen.types import Hashes, Ids, Mask
from seqgen.utils import hashing
from seqgen.utils.hashing import MODULUS, MULTIPLIER
from seqgen.vocabulary import Vocabulary


def index_of(corpus: Corpus) -> CopyIndex:
    """The index of a corpus's training part.

    >>> from seqgen.vocabulary import Vocabulary
    >>> ids = np.random.default_rng(0).integers(0, 4, 5000)
    >>> index_of(Corpus("chance", "text", Vocabulary(("a", "b", "c", "d")), ids)).order
    8
    """
    ids, bounds = corpus.training_ids, corpus.training_bounds
    if bounds is None:
        bounds = np.array([0, len(ids)])
    if corpus.task == "text":
        codes = hashing.of_texts(corpus.vocabulary.tokens)
        return CopyIndex.of(Pieces(ids, bounds, codes, corpus.release_memory))
    moves = Steps(corpus.vocabulary.tokens)
    pieces = [moves.of(np.asarray(ids[start:end])) for start, end in pairwise(bounds)]
    ends = np.cumsum([0, *map(len, pieces)])
    return CopyIndex.of(Pieces(hashing.mixed(np.concatenate(pieces)), ends))


def longest_copy(
    indexes: Sequence[CopyIndex], vocabulary: Vocabulary, task: str, ids: Ids
) -> int | None:
    """The longest run of an output that stands in the corpus, in characters or notes.

    Args:
        indexes: of all corpora that the model was trained on.
        vocabulary: the model's.
        task: text or music.
        ids: `(N,)`, with the end token in front where the output is a whole piece.

    Returns:
        0 if there is none so long that it could not be chance; None if there is no index.
    """
    begins = task == "music"
    if begins:
        codes = hashing.mixed(Steps(vocabulary.tokens).of(ids))
    else:
        begins = len(ids) > 0 and int(ids[0]) == vocabulary.end_id
        codes = hashing.of_texts(vocabulary.tokens)[ids[int(begins) :]]
    longest = [int(index.runs(codes, begins=begins).max(initial=0)) for index in indexes]
    if not longest:
        return None
    notes = max(longest) + (task == "music")  # one more than moves
    return notes if notes >= shortest_copy(indexes, task) else 0


def shortest_copy(indexes: Sequence[CopyIndex], task: str) -> int:
    """The shortest copy, in characters or notes, that could not be chance."""
    return min(index.shortest for index in indexes) + (task == "music")


def report(indexes: Sequence[CopyIndex], task: str, longest: Sequence[int | None]) -> list[str]:
    """What a person wants to know of how much some outputs have copied: a line, or none.

    >>> index = CopyIndex.of(Pieces(hashing.mixed(np.arange(99)), np.array([0, 99])), order=8)
    >>> report([index], "text", [12, 0])
    ['longest run that stands in the corpus: 12 characters']
    >>> report([index], "music", [0])
    ['no run of 11 notes or more stands in the corpus']
    """
    unit = "notes" if task == "music" else "characters"
    most = max((each for each in longest if each is not None), default=None)
    if most is None:
        return []
    if most == 0:
        shortest = shortest_copy(indexes, task)
        return [f"no run of {shortest} {unit} or more stands in the corpus"]
    return [f"longest run that stands in the corpus: {most} {unit}"]


def stands_whole(indexes: Sequence[CopyIndex], vocabulary: Vocabulary, ids: Ids) -> bool:
    """Whether a line `(N,)`, without end tokens, stands in the corpus as one."""
    codes = hashing.of_texts(vocabulary.tokens)[[*ids, vocabulary.end_id]]
    return any(index.runs(codes, begins=True)[-1] == len(codes) for index in indexes)


def guards(
    indexes: Sequence[CopyIndex],
    vocabulary: Vocabulary,
    task: str,
    config: SampleConfig,
    prompt: Iterable[int],
) -> list[CopyGuard]:
    """What keeps an output from copies longer than `max_copy`: nothing if that is not set.

    Args:
        indexes: of all corpora that the model was trained on.
        vocabulary: the model's.
        task: text or music.
        config: that of the output.
        prompt: ids `(T,)` that it goes on from.

    Raises:
        ConfigError: there is no index, or it does not tell so short runs.
    """
    if config.max_copy is None:
        return []
    if not indexes:
        raise ConfigError(
            "max_copy: expected a model with an index of its corpus; this one was trained with "
            "--no-index, or by an older seqgen: train it again"
        )
    ids = list(prompt)
    return [CopyGuard(each, vocabulary, task, config.max_copy, ids) for each in indexes]


class CopyGuard:
    """Lets no run of an output that stands in the corpus get longer than so many tokens (of music,
    notes).

    Args:
        index: of the corpus.
        vocabulary: the model's.
        task: text or music.
        most: the longest run.
        prompt: ids `(T,)` that the output goes on from; they count.

    Raises:
        ConfigError: the index does not tell so short runs.
    """

    is_finished = False

    def __init__(
        self, index: CopyIndex, vocabulary: Vocabulary, task: str, most: int, prompt: Iterable[int]
    ) -> None:
        is_text = task == "text"
        least = (index.order if index.every == 1 else index.shortest) + (not is_text)
        if most < least:
            raise ConfigError(
                f"max_copy: expected at least {least} "
                f"{'characters' if is_text else 'notes'}, got {most}: shorter runs this model's "
                "index cannot tell from chance"
            )
        self.index = index
        self.oldest = pow(MULTIPLIER, index.order - 1, MODULUS)  # of the context in the hash
        self.most = most if is_text else most - 1  # moves, which are one fewer than notes
        self.end_id = vocabulary.end_id
        self.codes = hashing.of_texts(vocabulary.tokens) if is_text else None
        self.code_of = [] if self.codes is None else self.codes.tolist()  # plain, one at a time
        self.moves = None if is_text else Steps(vocabulary.tokens)
        self.context: list[int] = []  # the codes before the next one, that its n-gram needs
        self.before = 0  # their share of its hash
        self.run = 0  # how long the copy is that ends here
        for token in prompt:
            self.feed(int(token))

    def feed(self, token_id: int) -> None:
        """A token has come."""
        if token_id == self.end_id:  # a piece begins
            self.run = 0
            for _ in range(self.index.order - 1):
                self._move_on(int(PAD))
        elif self.moves is None:
            self._add(self.code_of[token_id])
        elif (move := self.moves.feed(token_id)) is not None:
            self._add(hashing.mixed_number(move))

    def _add(self, code: int) -> None:
        order = self.index.order
        ngram = hashing.mixed_number((self.before + code) % MODULUS)
        if len(self.context) < order - 1 or not self.index.holds_number(ngram):
            self.run = 0
        elif self.run or self.context.count(int(PAD)) == order - 1:
            self.run += 1
        else:
            self.run = order
        self._move_on(code)

    def _move_on(self, code: int) -> None:
        """The context goes on by a code, and its hash as `hashing.of_ngrams` has it."""
        gone = self.context.pop(0) if len(self.context) == self.index.order - 1 else 0
        self.context.append(code)
        self.before = (self.before + code - gone * self.oldest) * MULTIPLIER % MODULUS

    def _would_be_copied(self, codes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether the n-grams that end with these codes stand in the corpus."""
        if len(self.context) < self.index.order - 1:
            return np.zeros(len(codes), bool)
        return self.index.holds(hashing.mixed(codes + np.uint64(self.before)))

    def allowed(self) -> Mask | None:
        """Which tokens `(V,)` may come next."""
        if self.run < self.most:
            return None
        if self.codes is not None:
            allowed = ~self._would_be_copied(self.codes)
            if self.end_id is not None:
                allowed[self.end_id] = True
            return allowed
        assert self.moves is not None
        moves = self.moves.coming()
        return np.asarray(~self._would_be_copied(hashing.mixed(moves)) | (moves == NONE))
