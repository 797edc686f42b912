"""A prompt and a network → new tokens, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from seqgen.config import SampleConfig
from seqgen.runtime import Stepper
from seqgen.sampling import forbid, sample
from seqgen.vocabulary import Ids


def generate(
    stepper: Stepper,
    prompt: Ids,
    config: SampleConfig,
    *,
    end_id: int | None = None,
    forbidden: Sequence[int] = (),
    may_be_empty: bool = True,
    item: int = 0,
) -> Iterator[int]:
    """Yield the ids that follow the prompt, each as soon as it is drawn.

    Args:
        stepper: the network.
        prompt: ids `(T,)`, at least one.
        config: `length` is the most that are drawn.
        end_id: the token that ends the output; it is not yielded.
        forbidden: tokens never drawn.
        may_be_empty: whether the end token may come first.
        item: which of several outputs of one seed; each has random numbers of its own.

    >>> class Counts:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return np.eye(5)[(ids + 1) % 5], state
    >>> list(generate(Counts(), np.array([0, 1]), SampleConfig(temperature=0, length=9), end_id=0))
    [2, 3, 4]
    """
    random = np.random.default_rng([config.seed, item])
    state = stepper.initial_state(1)
    for token in prompt:
        logits, state = stepper.step(np.array([token]), state)
    for place in range(config.length):
        empty = [] if place or may_be_empty or end_id is None else [end_id]
        ids = sample(forbid(logits, [*forbidden, *empty]), config.temperature, random)
        token = int(ids[0])
        if token == end_id:
            return
        yield token
        logits, state = stepper.step(ids, state)
