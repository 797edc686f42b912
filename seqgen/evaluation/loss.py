"""How well a network predicts a run of ids: the loss of each, with the state carried."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from seqgen.inference.engine import Engine
from seqgen.sampling.sampler import log_probabilities
from seqgen.types import Ids

STREAMS = 64
WARM_UP = 256  # tokens that a stream reads before its own part
FEW = 20_000  # tokens that one stream reads alone


def losses(
    engine: Engine, ids: Ids, first: int, *, progress: bool = False
) -> npt.NDArray[np.float64]:
    """Nats of each token from the first on, with the state carried from one to the next.

    A long run is read by `STREAMS` streams side by side. A stream reads up to `WARM_UP` tokens
    before its own part, so that its state knows what came before; where there are not so many, the
    first one over and over.

    Args:
        engine: the network.
        ids: `(N,)`.
        first: the first that is scored, at least 1.
        progress: draw a progress bar on stderr.

    Returns:
        `(N - first,)`.

    >>> class Knows:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return 50 * np.eye(5)[(ids + 1) % 5], state
    ...     def gather_state(self, state, rows): return state
    >>> losses(Knows(), np.array([0, 1, 2, 4]), first=1).round().tolist()
    [0.0, 0.0, 50.0]
    """
    from tqdm import tqdm

    count = len(ids) - first
    streams = STREAMS if count > FEW else 1
    starts = first + np.arange(streams + 1) * count // streams
    longest = int(np.diff(starts).max(initial=0))
    found = np.empty(count)
    state = engine.initial_state(streams)
    steps = range(-min(WARM_UP, first - 1 if streams == 1 else WARM_UP), longest)
    for step in tqdm(steps, "scoring", file=sys.stderr, leave=False, disable=not progress, unit=""):
        places = starts[:-1] + step
        inside = places.clip(1, len(ids) - 1)
        logits, state = engine.step(ids[inside - 1].astype(int), state)
        scored = np.flatnonzero((places >= starts[:-1]) & (places < starts[1:]))
        if len(scored):
            targets = ids[inside[scored]].astype(int)
            likely = log_probabilities(logits[scored])[np.arange(len(scored)), targets]
            found[places[scored] - first] = 0 - likely
    return found
