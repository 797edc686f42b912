"""The vocabulary of a model: tokens and their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from seqgen.errors import VocabularyError
from seqgen.types import Ids

END = "<end>"  # ends every piece, such as a line or a tune
PADDING = "<pad>"  # id 0 where batches of whole sequences are padded; never read
UNKNOWN = "<unk>"  # replaces every token too rare for an id of its own


@dataclass(frozen=True)
class Vocabulary:
    """Distinct tokens; the id of a token is its position.

    Raises:
        VocabularyError: a token occurs twice.

    >>> vocabulary = Vocabulary(("a", "b", "c"))
    >>> vocabulary.encode("cab")
    array([2, 0, 1], dtype=uint8)
    >>> vocabulary.decode([2, 0, 1])
    ['c', 'a', 'b']
    """

    tokens: tuple[str, ...]

    def __post_init__(self) -> None:
        repeated = [token for token, count in Counter(self.tokens).items() if count > 1]
        if repeated:
            raise VocabularyError(
                f"expected distinct tokens, got {', '.join(map(repr, repeated))} more than once; "
                "remove the repetitions"
            )

    @classmethod
    def from_counts(
        cls, counts: Mapping[str, int], *, min_count: int = 1, end: bool = False
    ) -> Vocabulary:
        """The special tokens, then, sorted, the tokens that occur at least `min_count` times.

        Args:
            counts: token → number of occurrences.
            min_count: rarer tokens are left out, and `<unk>` is added if there are any.
            end: whether to add `<end>`.

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
        """Token → id."""
        return {token: i for i, token in enumerate(self.tokens)}

    @property
    def end_id(self) -> int | None:
        """The id of the token that ends a piece; None if there are no pieces."""
        return self.ids.get(END)

    @property
    def unknown_id(self) -> int | None:
        """The id that replaces rare tokens; None if there are none."""
        return self.ids.get(UNKNOWN)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The smallest unsigned integer type that holds every id."""
        return np.min_scalar_type(max(len(self) - 1, 0))

    def encode(self, tokens: Iterable[str]) -> Ids:
        """The ids `(T,)` of tokens.

        Raises:
            VocabularyError: tokens are not in the vocabulary; the message lists them.
        """
        tokens = list(tokens)
        unknown = sorted(set(tokens) - self.ids.keys())
        if unknown:
            raise VocabularyError(
                f"expected tokens of the vocabulary, got {', '.join(map(repr, unknown))}; "
                "leave them out"
            )
        return np.array([self.ids[token] for token in tokens], self.dtype)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """The tokens of ids."""
        return [self.tokens[i] for i in ids]

    def to_json(self) -> list[str]:
        """The tokens in the order of their ids."""
        return list(self.tokens)

    @classmethod
    def from_json(cls, data: Sequence[str]) -> Vocabulary:
        """The inverse of `to_json`."""
        return cls(tuple(data))
