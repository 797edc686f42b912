"""Generates tokens: an engine and a decoder state → several outputs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple, Protocol

import numpy as np

from seqgen.inference.engine import Engine, State
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.sampler import Sampler, log_probabilities
from seqgen.types import Ids, Logits, Mask

MAX_ROWS = 64  # of a batch

# Engines that are not batch invariant get batches of these sizes, for any number of outputs, so
# that the same seed gives the same outputs; unused rows of a batch are computed and dropped.
BATCHES = (1, 16, 48, MAX_ROWS)


class DecoderState(NamedTuple):
    """What generation continues from, for each of `B` sequences."""

    logits: Logits  # (B, V), of the next token
    state: State  # of the engine


def read(engine: Engine, prompt: Ids) -> DecoderState:
    """The decoder state `(1, …)` after a prompt `(T,)` of at least one token."""
    state = engine.initial_state(1)
    for token in prompt:
        logits, state = engine.step(np.array([token]), state)
    return DecoderState(logits, state)


def gather(engine: Engine, state: DecoderState, rows: Sequence[int]) -> DecoderState:
    """The states of the sequences `rows` `(N,)`; a sequence may occur several times."""
    chosen = np.asarray(rows)
    return DecoderState(state.logits[chosen], engine.gather_state(state.state, chosen))


def batches(count: int, engine: Engine) -> Iterator[tuple[range, int]]:
    """Yield for each batch the numbers of its outputs, and its number of rows.

    >>> class Rounds:
    ...     is_batch_invariant = False
    >>> list(batches(20, Rounds()))
    [(range(0, 1), 1), (range(1, 17), 16), (range(17, 20), 48)]
    """
    first = number = 0
    while first < count:
        rows = BATCHES[min(number, len(BATCHES) - 1)]
        if engine.is_batch_invariant:
            rows = min(MAX_ROWS, count - first)
        yield range(first, min(first + rows, count)), rows
        first, number = first + rows, number + 1


class Constraint(Protocol):
    """Decides which tokens may come next in an output, and when it ends."""

    @property
    def is_finished(self) -> bool: ...

    def allowed(self) -> Mask | None:
        """Which tokens may come next, `(V,)`; None allows all."""

    def feed(self, token_id: int) -> None:
        """Called with every new token of the output."""


class GeneratedSequence:
    """One output while it is generated.

    Args:
        config: `length` is its maximum number of tokens, `seed` the seed of all outputs.
        item: number of the output; every output has its own random numbers.
        end_id: the token that ends the output; it is not part of it.
        may_be_empty: whether the end token may come first.
        constraints: all of them must allow a token.
        scored: store the log-probability of every token.
    """

    def __init__(
        self,
        config: SampleConfig,
        item: int = 0,
        *,
        end_id: int | None = None,
        may_be_empty: bool = True,
        constraints: Sequence[Constraint] = (),
        scored: bool = False,
    ) -> None:
        self.length = config.length
        self.random = np.random.default_rng([config.seed, item]).random
        self.end_id = end_id
        self.may_be_empty = may_be_empty
        self.constraints = constraints
        self.scored = scored
        self.ids: list[int] = []
        self.log_probabilities: list[float] = []  # of the model, before constraints and temperature
        self.is_finished = False
        self.is_stuck = False  # finished because no token was allowed
        self.state: DecoderState | None = None  # after its last token, once it is finished

    def next(self, size: int) -> Mask | None:
        """Which of `size` tokens may come next; None: all of them, or the output is finished."""
        if len(self.ids) >= self.length:
            self.is_finished = True
        for constraint in self.constraints:
            self.is_finished |= constraint.is_finished
        if self.is_finished:
            return None
        masks: list[Mask] = [m for c in self.constraints if (m := c.allowed()) is not None]
        if not self.ids and not self.may_be_empty and self.end_id is not None:
            masks.append(np.arange(size) != self.end_id)
        if not masks:
            return None
        allowed = masks[0] if len(masks) == 1 else np.logical_and.reduce(masks)
        if b"\1" not in allowed.tobytes():  # `not allowed.any()`, in a third of the time
            self.is_finished = self.is_stuck = True
            return None
        return allowed

    def store_state(self, state: DecoderState) -> None:
        """Store the decoder state after the last token."""
        self.state = state

    def feed(self, token: int) -> None:
        """Append a token that was drawn, unless it is the end token."""
        if token == self.end_id:
            self.is_finished = True
            return
        self.ids.append(token)
        for constraint in self.constraints:
            constraint.feed(token)


def generate(
    engine: Engine,
    start: DecoderState,
    sampler: Sampler,
    outputs: Sequence[GeneratedSequence],
    prompt: Sequence[int] = (),
    drawn: int = 0,
) -> Iterator[None]:
    """Extend outputs, one token each per step, until all are finished. Yields after every step.

    Args:
        engine: the network.
        start: one row per output; further rows fill up the batch.
        sampler: draws the tokens.
        outputs: the outputs to extend.
        prompt: ids that count as recent for the repetition penalty.
        drawn: number of tokens drawn before, where a temperature schedule continues.

    >>> class Counts:
    ...     def initial_state(self, batch_size): return ()
    ...     def step(self, ids, state): return np.eye(5)[(ids + 1) % 5], state
    ...     def gather_state(self, state, rows): return state
    >>> config = SampleConfig(temperature=0, length=9)
    >>> output = GeneratedSequence(config, end_id=0)
    >>> start = read(Counts(), np.array([0, 1]))
    >>> for _ in generate(Counts(), start, Sampler(config), [output]): pass
    >>> output.ids
    [2, 3, 4]
    """
    logits, state = start
    rows, size = logits.shape
    window = min(sampler.window, len(prompt) + max(output.length for output in outputs))
    before = list(prompt)[-window:] if window else []
    recent = np.empty((rows, window), int)
    recent[:, : len(before)] = before
    allowed = np.ones((rows, size), bool)
    numbers = np.full(rows, 0.5)
    for new in count():
        growing = masked = False
        for row, output in enumerate(outputs):
            mask = output.next(size)
            if not output.is_finished:
                growing = True
                numbers[row] = output.random()
            elif output.state is None:
                output.store_state(gather(engine, DecoderState(logits, state), [row]))
            if mask is not None:
                allowed[row] = mask
                masked = True
        if not growing:
            return
        known = recent[:, : len(before) + new] if window else recent
        ids = sampler(logits, known, numbers, drawn + new, allowed if masked else None)
        if masked:
            allowed.fill(True)
        _feed(outputs, ids, logits)
        yield
        if window:
            recent[:, (len(before) + new) % window] = ids
        logits, state = engine.step(ids, state)


def _feed(outputs: Sequence[GeneratedSequence], ids: Ids, logits: Logits) -> None:
    scores = None
    for row, (output, token) in enumerate(zip(outputs, ids.tolist(), strict=False)):
        if output.is_finished:
            continue
        if output.scored and token != output.end_id:
            scores = log_probabilities(logits) if scores is None else scores
            output.log_probabilities.append(float(scores[row, token]))
        output.feed(token)
