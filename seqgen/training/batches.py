"""The training part as batches of windows `(B, T)`: each row of a batch is a stream.

Each window of a stream starts where the previous one ended, so that the recurrent state continues.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from seqgen.config import TrainConfig
from seqgen.corpus.corpus import Corpus, Variants
from seqgen.errors import CorpusError
from seqgen.training.sequence_batches import fitting_batch_size
from seqgen.types import Ids, Json

RESTARTS = 1 / 32  # probability that the state of a stream is reset before a window


class Batch(NamedTuple):
    """One window of every stream."""

    inputs: npt.NDArray[np.int32]  # (B, T), with lags (B, T, F)
    targets: npt.NDArray[np.int32]  # (B, T), the token after each input
    keep_state: npt.NDArray[np.float32]  # (B,), 1 where the state continues, 0 where it is reset


class Batches(Protocol):
    """An endless iterator over batches, whose position can be saved as plain data."""

    def __next__(self) -> Batch: ...

    def state_dict(self) -> Json: ...

    def load_state_dict(self, saved: Json) -> None: ...


class TextBatches:
    """Streams over one sequence of ids `(N,)`, which start evenly spaced.

    A stream that reaches the end starts again at a random position in the first window, so that its
    windows begin at other positions than before.

    At random windows the state of a stream is reset. Every generated text starts from the zero
    state, and a network that meets it only at the start of training forgets how to continue from
    it: without resets, a network with a loss of 1.48 on held-out text generated nonsense.

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
        self.keep_state = np.zeros(batch_size, np.float32)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        wrapped = self.positions + self.window + 1 > len(self.ids)
        latest = min(self.window, len(self.ids) - self.window - 1)
        self.positions[wrapped] = self.random.integers(0, latest + 1, wrapped.sum())
        reset = wrapped | (self.random.random(len(wrapped)) < self.restarts)
        keep_state = np.where(reset, np.float32(0), self.keep_state)
        rows = self.ids[self.positions[:, None] + np.arange(self.window + 1)].astype(np.int32)
        self.positions += self.window
        self.keep_state = np.ones_like(keep_state)
        return Batch(rows[:, :-1], rows[:, 1:], keep_state)

    def state_dict(self) -> Json:
        """Plain data for `load_state_dict`."""
        return {
            "positions": self.positions.tolist(),
            "carry": self.keep_state.tolist(),  # the name in checkpoints
            "random": self.random.bit_generator.state,
        }

    def load_state_dict(self, saved: Json) -> None:
        """Continue from the `state_dict` of another iterator.

        Raises:
            ValueError: it is not one of this corpus and batch size.
        """
        streams = len(self.positions)
        if len(saved["positions"]) != streams or len(saved["carry"]) != streams:
            raise ValueError(f"batches: expected {streams} positions")
        self.positions = np.array(saved["positions"])
        self.keep_state = np.array(saved["carry"], np.float32)
        self.random.bit_generator.state = saved["random"]


class PieceBatches:
    """Streams of pieces, which are shuffled again in every epoch.

    Pieces are independent, so their order in the corpus (often alphabetical) must not be learned.
    Every piece follows an end token, even the first one of a stream. If a window starts with a
    piece, the state is reset, as it is in generation. Long pieces would make this rare, so at
    random windows a stream drops the rest of its piece and starts the next one.

    Args:
        ids: all pieces, `(N,)`, or with lags `(N, F)`, see `seqgen.corpus.lags`.
        bounds: `(P + 1,)`, where pieces begin and end in `ids`.
        end_id: the last id of every piece.
        batch_size: number of streams.
        window: length of a window.
        seed: of the random order, resets and variants.
        restarts: probability that a stream drops the rest of its piece.
        variants: rows of `ids` of a piece and a random generator → those of a variant, used
            whenever a piece is read; None to read pieces as they are.
        size: number of different ids, variants included; by default that of `ids`.

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
        variants: Variants | None = None,
        size: int | None = None,
    ) -> None:
        self.ids = ids
        self.bounds = bounds
        self.variants = variants
        self.size = int(ids.max()) + 1 if size is None else size
        self.end_id = end_id
        self.window = window
        self.restarts = restarts
        self.random = np.random.default_rng(seed)
        self._shuffle()
        self.end: npt.NDArray[np.int32] = ids[bounds[1] - 1 : bounds[1]].astype(np.int32)
        # The ids of each stream that are read but not yet returned; the first one is the last
        # target, which is the next input.
        self.rows = [self.end] * batch_size

    def __iter__(self) -> Iterator[Batch]:
        return self

    def _shuffle(self) -> None:
        """Start an epoch: draw a new order of the pieces."""
        self.before_shuffle = self.random.bit_generator.state  # for `state_dict`
        pieces = len(self.bounds) - 1
        self.order = np.arange(pieces, dtype=np.min_scalar_type(pieces))
        self.random.shuffle(self.order)
        self.used = 0  # pieces of the order that have been used

    def _next_piece(self) -> npt.NDArray[np.int32]:
        """The ids of the next piece, or of a variant if there are any."""
        if self.used == len(self.order):
            self._shuffle()
        number = self.order[self.used]
        self.used += 1
        piece = self.ids[self.bounds[number] : self.bounds[number + 1]]
        if self.variants is not None:
            piece = self.variants(piece, self.random)
        return piece.astype(np.int32)

    def _fill(self, row: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Append pieces to the ids of a stream until they are more than a window."""
        if len(row) > self.window:
            return row
        parts, length = [row], len(row)
        while length < self.window + 1:
            parts.append(self._next_piece())
            length += len(parts[-1])
        return np.concatenate(parts)

    def __next__(self) -> Batch:
        for i in np.flatnonzero(self.random.random(len(self.rows)) < self.restarts):
            self.rows[i] = self.end  # drops the rest of the piece
        filled = [self._fill(row) for row in self.rows]
        self.rows = [row[self.window :] for row in filled]
        windows = np.stack([row[: self.window + 1] for row in filled])
        ids = windows if windows.ndim == 2 else windows[:, :, 0]  # without the lags
        keep_state = (ids[:, 0] != self.end_id).astype(np.float32)
        return Batch(windows[:, :-1], ids[:, 1:], keep_state)

    def state_dict(self) -> Json:
        """Plain data for `load_state_dict`.

        The order of the pieces may be long, so the random state before the shuffle is saved
        instead.
        """
        return {
            "rows": [row.ravel().tolist() for row in self.rows],
            "taken": self.used,  # the name in checkpoints
            "before_shuffle": self.before_shuffle,
            "random": self.random.bit_generator.state,
        }

    def load_state_dict(self, saved: Json) -> None:
        """Continue from the `state_dict` of another iterator.

        Raises:
            ValueError: it is not one of this corpus and batch size.
        """
        shape = (-1, *self.end.shape[1:])
        rows = [np.array(row, np.int32).reshape(shape) for row in saved["rows"]]
        largest = max((int(row.max(initial=0)) for row in rows), default=0)
        if len(rows) != len(self.rows) or largest >= self.size:
            raise ValueError(f"batches: expected {len(self.rows)} rows of ids below {self.size}")
        if saved["taken"] > len(self.order):
            raise ValueError(f"batches: expected at most {len(self.order)} pieces")
        self.rows = rows
        self.random.bit_generator.state = saved["before_shuffle"]
        self._shuffle()
        self.used = saved["taken"]
        self.random.bit_generator.state = saved["random"]


def training_batches(corpus: Corpus, batch_size: int, window: int, seed: int) -> Batches:
    """Batches of a corpus: of pieces if it has any, of one sequence otherwise.

    Raises:
        CorpusError: the training part is smaller than one batch.
    """
    require_enough(corpus, batch_size, window)
    bounds, end_id = corpus.network_bounds, corpus.vocabulary.end_id
    if bounds is None or end_id is None:
        return TextBatches(corpus.network_ids, batch_size, window, seed)
    inputs = corpus.inputs[: corpus.training_length]
    size = len(corpus.vocabulary) * (1 if inputs.ndim == 1 else inputs.shape[1])
    variants = _variants_of_inputs(corpus)
    return PieceBatches(
        inputs, bounds, end_id, batch_size, window, seed, variants=variants, size=size
    )


def _variants_of_inputs(corpus: Corpus) -> Variants | None:
    """The variants of a corpus, as what the network reads.

    With lags, the last token of the vocabulary stands for the tokens before a variant. So the
    network can tell it from a piece, and generates pieces (the augmentation labels of Karras et al.
    2022): otherwise what it generates is as blurred as turned pictures are.
    """
    variants = corpus.variants
    if variants is None or corpus.inputs.ndim == 1:
        return variants
    size = len(corpus.vocabulary)
    nothing = size * np.arange(1, corpus.inputs.shape[1])  # token 0 of every lag

    def variants_with_lags(rows: Ids, random: np.random.Generator) -> Ids:
        ids = rows[:, 0]
        varied = variants(ids, random)
        if varied is ids:
            return rows
        result = corpus.with_lags(varied)
        lags = result[:-1, 1:]  # a view; the end token belongs to the next piece
        lags[lags == nothing] += size - 1
        return result

    return variants_with_lags


def require_enough(corpus: Corpus, batch_size: int, window: int) -> None:
    """Raise `CorpusError` if the training part is smaller than one batch of windows."""
    if corpus.targets is not None:  # a batch of whole pieces is filled up
        return
    available, needed = len(corpus.network_ids), batch_size * window + 1
    if available < needed:
        raise CorpusError(
            f"{corpus.name}: too little for one batch: {batch_size} streams of {window} tokens "
            f"need {needed:,}, the training part has {available:,}; "
            "use more data, or a smaller batch size or window"
        )


def fitting_sizes(corpus: Corpus) -> tuple[int, int]:
    """A batch size and a window for a corpus; of whole pieces, the window has no effect."""
    if corpus.targets is None:
        return fitting_size(corpus.training_length)
    return fitting_batch_size(corpus.training_pieces), TrainConfig.window


def fitting_size(tokens: int) -> tuple[int, int]:
    """A batch size and a window for a training part of `tokens` tokens.

    These are 32 and 64, or less if the training part has fewer than 8 batches of this size.

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
