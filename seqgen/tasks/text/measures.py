"""Measures of texts, to compare generated texts with the training corpus."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from seqgen.types import Hashes, Ids
from seqgen.utils import hashing
from seqgen.utils.hashing import of_ngrams

COPIED = 20  # characters of a run that counts as copied


def distinct(texts: Sequence[Sequence[object]], order: int) -> float:
    """The number of distinct n-grams of texts / the number of all (distinct-n, Li et al. 2016).

    >>> distinct(["aba", "ab"], 2)  # ab, ba; ab
    0.6666666666666666
    """
    ngrams = [tuple(text[i : i + order]) for text in texts for i in range(len(text) - order + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else 1.0


def words(text: str) -> list[str]:
    """Split a text into lower-case words, which are runs of letters.

    >>> words("Don't say: x2!")
    ['don', 't', 'say', 'x']
    """
    return re.findall(r"[^\W\d_]+", text.casefold())


def known_words(text: str, vocabulary: set[str]) -> float:
    """The fraction of the words of a text that are in a vocabulary.

    >>> known_words("the cat zat", {"the", "cat"})
    0.6666666666666666
    """
    found = words(text)
    return sum(word in vocabulary for word in found) / len(found) if found else 1.0


def copied_share(outputs: Sequence[Hashes], corpus: Hashes, length: int = COPIED) -> float:
    """The fraction of the runs of a length in outputs that also occur in the corpus.

    Args:
        outputs: codes `(N,)` of the characters of every output.
        corpus: codes `(M,)` of its characters.
        length: of the runs, in characters.

    >>> codes = hashing.of_texts("the cat sat on the mat")
    >>> copied_share([codes[:8]], codes[4:], length=4)  # 2 of 5 runs
    0.4
    """
    runs = np.concatenate([of_ngrams(output, length) for output in outputs])
    if not len(runs):
        return 0.0
    distinct_runs, indices = np.unique(runs, return_inverse=True)
    corpus_runs = of_ngrams(corpus, length)
    matches = np.minimum(np.searchsorted(distinct_runs, corpus_runs), len(distinct_runs) - 1)
    is_copied = np.zeros(len(distinct_runs), bool)
    is_copied[matches[distinct_runs[matches] == corpus_runs]] = True
    return float(is_copied[indices].mean())


def longest_copy(outputs: Sequence[Hashes], corpus: Hashes) -> int:
    """The length of the longest run of outputs that occurs in the corpus, by binary search.

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
    """The codes `(N,)` of ids `(N,)`, which do not depend on the vocabulary."""
    return np.asarray(hashing.of_texts(tokens)[ids])
