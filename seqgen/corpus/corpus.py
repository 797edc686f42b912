"""An encoded corpus and its split: what every task turns files into, and training reads."""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.errors import ConfigError, CorpusError
from seqgen.types import Ids
from seqgen.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Corpus:
    """One run of ids `(N,)`, cut once into a training part and, after it, a validation part.

    Where the corpus is made of pieces (lines, tunes), each ends with the vocabulary's end token,
    `bounds` `(P + 1,)` holds where they begin and end, and the cut falls between two of them; at
    one of `cuts`, where pieces that are alike must stay together.

    Raises:
        ConfigError: `validation` is no share from 0 to 0.5.
        CorpusError: there are pieces, but too few to cut.

    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.array([0, 1] * 50))
    >>> len(corpus.training_ids), len(corpus.validation_ids)
    (90, 10)
    """

    name: str
    task: str
    vocabulary: Vocabulary
    ids: Ids  # in memory, or a memory-mapped file
    bounds: npt.NDArray[np.int64] | None = None
    validation: float = 0.1  # share of the tokens held out, at the end
    sha256: str = ""  # of the bytes that were read
    options: Mapping[str, Any] = field(default_factory=dict)  # how the task read them
    notes: tuple[str, ...] = ()  # what the reader left out and why, for a person
    cuts: npt.NDArray[np.int64] | None = None  # where the cut may fall, if not at all the bounds
    variants: Ids | None = None  # (S, V): each row makes of a piece another one, -1 where it can't
    details: Mapping[str, Any] = field(default_factory=dict)  # what the task wants to be kept
    arguments: tuple[str, ...] = ()  # what the user named, to find it again

    def __post_init__(self) -> None:
        if not 0 <= self.validation <= 0.5:
            raise ConfigError(f"validation: expected a share from 0 to 0.5, got {self.validation}")
        if self.training_length == 0:
            raise CorpusError(
                f"{self.name}: too little to hold out a share of {self.validation} for validation; "
                "name more data, or hold out less (a validation of 0 holds out nothing)"
            )

    @cached_property
    def training_length(self) -> int:
        """Tokens before the cut."""
        places = self.bounds if self.cuts is None else self.cuts
        return split_position(len(self.ids), self.validation, places)

    @property
    def training_ids(self) -> Ids:
        """The ids before the cut."""
        return self.ids[: self.training_length]

    @property
    def validation_ids(self) -> Ids:
        """The ids after the cut."""
        return self.ids[self.training_length :]

    @property
    def training_bounds(self) -> npt.NDArray[np.int64] | None:
        """The bounds of the pieces before the cut."""
        if self.bounds is None:
            return None
        return self.bounds[: np.searchsorted(self.bounds, self.training_length) + 1]

    def release_memory(self) -> None:
        """Let go of what reading mapped files has brought into memory; it stays in the files.

        Otherwise a run through a large corpus would in the end hold all of it.
        """
        for array in (self.ids, self.bounds):
            mapped = getattr(array, "_mmap", None)
            if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):  # Windows has no such thing
                mapped.madvise(mmap.MADV_DONTNEED)

    def metadata(self) -> dict[str, Any]:
        """What a model file tells of the corpus: enough to find and check it again."""
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
    length: int, validation: float, places: npt.NDArray[np.int64] | None = None
) -> int:
    """Return the number of training tokens: where the validation part begins, or just before.

    Args:
        length: number of tokens.
        validation: share of them that is held out at the end.
        places: sorted positions at which the split may fall, or None for any.

    >>> split_position(100, 0.1), split_position(100, 0.1, np.array([0, 40, 80, 100]))
    (90, 80)
    """
    cut = int(length * (1 - validation))
    if places is None:
        return cut
    return int(places[np.searchsorted(places, cut, side="right") - 1])
