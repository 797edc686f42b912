"""The training part as batches of whole pieces, each of which has a class.

The pieces of a batch are of similar lengths, so that little of it is padding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.padding import padded
from seqgen.errors import CorpusError
from seqgen.types import Array, Floats, Json

JITTER = 0.05  # share by which lengths vary before they are sorted, so that batches differ


class LabelledBatch(NamedTuple):
    """Whole pieces, padded at their end with zeros."""

    inputs: Array  # ids (B, T) in int32, or numbers (B, T, D) in float32
    targets: npt.NDArray[np.int32]  # (B,), the class of every piece
    lengths: npt.NDArray[np.int32]  # (B,), steps without padding
    weights: Floats  # (B,), of the losses; 0 for rows that fill up a batch


def labelled_batch(corpus: Corpus, pieces: Sequence[int] | Array, batch_size: int) -> LabelledBatch:
    """A batch of pieces; rows that are missing repeat the first piece, with the weight 0.

    Args:
        corpus: its pieces have classes.
        pieces: their numbers, from 1 to `batch_size` of them.
        batch_size: number of rows.
    """
    assert corpus.targets is not None
    pieces = np.asarray(pieces)
    rows = np.concatenate((pieces, np.repeat(pieces[:1], batch_size - len(pieces))))
    read = [corpus.piece(number) for number in rows]
    lengths = np.array([len(each) for each in read], np.int32)
    inputs = padded(read).astype(np.int32 if corpus.ids.ndim == 1 else np.float32)
    targets = corpus.targets[rows].astype(np.int32)
    weights = np.ones(batch_size, np.float32)
    if corpus.target_weights is not None:
        weights = corpus.target_weights[targets].astype(np.float32)
    weights[len(pieces) :] = 0
    return LabelledBatch(inputs, targets, lengths, weights)


class SequenceBatches:
    """Batches of the pieces of a training part; every epoch has another order.

    Args:
        corpus: its pieces have classes.
        batch_size: number of pieces in a batch.
        seed: of the random order.
        token_dropout: share of the tokens that are replaced by `<unk>` (word dropout, Iyyer et al.
            2015), so that no single one decides; numbers have none.
    """

    def __init__(
        self, corpus: Corpus, batch_size: int, seed: int, token_dropout: float = 0.0
    ) -> None:
        assert corpus.bounds is not None
        unknown = corpus.vocabulary.unknown_id
        self.token_dropout = 0.0 if unknown is None else token_dropout
        self.unknown = unknown
        self.corpus = corpus
        self.batch_size = batch_size
        self.random = np.random.default_rng(seed)
        self.lengths = np.diff(corpus.bounds[: corpus.training_pieces + 1])  # (P,)
        if not len(self.lengths):
            raise CorpusError(f"{corpus.name}: the training part has no piece; add data")
        self._shuffle()

    def __iter__(self) -> Iterator[LabelledBatch]:
        return self

    def _shuffle(self) -> None:
        """Start an epoch: sort the pieces by their length, about, and shuffle the batches."""
        self.before_shuffle = self.random.bit_generator.state  # for `state_dict`
        jitter = 1 + JITTER * self.random.random(len(self.lengths))
        order = np.argsort(self.lengths * jitter, kind="stable")
        # The incomplete batch is another one in every epoch.
        first = int(self.random.integers(self.batch_size))
        cuts = np.arange(first, len(order), self.batch_size)
        batches = [batch for batch in np.split(order, cuts) if len(batch)]
        self.order = [batches[i] for i in self.random.permutation(len(batches))]
        self.used = 0

    def __next__(self) -> LabelledBatch:
        if self.used == len(self.order):
            self._shuffle()
        batch = self.order[self.used]
        self.used += 1
        drawn = labelled_batch(self.corpus, batch, self.batch_size)
        if self.token_dropout:
            shape = drawn.inputs.shape  # in padding it has no effect
            drawn.inputs[self.random.random(shape) < self.token_dropout] = self.unknown
        return drawn

    def state_dict(self) -> Json:
        """Plain data for `load_state_dict`."""
        return {
            "taken": self.used,
            "before_shuffle": self.before_shuffle,
            "random": self.random.bit_generator.state,
        }

    def load_state_dict(self, saved: Json) -> None:
        """Continue from the `state_dict` of another iterator.

        Raises:
            ValueError: it is not one of this corpus.
        """
        self.random.bit_generator.state = saved["before_shuffle"]
        self._shuffle()
        if saved["taken"] > len(self.order):
            raise ValueError(f"batches: expected at most {len(self.order)} batches")
        self.used = saved["taken"]
        self.random.bit_generator.state = saved["random"]


def fitting_batch_size(pieces: int) -> int:
    """A batch size for a training part of `pieces` pieces: about 8 batches, and at most 64 rows.

    Multiples of 16 run in C.

    >>> fitting_batch_size(50), fitting_batch_size(270), fitting_batch_size(10_000)
    (16, 32, 64)
    """
    return next((size for size in (64, 32) if pieces >= 8 * size), 16)
