"""A batch that outputs join and leave while it runs, each with options of its own.

`seqgen.sampling.decode.generate` extends outputs that begin together. A server gets them one by
one: after every step those that are finished leave, and those that wait take their places
(iteration-level scheduling: Orca, Yu et al. 2022). An output is the same as alone if the engine is
batch invariant; other engines get batches of one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from seqgen.inference.engine import Engine
from seqgen.sampling.decode import MAX_ROWS, DecoderState, GeneratedSequence, gather
from seqgen.sampling.sampler import Sampler, log_probabilities
from seqgen.types import Floats, Ids, Logits, Mask


class Alternative(NamedTuple):
    """A token that could have come next."""

    token_id: int
    log_probability: float  # of the model, before constraints and temperature


@dataclass(eq=False)
class Stream:
    """An output, and what it needs to join a batch."""

    output: GeneratedSequence
    start: DecoderState  # `(1, …)`, after the prompt
    sampler: Sampler
    prompt: Sequence[int] = ()  # ids that count as recent for the repetition penalty
    alternatives: int = 0  # number of the most likely tokens to store at every step
    likely: list[list[Alternative]] = field(default_factory=list)  # one list for every id

    @property
    def is_alone(self) -> bool:
        """Whether its tokens cannot be drawn together with those of other streams."""
        return bool(self.sampler.window or self.sampler.config.temperature_schedule)

    @property
    def recent(self) -> list[int]:
        """The last ids that a repetition penalty applies to."""
        window = self.sampler.window
        return [*self.prompt[-window:], *self.output.ids[-window:]][-window:] if window else []


class RunningBatch:
    """Extends streams by one token at a time.

    Args:
        engine: the network.
        capacity: the largest number of streams.

    >>> from seqgen.sampling.config import SampleConfig
    >>> from seqgen.sampling.decode import read
    >>> class Counts:
    ...     is_batch_invariant = True
    ...     def initial_state(self, batch_size): return np.zeros((batch_size, 0))
    ...     def step(self, ids, state): return np.eye(5)[(ids + 1) % 5], state
    ...     def gather_state(self, state, rows): return state[rows]
    ...     def concatenate_states(self, states): return np.concatenate(states)
    >>> config = SampleConfig(temperature=0, length=3)
    >>> start = read(Counts(), np.array([1]))
    >>> batch, streams = RunningBatch(Counts()), []
    >>> for _ in range(2):
    ...     streams.append(Stream(GeneratedSequence(config), start, Sampler(config)))
    ...     batch.add(streams[-1:])
    ...     _ = batch.step()
    >>> [stream.output.ids for stream in streams]
    [[2, 3], [2]]
    """

    def __init__(self, engine: Engine, capacity: int = MAX_ROWS) -> None:
        self.engine = engine
        self.capacity = capacity if engine.is_batch_invariant else 1
        self.streams: list[Stream] = []
        self._state: DecoderState | None = None  # one row per stream
        self._groups: list[list[int]] = []  # rows whose tokens are drawn together

    @property
    def free(self) -> int:
        """The number of streams that may still be added."""
        return self.capacity - len(self.streams)

    def add(self, streams: Sequence[Stream]) -> None:
        """Let streams join, at most `free` of them."""
        if len(streams) > self.free:
            raise ValueError(f"expected at most {self.free} streams, got {len(streams)}")
        if not streams:
            return
        starts = [stream.start for stream in streams]
        states = starts if self._state is None else [self._state, *starts]
        self._state = DecoderState(
            np.concatenate([state.logits for state in states]),
            self.engine.concatenate_states([state.state for state in states]),
        )
        self.streams += streams
        self._group()

    def remove(self, streams: Collection[Stream]) -> None:
        """Let streams leave; those that are not in the batch are ignored."""
        rows = [row for row, stream in enumerate(self.streams) if stream not in streams]
        if len(rows) == len(self.streams):
            return
        assert self._state is not None
        self._state = gather(self.engine, self._state, rows) if rows else None
        self.streams = [self.streams[row] for row in rows]
        self._group()

    def step(self) -> list[Stream]:
        """Extend every output by a token, and return the streams that left since they finished.

        Raises:
            ModelFileError: the network gives NaN or infinity.
        """
        finished, allowed = self._masks()
        if self._state is None:
            return finished
        logits = self._state.logits
        ids = self._drawn(logits, allowed)
        self._feed(ids, logits)
        logits, state = self.engine.step(ids, self._state.state)
        self._state = DecoderState(logits, state)
        return finished

    def _masks(self) -> tuple[list[Stream], Mask | None]:
        """Let finished streams leave; which tokens may come next in the others, `(B, V)`."""
        if self._state is None:
            return [], None
        size = self._state.logits.shape[1]
        masks = [stream.output.next(size) for stream in self.streams]
        finished = [stream for stream in self.streams if stream.output.is_finished]
        if finished:
            masks = [
                mask
                for mask, stream in zip(masks, self.streams, strict=True)
                if not stream.output.is_finished
            ]
            self.remove(finished)
        if all(mask is None for mask in masks):
            return finished, None
        allowed = np.ones((len(masks), size), bool)
        for row, mask in enumerate(masks):
            if mask is not None:
                allowed[row] = mask
        return finished, allowed

    def _group(self) -> None:
        groups: dict[object, list[int]] = {}
        for row, stream in enumerate(self.streams):
            config = stream.sampler.config
            alike = (config.temperature, *sorted(config.filters.items()))
            groups.setdefault(row if stream.is_alone else alike, []).append(row)
        self._groups = list(groups.values())

    def _drawn(self, logits: Logits, allowed: Mask | None) -> Ids:
        """One token for every stream `(B,)`."""
        ids = np.empty(len(self.streams), np.int64)
        for rows in self._groups:
            first = self.streams[rows[0]]
            numbers = np.array([self.streams[row].output.random() for row in rows])
            recent = np.array([first.recent], np.int64).reshape(1, -1)
            if len(rows) == len(self.streams):
                mask, part = allowed, logits
            else:
                mask, part = None if allowed is None else allowed[rows], logits[rows]
            recent = np.repeat(recent, len(rows), axis=0)
            ids[rows] = first.sampler(part, recent, numbers, len(first.output.ids), mask)
        return ids

    def _feed(self, ids: Ids, logits: Logits) -> None:
        scores: Floats | None = None
        for row, (stream, token) in enumerate(zip(self.streams, ids.tolist(), strict=True)):
            output = stream.output
            if output.scored and token != output.end_id:
                scores = log_probabilities(logits) if scores is None else scores
                output.log_probabilities.append(float(scores[row, token]))
                stream.likely.append(_most_likely(scores[row], stream.alternatives))
            output.feed(token)


def _most_likely(scores: Floats, count: int) -> list[Alternative]:
    """The most likely tokens of log-probabilities `(V,)`, the first one most likely."""
    count = min(count, len(scores))
    if not count:
        return []
    ids = np.argpartition(-scores, count - 1)[:count]
    ids = ids[np.argsort(-scores[ids], kind="stable")]
    return [Alternative(int(i), float(scores[i])) for i in ids]
