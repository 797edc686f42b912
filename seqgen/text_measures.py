"""What can be measured of texts, to set new ones beside the corpus that was learned from."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from seqgen import hashing
from seqgen.hashing import Hashes, of_ngrams
from seqgen.vocabulary import Ids

COPIED = 20  # characters of the runs whose share is counted


def distinct(tokens: Sequence[object], order: int) -> float:
    """The share of n-grams that are not there a second time (Li et al. 2016).

    >>> distinct("abab", 2)  # ab, ba, ab
    0.6666666666666666
    """
    ngrams = [tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else 1.0


def words(text: str) -> list[str]:
    """Letters in a row, in small ones.

    >>> words("Don't say: x2!")
    ['don', 't', 'say', 'x']
    """
    return re.findall(r"[^\W\d_]+", text.casefold())


def known_words(text: str, vocabulary: set[str]) -> float:
    """The share of a text's words that a vocabulary holds.

    >>> known_words("the cat zat", {"the", "cat"})
    0.6666666666666666
    """
    found = words(text)
    return sum(word in vocabulary for word in found) / len(found) if found else 1.0


def copied_share(output: Hashes, corpus: Hashes, length: int = COPIED) -> float:
    """The share of an output's runs of a length that stand in the corpus.

    Args:
        output: a code `(N,)` for each character.
        corpus: the same `(M,)`.
        length: of the runs.

    >>> codes = hashing.of_texts("the cat sat on the mat")
    >>> copied_share(codes[:8], codes[4:], length=4)  # of five runs, ` cat` is not there: 'the '
    0.4
    """
    runs = of_ngrams(output, length)
    return float(np.isin(runs, of_ngrams(corpus, length)).mean()) if len(runs) else 0.0


def longest_copy(outputs: Sequence[Hashes], corpus: Hashes) -> int:
    """The longest run of some outputs that stands in the corpus, found by halving.

    >>> codes = hashing.of_texts("the cat sat on the mat")
    >>> longest_copy([codes[9:14], codes[4:11]], codes)
    7
    """
    apart = hashing.of_texts(["between two outputs"])
    together = np.concatenate([part for each in outputs for part in (each, apart)])
    shortest, longest = 0, max(map(len, outputs))
    while shortest < longest:
        length = (shortest + longest + 1) // 2
        if copied_share(together, corpus, length):
            shortest = length
        else:
            longest = length - 1
    return shortest


def codes(ids: Ids, tokens: Sequence[str]) -> Hashes:
    """A code `(N,)` for each id, the same in every vocabulary."""
    return np.asarray(hashing.of_texts(tokens)[ids])
