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
    positions = np.arange(len(ids))
    starts = np.maximum.accumulate(np.where(ids == END_ID, positions, 0))  # of the piece of each id
    columns = np.empty(
        (len(ids), 1 + len(lags)), np.min_scalar_type(vocabulary_size * (1 + len(lags)))
    )
    columns[:, 0] = ids
    for column, lag in enumerate(lags, 1):
        earlier = positions - lag
        columns[:, column] = np.where(earlier >= starts, ids[np.maximum(earlier, 0)], END_ID)
        columns[:, column] += column * vocabulary_size
    return columns
