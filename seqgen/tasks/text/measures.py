"""What can be measured of texts, to set new ones beside the corpus that was learned from."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from seqgen.types import Hashes, Ids
from seqgen.utils import hashing
from seqgen.utils.hashing import of_ngrams

COPIED = 20  # characters of the runs whose share is counted


def distinct(texts: Sequence[Sequence[object]], order: int) -> float:
    """The share of all n-grams of some texts that are different ones (Li et al. 2016).

    >>> distinct(["aba", "ab"], 2)  # ab, ba; ab
    0.6666666666666666
    """
    ngrams = [tuple(each[i : i + order]) for each in texts for i in range(len(each) - order + 1)]
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


def copied_share(outputs: Sequence[Hashes], corpus: Hashes, length: int = COPIED) -> float:
    """The share of some outputs' runs of a length that stand in the corpus.

    Args:
        outputs: of each, a code `(N,)` for each character.
        corpus: the same `(M,)`.
        length: of the runs.

    >>> codes = hashing.of_texts("the cat sat on the mat")
    >>> copied_share([codes[:8]], codes[4:], length=4)  # of five runs, ` cat` is not there: 'the '
    0.4
    """
    runs = np.concatenate([of_ngrams(each, length) for each in outputs])
    if not len(runs):
        return 0.0
    different, numbers = np.unique(runs, return_inverse=True)
    real = of_ngrams(corpus, length)
    places = np.minimum(np.searchsorted(different, real), len(different) - 1)
    found = np.zeros(len(different), bool)
    found[places[different[places] == real]] = True
    return float(found[numbers].mean())


def longest_copy(outputs: Sequence[Hashes], corpus: Hashes) -> int:
    """The longest run of some outputs that stands in the corpus, found by halving.

    >>> codes = hashing.of_texts("the cat sat on the mat")
    >>> longest_copy([codes[9:14], codes[4:11]], codes)
    7
    """
    shortest, longest = 0, max(map(len, outputs))
    while shortest < longest:
        length = (shortest + longest + 1) // 2
        if copied_share(outputs, corpus, length):
            shortest = length
        else:
            longest = length - 1
    return shortest


def codes(ids: Ids, tokens: Sequence[str]) -> Hashes:
    """A code `(N,)` for each id, the same in every vocabulary."""
    return np.asarray(hashing.of_texts(tokens)[ids])
