"""Lagged tokens: what the network reads at a step besides the token itself.

In a sequence with a period, such as the rows of a picture, the token one period before the next one
predicts it well, but it is too far back for a recurrent network to learn quickly. As in DeepAR
(Salinas et al. 2017), the network then reads it again, as a further input:

    x_t = (ids_t, ids_{t - lag 1}, ids_{t - lag 2}, …)

Token 0, which ends a piece, stands for tokens before the beginning of the piece.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.types import Ids

END_ID = 0
CHUNK = 1 << 20  # ids, which bounds the memory for positions


def lagged(ids: Ids, lags: Sequence[int], vocabulary_size: int) -> Ids:
    """The inputs `(N, F)` of a network, F = 1 + the number of lags, for ids `(N,)`.

    The inputs are rows of the network's embedding, `(F V, E)`: V for the token, and V for every
    lag. So column k has k V added to its ids.

    Args:
        ids: pieces, each of which ends with token 0.
        lags: numbers of steps, at least 1.
        vocabulary_size: V.

    >>> lagged(np.array([1, 2, 3, 0, 1]), lags=[2], vocabulary_size=4).T.tolist()
    [[1, 2, 3, 0, 1], [4, 4, 5, 4, 4]]
    """
    count, longest = 1 + len(lags), max(lags, default=0)
    columns = np.empty((len(ids), count), np.min_scalar_type(count * vocabulary_size))
    for first in range(0, len(ids), CHUNK):
        before = max(first - longest, 0)  # from where this chunk reads
        part = np.asarray(ids[before : first + CHUNK])
        positions = np.arange(len(part))
        starts = np.maximum.accumulate(np.where(part == END_ID, positions, 0))  # of the pieces
        for column, lag in enumerate((0, *lags)):
            earlier = positions - lag
            read = np.where(earlier >= starts, part[np.maximum(earlier, 0)], END_ID)
            inside = slice(first, first + CHUNK)
            columns[inside, column] = read[first - before :] + column * vocabulary_size
    return columns
