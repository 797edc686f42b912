"""Hashed n-grams: what a network reads at a step besides the token itself.

As in fastText (Bojanowski et al. 2017), the embeddings of the n-grams that end at a step are added
to that of its token, so that the network need not learn first to remember the tokens before it. An
n-gram is a row of the embedding by its hash; two of them may have the same one.
"""

from __future__ import annotations

from typing import Any

from seqgen.config import BUCKETS

FACTOR = 32_749  # prime as BUCKETS is; products of the two, and ids, fit into int32


def ngram_rows(ids: Any, longest: int, vocabulary_size: int, ops: Any) -> Any:
    """The rows of an embedding `(V + BUCKETS, E)` for ids `(B, T)`: `(B, T, longest)`.

    The first is that of the token; after it those of the n-grams of 2, 3, … tokens that end at the
    step, with token 0 before the beginning of a sequence:

        hash_n(t) = (FACTOR hash_(n-1)(t - 1) + id_t + n) mod BUCKETS, with the id as hash_1

    Args:
        ids: in int32, of at most 90 million tokens.
        longest: tokens of the longest n-gram.
        vocabulary_size: V.
        ops: `numpy`, or `keras.ops`, whose results are the same.

    >>> import numpy as np
    >>> rows = ngram_rows(np.array([[1, 2, 1, 2]], np.int32), 2, vocabulary_size=3, ops=np)
    >>> rows[0, :, 0].tolist(), bool(rows[0, 1, 1] == rows[0, 3, 1] != rows[0, 2, 1])
    ([1, 2, 1, 2], True)
    """
    rows, hashed = [ids], ids % BUCKETS
    for order in range(2, longest + 1):
        before = ops.pad(hashed, ((0, 0), (1, 0)))[:, :-1]
        hashed = (FACTOR * before + ids + order) % BUCKETS
        rows.append(hashed + vocabulary_size)
    return ops.stack(rows, axis=-1)
