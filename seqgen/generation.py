"""A prompt and a network → new tokens, one at a time."""

from __future__ import annotations

from collections.abc import Iterator

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
    forbidden: list[int] | None = None,
    item: int = 0,
) -> Iterator[int]:
    """Yield the ids that follow the prompt, each as soon as it is drawn.

    Args:
        stepper: the network.
        prompt: ids `(T,)`, at least one.
        config: `length` is the most that are drawn.
        end_id: the token that ends the output; it is not yielded.
        forbidden: tokens never drawn.
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
    for _ in range(config.length):
        ids = sample(forbid(logits, forbidden or []), config.temperature, random)
        token = int(ids[0])
        if token == end_id:
            return
        yield token
        logits, state = stepper.step(ids, state)
