"""The baseline: interpolated n-grams with the smoothing of Witten and Bell (1991).

    P(w | h) = (c(hw) + t(h) P(w | h')) / (c(h) + t(h))

where c(x) is the number of occurrences of x, t(h) the number of distinct tokens that follow the
context h, and h' is h without its first token. The empty context is interpolated with the uniform
distribution.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from seqgen.types import Hashes, Ids
from seqgen.utils import schema
from seqgen.utils.cache import cache_folder, read_json, write_json
from seqgen.utils.hashing import MULTIPLIER, mixed

MAX_TOKENS = 5_000_000  # n-grams are counted in the last tokens of the training part
VERSION = 1  # of `losses`; increase it to invalidate cached results

LOSSES = schema.sequence(schema.number(0, 1e9), most=8, least=1)  # in the cache


def cached_losses(training: Ids, scored: Ids, vocabulary_size: int) -> list[float]:
    """`losses` for orders 1 to 8, cached in the cache folder.

    Args:
        training: ids `(N,)`; n-grams are counted in the last `MAX_TOKENS`.
        scored: ids `(M,)`, at least one.
        vocabulary_size: number of different tokens.
    """
    training = np.ascontiguousarray(training[-MAX_TOKENS:], np.int32)
    scored = np.ascontiguousarray(scored, np.int32)
    digest = hashlib.sha256(f"{VERSION} {vocabulary_size} {len(training)} ".encode())
    digest.update(training.tobytes())
    digest.update(scored.tobytes())
    path = cache_folder() / "ngrams" / f"{digest.hexdigest()}.json"
    cached = read_json(path)
    try:
        LOSSES(cached)
    except schema.SchemaError:  # there are none, or they are damaged
        cached = losses(training, scored, vocabulary_size)
        write_json(path, cached)
    return list(cached)


def losses(training: Ids, validation: Ids, vocabulary_size: int, orders: int = 8) -> list[float]:
    """The losses, in nats per token, of n-grams of order 1 to `orders`.

    Args:
        training: ids `(N,)` from which n-grams are counted.
        validation: ids `(M,)` to score, at least one.
        vocabulary_size: number of different tokens.
        orders: the highest order; at most N are returned.

    >>> ids = np.array([0, 1] * 500)
    >>> [round(loss, 2) for loss in losses(ids, ids[:100], vocabulary_size=2, orders=2)]
    [0.69, 0.01]
    """
    probabilities = np.full(len(validation), 1 / vocabulary_size)
    counted: Hashes | None = None
    scored: Hashes | None = None
    result: list[float] = []
    for order in range(1, min(orders, len(training)) + 1):
        if order > len(validation):
            result.append(result[-1])
            continue
        contexts, counted = counted, _extended(counted, training)
        scored_contexts, scored = scored, _extended(scored, validation)
        length = len(counted)
        _interpolate(
            probabilities[-len(scored) :],
            _before(contexts, length),
            counted,
            _before(scored_contexts, len(scored)),
            scored,
        )
        result.append(float(-np.log(probabilities).mean()))
    return result


def _extended(hashes: Hashes | None, ids: Ids) -> Hashes:
    """Hashes of n-grams, one per position, from those of the n-grams one token shorter."""
    tokens = ids.astype(np.uint64) + np.uint64(1)
    if hashes is None:
        return mixed(tokens)
    return mixed(hashes[:-1] * np.uint64(MULTIPLIER) + tokens[len(tokens) - len(hashes) + 1 :])


def _before(contexts: Hashes | None, length: int) -> Hashes:
    """The contexts of `length` n-grams: the shorter n-grams that end one position earlier."""
    return np.zeros(length, np.uint64) if contexts is None else contexts[-length - 1 : -1]


def _interpolate(
    probabilities: npt.NDArray[np.float64],
    contexts: Hashes,
    counted: Hashes,
    scored_contexts: Hashes,
    scored: Hashes,
) -> None:
    """Update the probabilities of one order to those of the next order, in place."""
    grams, first, counts = np.unique(counted, return_index=True, return_counts=True)
    known, totals = np.unique(contexts, return_counts=True)
    followed, followers = np.unique(contexts[first], return_counts=True)
    assert len(known) == len(followed)
    count = _looked_up(scored, grams, counts)
    total = _looked_up(scored_contexts, known, totals)
    distinct = _looked_up(scored_contexts, followed, followers)
    seen = total > 0
    mixed = (count + distinct * probabilities) / np.maximum(total + distinct, 1)
    probabilities[seen] = mixed[seen]


def _looked_up(keys: Hashes, table: Hashes, values: Ids) -> npt.NDArray[np.int64]:
    """The value of each key; 0 for keys that are not in the sorted table."""
    positions = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[positions] == keys, values[positions], 0)
