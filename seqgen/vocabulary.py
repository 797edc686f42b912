"""Token ↔ id: the table that a model is trained with and carries in its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from seqgen.errors import VocabularyError
from seqgen.types import Ids

END = "<end>"  # closes a piece: a line, a tune
UNKNOWN = "<unk>"  # stands for every token too rare for an entry of its own


@dataclass(frozen=True)
class Vocabulary:
    """Distinct tokens; a token's id is its place.

    >>> vocabulary = Vocabulary(("a", "b", "c"))
    >>> vocabulary.encode("cab")
    array([2, 0, 1], dtype=uint8)
    >>> vocabulary.decode([2, 0, 1])
    ['c', 'a', 'b']
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.tokens)) != len(self.tokens):
            raise VocabularyError("expected distinct tokens; some occur twice")

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], *, min_count: int = 1, end: bool = False
    ) -> Vocabulary:
        """The special tokens that are needed, then every token seen `min_count` times, sorted.

        >>> Vocabulary.from_counts({"b": 5, "a": 9, "z": 1}, min_count=2).tokens
        ('<unk>', 'a', 'b')
        """
        kept = sorted(token for token, count in counts.items() if count >= min_count)
        special = [END] if end else []
        if len(kept) < len(counts):
            special.append(UNKNOWN)
        return cls((*special, *kept))

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of every token."""
        return {token: i for i, token in enumerate(self.tokens)}

    @property
    def end_id(self) -> int | None:
        """The id of the token that closes a piece, if pieces have an end."""
        return self.ids.get(END)

    @property
    def unknown_id(self) -> int | None:
        """The id that stands for rare tokens, if there were any."""
        return self.ids.get(UNKNOWN)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest integer type that holds every id."""
        return np.min_scalar_type(max(len(self) - 1, 0))

    def encode(self, tokens: Iterable[str]) -> Ids:
        """The ids `(T,)` of tokens.

        Raises:
            VocabularyError: some tokens are not in the vocabulary; all of them are listed.
        """
        tokens = list(tokens)
        unknown = sorted(set(tokens) - self.ids.keys())
        if unknown:
            raise VocabularyError(f"not in the vocabulary: {', '.join(map(repr, unknown))}")
        return np.array([self.ids[token] for token in tokens], self.dtype)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of ids."""
        return [self.tokens[i] for i in ids]

    def to_json(self) -> list[str]:
        """The tokens in the order of their ids."""
        return list(self.tokens)

    @classmethod
    def from_json(cls, data: Sequence[str]) -> Vocabulary:
        """The vocabulary that `to_json` came from."""
        return cls(tuple(data))
