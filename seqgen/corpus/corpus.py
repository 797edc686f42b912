"""The encoded corpus and its split: the output of every task, the input of training."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqgen.corpus.lags import lagged
from seqgen.errors import ConfigError, CorpusError
from seqgen.types import Floats, Ids, Json
from seqgen.vocabulary import Vocabulary

# The ids (L,) of a piece, end token included → those of a random variant, such as a transposition.
Variants = Callable[[Ids, np.random.Generator], Ids]


@dataclass(frozen=True, eq=False)
class Corpus:
    """A sequence of ids `(N,)`, split into a training part and, after it, a validation part.

    A corpus may consist of pieces, such as lines or tunes. Every piece then ends with the
    vocabulary's end token, `bounds` `(P + 1,)` holds the first position of every piece and the end
    of the last one, and the split falls on one of the bounds. If similar pieces must stay on the
    same side of the split, `cuts` holds the positions at which it may fall.

    Raises:
        ConfigError: `validation` is not from 0 to 0.5.
        CorpusError: the corpus is too small to split.

    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.array([0, 1] * 50))
    >>> len(corpus.training_ids), len(corpus.validation_ids)
    (90, 10)
    """

    name: str  # shown to the user and stored in model files
    task: str  # the name of its task
    vocabulary: Vocabulary  # of the ids
    ids: Ids  # in memory, or a memory-mapped file
    bounds: npt.NDArray[np.int64] | None = None  # of the pieces, see above
    validation: float = 0.1  # fraction of the tokens, held out at the end
    reserved: float = 0.0  # fraction of the training part, at its start; see `reserved_length`
    sha256: str = ""  # of the bytes of all sources
    options: Mapping[str, object] = field(default_factory=dict)  # the options of `Task.read`
    notes: tuple[str, ...] = ()  # messages to the user, such as which files were skipped and why
    cuts: npt.NDArray[np.int64] | None = None  # where the split may fall; None: at all bounds
    split: int | None = None  # number of training tokens, if the task has chosen where to split
    variants: Variants | None = None  # draws a variant of a piece whenever it is trained on
    details: Json = field(default_factory=dict)  # of the task, stored in model files
    arguments: tuple[str, ...] = ()  # the paths or names given by the user, to read it again
    terms: tuple[str, ...] = ()  # terms of use of named corpora
    # Of pieces that have a class; `ids` may be numbers (N, D) then, with a token for every column.
    targets: Ids | None = None  # (P,), the class of every piece; None: the next token is predicted
    texts: tuple[str, ...] = ()  # the pieces as they were read, for baselines; empty for numbers
    target_weights: Floats | None = None  # (K,), the weight of every class in the loss; None: 1
    network: Mapping[str, object] = field(default_factory=dict)  # fields of `ModelConfig`, as JSON
    test: Corpus | None = None  # pieces that the files set apart for `evaluate`

    def __post_init__(self) -> None:
        if not 0 <= self.validation <= 0.5:
            raise ConfigError(
                f"validation: expected a fraction from 0 to 0.5, got {self.validation}"
            )
        if self.training_length == 0:
            raise CorpusError(
                f"{self.name}: too small to hold out a fraction of {self.validation} for "
                "validation; add data, or hold out less (a validation of 0 holds out nothing)"
            )

    @property
    def messages(self) -> tuple[str, ...]:
        """What the user should know about the corpus: its terms of use, and the notes."""
        return self.terms + self.notes

    @cached_property
    def training_length(self) -> int:
        """Number of tokens in the training part."""
        if self.split is not None:
            return self.split
        positions = self.bounds if self.cuts is None else self.cuts
        return split_position(len(self.ids), self.validation, positions)

    @cached_property
    def inputs(self) -> Ids:
        """What the network reads: the ids `(N,)`, or with lags `(N, F)`, see `corpus.lags`."""
        return self.with_lags(self.ids)

    def with_lags(self, ids: Ids) -> Ids:
        """What the network reads for the ids of pieces, as `inputs`."""
        lags = self.network.get("lags", [])
        assert isinstance(lags, list)
        return lagged(ids, lags, len(self.vocabulary)) if lags else ids

    @property
    def training_ids(self) -> Ids:
        """The ids `(training_length,)` of the training part."""
        return self.ids[: self.training_length]

    @property
    def validation_ids(self) -> Ids:
        """The ids `(N - training_length,)` of the validation part."""
        return self.ids[self.training_length :]

    @property
    def training_bounds(self) -> npt.NDArray[np.int64] | None:
        """The bounds of the pieces of the training part; None if there are no pieces."""
        if self.bounds is None:
            return None
        return self.bounds[: self.training_pieces + 1]

    @property
    def training_pieces(self) -> int:
        """The number of pieces in the training part; 0 if there are no pieces."""
        if self.bounds is None:
            return 0
        return int(np.searchsorted(self.bounds, self.training_length))

    def piece(self, number: int) -> Ids:
        """The ids or numbers of a piece."""
        assert self.bounds is not None
        return self.ids[self.bounds[number] : self.bounds[number + 1]]

    @cached_property
    def reserved_length(self) -> int:
        """Number of tokens at the start of the training part that the network is not trained on.

        The weights with which the predictions of the network are mixed with others are fitted
        there: on what it has seen, the network is too sure. The start is furthest away from the
        validation part, which often continues the last chapter of the training part.
        """
        length = int(self.training_length * self.reserved)
        positions = self.bounds if self.cuts is None else self.cuts
        if positions is None or not length:
            return length
        return int(positions[np.searchsorted(positions, length)])

    @property
    def network_ids(self) -> Ids:
        """The ids that the network is trained on: the training part without the reserved ids."""
        return self.ids[self.reserved_length : self.training_length]

    @property
    def network_bounds(self) -> npt.NDArray[np.int64] | None:
        """The bounds of their pieces, in `ids`; None if there are no pieces."""
        bounds = self.training_bounds
        return None if bounds is None else bounds[bounds >= self.reserved_length]

    def release_memory(self) -> None:
        """Release the pages of memory-mapped arrays; they are read from disk again when needed.

        Without it, a pass over a large corpus ends with the whole corpus in memory.
        """
        for array in (self.ids, self.bounds):
            mapped = getattr(array, "_mmap", None)
            if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):  # missing on Windows
                mapped.madvise(mmap.MADV_DONTNEED)

    def metadata(self) -> Json:
        """The description of the corpus in a model file: enough to find and verify it later."""
        return {
            "name": self.name,
            "arguments": list(self.arguments),
            "task": self.task,
            "tokens": len(self.ids),
            "sha256": self.sha256,
            "options": dict(self.options),
            "details": dict(self.details),
            "split": {
                "validation": self.validation,
                "training_tokens": self.training_length,
                "validation_tokens": len(self.ids) - self.training_length,
            },
        }


def split_position(
    length: int, validation: float, positions: npt.NDArray[np.int64] | None = None
) -> int:
    """The position of the split, which is the number of training tokens.

    It is `length * (1 - validation)`, or the last possible position before it.

    Args:
        length: number of tokens.
        validation: share of them that is held out at the end.
        positions: sorted positions at which the split may fall; None for all positions.

    >>> split_position(100, 0.1), split_position(100, 0.1, np.array([0, 40, 80, 100]))
    (90, 80)
    """
    cut = int(length * (1 - validation))
    if positions is None:
        return cut
    return int(positions[np.searchsorted(positions, cut, side="right") - 1])
