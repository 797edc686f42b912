"""The loss of a network on a sequence of ids, computed token by token."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from seqgen.corpus.streams import StreamWindows
from seqgen.inference.engine import Engine
from seqgen.sampling.sampler import log_probabilities
from seqgen.types import Ids

STREAMS = 64  # number of parallel streams that score a long sequence
MAX_SINGLE = 20_000  # number of tokens up to which one stream scores them all


def losses(
    engine: Engine, ids: Ids, first: int, *, progress: bool = False
) -> npt.NDArray[np.float64]:
    """The loss of every token from `first` on, in nats.

    Up to `MAX_SINGLE` tokens are scored by one stream, more by `STREAMS` parallel streams. A stream
    reads `Engine.warm_up` tokens before its own part, so that its state contains their context.

    Args:
        engine: the network.
        ids: `(N,)`; those before `first` are context.
        first: position of the first scored token, at least 1.
        progress: draw a progress bar on stderr.

    Returns:
        `(N - first,)`.

    >>> class CountingEngine:  # always predicts the next number, modulo 5
    ...     warm_up = 0
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return 50 * np.eye(5)[(ids + 1) % 5], state
    ...     def gather_state(self, state, rows): return state
    >>> losses(CountingEngine(), np.array([0, 1, 2, 4]), first=1).round().tolist()
    [0.0, 0.0, 50.0]
    """
    from tqdm import tqdm

    count = len(ids) - first
    streams = STREAMS if count > MAX_SINGLE else 1
    windows = StreamWindows(ids, first, count, streams, window=1, warm_up=engine.warm_up)
    result = np.empty(count)
    state = engine.initial_state(streams)
    for window in tqdm(
        windows, "scoring", file=sys.stderr, leave=False, disable=not progress, unit=""
    ):
        logits, state = engine.step(window.inputs[:, 0].astype(int), state)  # (streams, V)
        rows = np.flatnonzero(window.is_scored[:, 0])
        if len(rows):
            targets = window.targets[rows, 0].astype(int)
            likelihoods = log_probabilities(logits[rows])[np.arange(len(rows)), targets]
            result[window.positions[rows, 0] - first] = 0 - likelihoods  # never -0.0
    return result
