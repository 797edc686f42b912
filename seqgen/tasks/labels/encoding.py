"""Texts → ids of characters or words; series → numbers of about the size of 1.

What a model needs to encode further sequences is plain data, which its file holds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqgen.tasks.labels.examples import Content, Series
from seqgen.types import Array, Json, Mask
from seqgen.vocabulary import PADDING, UNKNOWN, Vocabulary

TOKENS = ("characters", "words")
NUMBERS = "numbers"
WORD = re.compile(r"\w+|[^\w\s]")
LARGEST = 20.0  # standard deviations to which numbers are clipped


@dataclass(frozen=True)
class Encoding:
    """How sequences become ids `(T,)` or numbers `(T, D)`."""

    vocabulary: Vocabulary  # of a text: tokens; of a series: the names of the channels
    tokens: str = "characters"  # of a text, one of `TOKENS`; of a series `NUMBERS`
    max_length: int = 1000  # steps; the rest of a longer sequence is left out
    mean: tuple[float, ...] = ()  # of every channel of a series; empty for texts
    scale: tuple[float, ...] = ()  # the standard deviation of every channel

    @property
    def of_series(self) -> bool:
        """Whether it encodes series."""
        return self.tokens == NUMBERS

    def encode(self, content: Content) -> Array:
        """The ids `(T,)` or numbers `(T, D)`, at least one step and at most `max_length`.

        A step of which all numbers are missing is left out. A missing number of another step
        becomes the mean of its channel.
        """
        if isinstance(content, str):
            tokens = split_text(content, self.tokens)[: self.max_length]
            unknown = self.vocabulary.ids[UNKNOWN]
            ids = [self.vocabulary.ids.get(token, unknown) for token in tokens]
            return np.array(ids, self.vocabulary.dtype)
        present = content[_is_present(content)][: self.max_length]
        numbers = (present - np.array(self.mean)) / np.array(self.scale)
        clipped: Array = np.clip(np.nan_to_num(numbers), -LARGEST, LARGEST).astype(np.float32)
        return clipped

    def length(self, content: Content) -> int:
        """The number of steps of a sequence, also of those after `max_length`."""
        if isinstance(content, str):
            return len(split_text(content, self.tokens))
        return int(_is_present(content).sum())

    def to_json(self) -> Json:
        """Plain data besides the vocabulary."""
        return {
            "tokens": self.tokens,
            "max_length": self.max_length,
            "mean": list(self.mean),
            "scale": list(self.scale),
        }

    @classmethod
    def from_json(cls, data: Json, vocabulary: Vocabulary) -> Encoding:
        """The inverse of `to_json`."""
        return cls(vocabulary, data["tokens"], data["max_length"], tuple(data["mean"]),
                   tuple(data["scale"]))  # fmt: skip


def _is_present(series: Series) -> Mask:
    """Whether a step has any number, `(T,)`."""
    return np.asarray(~np.isnan(series).all(axis=1))


def split_text(text: str, tokens: str) -> list[str]:
    """The tokens of a text; words are in lower case, and signs are words.

    >>> split_text("Don't!", "words")
    ['don', "'", 't', '!']
    """
    return list(text) if tokens == "characters" else WORD.findall(text.lower()) or [UNKNOWN]


def fit_text(texts: Sequence[str], tokens: str, min_count: int, max_length: int) -> Encoding:
    """The encoding of texts; tokens that occur less often than `min_count` are `<unk>`."""
    counts = Counter(token for text in texts for token in split_text(text, tokens)[:max_length])
    kept = sorted(token for token, count in counts.items() if count >= min_count)
    special = {PADDING, UNKNOWN}
    vocabulary = Vocabulary((PADDING, UNKNOWN, *(token for token in kept if token not in special)))
    return Encoding(vocabulary, tokens, max_length)


def fit_series(series: Sequence[Series], max_length: int) -> Encoding:
    """The encoding of series, by the mean and the standard deviation of every channel."""
    steps = np.concatenate(series)  # (N, D)
    with np.errstate(all="ignore"):
        known = ~np.isnan(steps)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, steps, 0).sum(axis=0) / count
        deviations = np.where(known, steps - mean, 0.0)
        scale = np.sqrt((deviations**2).sum(axis=0) / count)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    names = tuple(f"channel {number}" for number in range(1, steps.shape[1] + 1))
    return Encoding(Vocabulary(names), NUMBERS, max_length, tuple(map(float, mean)),
                    tuple(map(float, scale)))  # fmt: skip
