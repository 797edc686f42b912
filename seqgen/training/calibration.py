"""Measures how fast a run will train, with real steps on its own data."""

from __future__ import annotations

from typing import NamedTuple

from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.training.step import StepPlan

REPEATS = 3  # timings, of which the fastest counts: other programs can only make steps slower
SECONDS = 0.35  # minimum duration of each timing


class Timing(NamedTuple):
    """How long a run takes, in seconds."""

    start: float  # to build the network and to compile and take the first step
    per_token: float  # in the steps after the first


def time_steps(setup: RunSetup) -> Timing:
    """Time the first steps of a run.

    They train a network of their own, so that the run itself is not affected.

    >>> import numpy as np
    >>> from seqgen.config import ModelConfig, TrainConfig
    >>> from seqgen.corpus.corpus import Corpus
    >>> from seqgen.vocabulary import Vocabulary
    >>> corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(500) % 2)
    >>> config = TrainConfig(epochs=1, batch_size=4, window=8)
    >>> timing = time_steps(RunSetup(corpus, ModelConfig(units=8), config))
    >>> timing.start > timing.per_token > 0
    True
    """
    began = setup.clock()
    state = RunState(setup)
    plan = StepPlan(learning_rate=0.0, fraction=0.0)
    state.advance(plan)
    start = setup.clock() - began
    fastest = min(_seconds_per_step(state, setup, plan) for _ in range(REPEATS))
    return Timing(start, fastest / state.tokens_per_step)


def _seconds_per_step(state: RunState, setup: RunSetup, plan: StepPlan) -> float:
    """The mean duration of the steps of one timing."""
    began, steps, seconds = setup.clock(), 0, 0.0
    while seconds < SECONDS:
        state.advance(plan)
        steps += 1
        seconds = setup.clock() - began
    return seconds / steps
