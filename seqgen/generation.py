"""A prompt and a network → new tokens, one at a time."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from seqgen.config import SampleConfig
from seqgen.runtime import Stepper
from seqgen.sampling import Logits, forbid, sample
from seqgen.vocabulary import Ids


class Place(NamedTuple):
    """Where a network is in a sequence."""

    logits: Logits  # (1, V), of what comes next
    state: Any


def read(stepper: Stepper, prompt: Ids) -> Place:
    """The place behind a prompt `(T,)`, at least one token."""
    state = stepper.initial_state(1)
    for token in prompt:
        logits, state = stepper.step(np.array([token]), state)
    return Place(logits, state)


class Rules(Protocol):
    """What may follow what."""

    @property
    def is_finished(self) -> bool: ...

    @property
    def may_end(self) -> bool: ...

    def allowed(self) -> npt.NDArray[np.bool_]: ...

    def feed(self, token_id: int) -> None: ...


def generate(
    stepper: Stepper,
    prompt: Ids | Place,
    config: SampleConfig,
    *,
    end_id: int | None = None,
    forbidden: Sequence[int] = (),
    may_be_empty: bool = True,
    rules: Rules | None = None,
    item: int = 0,
) -> Generator[int, None, Place]:
    """Yield the ids that follow the prompt, each as soon as it is drawn.

    The generator's value, when it is through, is the place that it has come to.

    Args:
        stepper: the network.
        prompt: ids `(T,)`, at least one, or the place behind them.
        config: `length` is the most that are drawn.
        end_id: the token that ends the output; it is not yielded.
        forbidden: tokens never drawn.
        may_be_empty: whether the end token may come first.
        rules: what may follow what; they have been told of the prompt.
        item: which of several outputs of one seed; each has random numbers of its own.

    >>> class Counts:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return np.eye(5)[(ids + 1) % 5], state
    >>> list(generate(Counts(), np.array([0, 1]), SampleConfig(temperature=0, length=9), end_id=0))
    [2, 3, 4]
    """
    random = np.random.default_rng([config.seed, item])
    logits, state = prompt if isinstance(prompt, Place) else read(stepper, prompt)
    for place in range(config.length):
        empty = [] if place or may_be_empty or end_id is None else [end_id]
        logits = forbid(logits, [*forbidden, *empty])
        if rules is not None:
            if rules.is_finished:
                break
            logits = np.where(_allowed(rules, end_id), logits, -np.inf)
        ids = sample(logits, config.temperature, random)
        token = int(ids[0])
        if token == end_id:
            break
        if rules is not None:
            rules.feed(token)
        yield token
        logits, state = stepper.step(ids, state)
    return Place(logits, state)


def _allowed(rules: Rules, end_id: int | None) -> npt.NDArray[np.bool_]:
    mask = rules.allowed()
    if end_id is not None and rules.may_end:
        mask = mask.copy()
        mask[end_id] = True
    return mask
