"""The delayed recall task: how far back a cell remembers a symbol.

An episode is a symbol, a gap of noise tokens, a cue, and the symbol again, similar to the long time
lag tasks of Hochreiter and Schmidhuber (1997). For every gap length a network is trained on
gaps of at most this length, and scored on gaps of exactly this length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.inference.engine import Engine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.sampling.sampler import log_probabilities
from seqgen.training import loop
from seqgen.training.callbacks import Callback
from seqgen.training.setup import RunSetup
from seqgen.types import Ids
from seqgen.utils.sigint import INTERRUPTIONS
from seqgen.vocabulary import Vocabulary

GAPS = (5, 10, 20, 50, 100, 200)  # tokens
SYMBOLS, NOISE = 8, 8  # numbers of different tokens
CUE = SYMBOLS + NOISE
UNIFORM_LOSS = math.log(SYMBOLS)  # nats, of uniform guessing
EPISODES = 20_000  # for training
SCORED = 512  # episodes for scoring
UNITS, EMBEDDING, BATCH_SIZE, LEARNING_RATE = 64, 32, 32, 0.01


def episodes(count: int, gaps: npt.NDArray[np.int64], random: np.random.Generator) -> Ids:
    """Generate the ids of concatenated episodes, `(sum(gaps + 3),)`.

    Args:
        count: number of episodes.
        gaps: `(count,)`, number of noise tokens in each episode.
        random: draws symbols and noise.

    >>> ids = episodes(2, np.array([3, 1]), np.random.default_rng(0))
    >>> ids[[0, 5]].tolist(), ids[[6, 9]].tolist(), ids[[4, 8]].tolist()
    ([5, 5], [7, 7], [16, 16])
    """
    ends = np.cumsum(gaps + 3)
    ids: Ids = random.integers(SYMBOLS, CUE, ends[-1]).astype(np.uint8)
    ids[ends - 1] = ids[ends - 3 - gaps] = random.integers(0, SYMBOLS, count)
    ids[ends - 2] = CUE
    return ids


def corpus(gap: int, seed: int = 0) -> Corpus:
    """A training corpus of episodes with gaps of 1 to `gap` tokens."""
    random = np.random.default_rng(seed)
    ids = episodes(EPISODES, random.integers(1, gap + 1, EPISODES), random)
    vocabulary = Vocabulary(tuple("ABCDEFGHabcdefgh?"))
    return Corpus(f"recall after {gap}", "delayed recall", vocabulary, ids, validation=0)


def loss(engine: Engine, gap: int, seed: int = 1) -> float:
    """The mean loss in nats of the recalled symbol, in the second of two episodes.

    >>> class ForgetfulEngine:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return np.zeros((len(ids), SYMBOLS)), state
    >>> round(loss(ForgetfulEngine(), gap=5), 4), round(UNIFORM_LOSS, 4)
    (2.0794, 2.0794)
    """
    random = np.random.default_rng(seed)
    rows = np.stack([episodes(2, np.full(2, gap), random) for _ in range(SCORED)]).astype(int)
    state = engine.initial_state(SCORED)
    for column in rows.T[:-1]:
        logits, state = engine.step(column, state)
    return -float(log_probabilities(logits)[np.arange(SCORED), rows[:, -1]].mean())


def train(cell: str, gap: int, minutes: float, seed: int, callback: Callback) -> float:
    """Train a network on a gap for some minutes, and return its loss in nats.

    Raises:
        KeyboardInterrupt: Ctrl-C ended the training.
    """
    model_config = ModelConfig(cell=cell, units=UNITS, embedding=EMBEDDING)
    config = TrainConfig(
        minutes=minutes, batch_size=BATCH_SIZE, window=gap + 16, learning_rate=LEARNING_RATE,
        seed=seed, precision="float32",
    )  # fmt: skip
    result = loop.train(RunSetup(corpus(gap, seed), model_config, config), callback)
    if result.scores["ended_early"] in INTERRUPTIONS:
        raise KeyboardInterrupt(result.scores["ended_early"])
    return loss(NumpyEngine(model_config, result.weights), gap)


def remembered(losses: Mapping[int, float]) -> int:
    """The longest gap that a cell has learned; 0 if it has learned none.

    A gap is learned if the losses after it and after all shorter gaps are at most half of
    `UNIFORM_LOSS`.

    Args:
        losses: gap → loss in nats.

    >>> remembered({5: 0.0, 10: 0.3, 20: 1.9, 50: 2.1})
    10
    """
    longest = 0
    for gap, nats in sorted(losses.items()):
        if nats > UNIFORM_LOSS / 2:
            break
        longest = gap
    return longest
