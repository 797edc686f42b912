"""The training part as batches of windows, read side by side by `B` streams.

A stream's window begins where its last one ended, so that the recurrent state can be carried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CorpusError
from seqgen.types import Ids

RESTARTS = 1 / 32  # share of windows that begin with an empty state, at least


class Batch(NamedTuple):
    """One window of every stream."""

    inputs: npt.NDArray[np.int32]  # (B, T)
    targets: npt.NDArray[np.int32]  # (B, T), the inputs one token later
    carry: npt.NDArray[np.float32]  # (B,), 1 where the state goes on, 0 where it is reset


class Batches(Protocol):
    """An endless iterator over batches, and the place that it has come to, as plain data."""

    def __next__(self) -> Batch: ...

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, place: dict[str, Any]) -> None: ...


class TextBatches:
    """Streams that go round one long run of ids `(N,)`, evenly spread over it.

    A stream that comes to the end starts again, up to a window away from the beginning, so that
    its windows are cut elsewhere than last time.

    Now and then a stream's state is reset in mid-text. A network that never meets the empty
    state after its first minutes forgets what to do with it, and every generated text begins there:
    measured, a loss of 1.48 on held-out text, and nothing but rubbish written.

    >>> batches = TextBatches(np.arange(100), batch_size=2, window=3, seed=0)
    >>> next(batches).inputs
    array([[ 0,  1,  2],
           [48, 49, 50]], dtype=int32)
    >>> next(batches).targets[:, 0]
    array([ 4, 52], dtype=int32)
    """

    def __init__(
        self, ids: Ids, batch_size: int, window: int, seed: int, restarts: float = RESTARTS
    ) -> None:
        self.ids = ids
        self.window = window
        self.restarts = restarts
        self.positions = np.arange(batch_size) * (len(ids) - window) // batch_size
        self.random = np.random.default_rng(seed)
        self.carry = np.zeros(batch_size, np.float32)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        wrapped = self.positions + self.window + 1 > len(self.ids)
        latest = min(self.window, len(self.ids) - self.window - 1)
        self.positions[wrapped] = self.random.integers(0, latest + 1, wrapped.sum())
        reset = wrapped | (self.random.random(len(wrapped)) < self.restarts)
        carry = np.where(reset, np.float32(0), self.carry)
        rows = self.ids[self.positions[:, None] + np.arange(self.window + 1)].astype(np.int32)
        self.positions += self.window
        self.carry = np.ones_like(carry)
        return Batch(rows[:, :-1], rows[:, 1:], carry)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs."""
        return {
            "positions": self.positions.tolist(),
            "carry": self.carry.tolist(),
            "random": self.random.bit_generator.state,
        }

    def load_state_dict(self, place: dict[str, Any]) -> None:
        """Go on from another iterator's `state_dict`."""
        self.positions = np.array(place["positions"])
        self.carry = np.array(place["carry"], np.float32)
        self.random.bit_generator.state = place["random"]


class PieceBatches:
    """Streams of pieces in an order that is shuffled again in every pass.

    A piece says nothing of the next, so the order that the corpus has (often the alphabet's)
    must not be learned. Every piece follows an end token, the first one of a stream too. Where a
    window begins with a piece the state is reset, as it does in generation; lest long pieces
    make that rare, a stream now and then leaves the rest of its piece for the next one.

    >>> ids = np.array([1, 2, 0, 3, 0, 4, 4, 4, 0])
    >>> batches = PieceBatches(ids, np.array([0, 3, 5, 9]), 0, batch_size=1, window=9, seed=0)
    >>> sorted(next(batches).targets[0].tolist())
    [0, 0, 0, 1, 2, 3, 4, 4, 4]
    """

    def __init__(
        self,
        ids: Ids,
        bounds: npt.NDArray[np.int64],
        end_id: int,
        batch_size: int,
        window: int,
        seed: int,
        restarts: float = RESTARTS,
        variants: Ids | None = None,
    ) -> None:
        self.ids = ids
        self.bounds = bounds
        self.variants = variants
        self.end_id = end_id
        self.window = window
        self.restarts = restarts
        self.random = np.random.default_rng(seed)
        self._shuffle()
        self.rows = [np.array([end_id], np.int32) for _ in range(batch_size)]

    def __iter__(self) -> Iterator[Batch]:
        return self

    def _shuffle(self) -> None:
        self.before_shuffle = self.random.bit_generator.state
        pieces = len(self.bounds) - 1
        self.order = np.arange(pieces, dtype=np.min_scalar_type(pieces))
        self.random.shuffle(self.order)
        self.taken = 0  # pieces of the order

    def _next_piece(self) -> npt.NDArray[np.int32]:
        if self.taken == len(self.order):
            self._shuffle()
        number = self.order[self.taken]
        self.taken += 1
        piece: npt.NDArray[np.int32]
        piece = self.ids[self.bounds[number] : self.bounds[number + 1]].astype(np.int32)
        if self.variants is None:
            return piece
        while True:
            varied: npt.NDArray[np.int32] = self.variants[self.random.integers(len(self.variants))][
                piece
            ]
            if varied.min() >= 0:
                return varied

    def _fill(self, row: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if len(row) > self.window:
            return row
        parts, length = [row], len(row)
        while length < self.window + 1:
            parts.append(self._next_piece())
            length += len(parts[-1])
        return np.concatenate(parts)

    def __next__(self) -> Batch:
        for i in np.flatnonzero(self.random.random(len(self.rows)) < self.restarts):
            self.rows[i] = np.array([self.end_id], np.int32)
        filled = [self._fill(row) for row in self.rows]
        self.rows = [row[self.window :] for row in filled]
        windows = np.stack([row[: self.window + 1] for row in filled])
        carry = (windows[:, 0] != self.end_id).astype(np.float32)
        return Batch(windows[:, :-1], windows[:, 1:], carry)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs: not the order, which may be long, but the random state
        that it was shuffled with."""
        return {
            "rows": [row.tolist() for row in self.rows],
            "taken": self.taken,
            "before_shuffle": self.before_shuffle,
            "random": self.random.bit_generator.state,
        }

    def load_state_dict(self, place: dict[str, Any]) -> None:
        """Go on from another iterator's `state_dict`."""
        self.rows = [np.array(row, np.int32) for row in place["rows"]]
        self.random.bit_generator.state = place["before_shuffle"]
        self._shuffle()
        self.taken = place["taken"]
        self.random.bit_generator.state = place["random"]


def training_batches(corpus: Corpus, batch_size: int, window: int, seed: int) -> Batches:
    """The streams that fit the corpus.

    Raises:
        CorpusError: the training part is smaller than one batch.
    """
    require_enough(corpus, batch_size, window)
    bounds, end_id = corpus.training_bounds, corpus.vocabulary.end_id
    if bounds is None or end_id is None:
        return TextBatches(corpus.training_ids, batch_size, window, seed)
    return PieceBatches(
        corpus.training_ids, bounds, end_id, batch_size, window, seed, variants=corpus.variants
    )


def require_enough(corpus: Corpus, batch_size: int, window: int) -> None:
    """Raise `CorpusError` if the training part is smaller than one batch."""
    available, needed = corpus.training_length, batch_size * window + 1
    if available < needed:
        raise CorpusError(
            f"{corpus.name}: too little for one batch: {batch_size} streams of {window} tokens "
            f"take {needed:,}, the training part has {available:,}; "
            "name more data, or a smaller batch size or window"
        )


def fitting_size(tokens: int) -> tuple[int, int]:
    """A batch size and a window for a training part of so many tokens.

    The usual 32 and 64, or less where that would make fewer than 8 batches of the whole.

    >>> fitting_size(1_000_000), fitting_size(2_000)
    ((32, 64), (8, 16))
    """
    batch_size, window = 32, 64
    while batch_size * window * 8 > tokens and batch_size > 2:
        if window > batch_size:
            window //= 2
        else:
            batch_size //= 2
    return batch_size, window
