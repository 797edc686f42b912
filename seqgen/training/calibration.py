"""Measures how fast a run will train, with real steps on its own data."""

from __future__ import annotations

import itertools

from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.training.step import StepPlan

SECONDS = 1.0  # minimum duration of the measurement
STEPS = 3  # minimum number of measured steps


def tokens_per_second(setup: RunSetup) -> float:
    """The speed of the first steps of a run, without the one that compiles them.

    They train a network of their own, so that the run itself is not affected.

    >>> import numpy as np
    >>> from seqgen.config import ModelConfig, TrainConfig
    >>> from seqgen.corpus.corpus import Corpus
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> config = TrainConfig(epochs=1, batch_size=4, window=8)
    >>> tokens_per_second(RunSetup(corpus, ModelConfig(units=8), config)) > 0
    True
    """
    state = RunState(setup)
    plan = StepPlan(learning_rate=0.0, fraction=0.0)
    state.advance(plan)
    began = setup.clock()
    for steps in itertools.count(1):
        state.advance(plan)
        seconds = setup.clock() - began
        if steps >= STEPS and seconds >= SECONDS:
            break
    return steps * state.tokens_per_step / seconds
