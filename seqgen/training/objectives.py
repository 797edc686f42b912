"""What a network is trained to predict: the next token at every step, or the class of a piece.

An objective makes the batches, the forward pass, its loss and the validation of a run. Which one it
is follows from the corpus; the rest of the training does not ask.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from seqgen.config import TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.network.backend import tf
from seqgen.network.build import initial_state
from seqgen.network.forward import Forward
from seqgen.network.pooled import PooledForward, input_shape
from seqgen.training.batches import training_batches
from seqgen.training.sequence_batches import SequenceBatches
from seqgen.training.sequence_validation import SequenceValidation
from seqgen.training.validation import Validation
from seqgen.types import Network, Tensor

Parts = tuple[Tensor, ...]  # of a batch


class Objective(Protocol):
    """What a network is trained to predict."""

    @property
    def forward(self) -> Callable[..., Any]:
        """Network, rows, masks and precision → the forward pass."""

    def batches(self, corpus: Corpus, config: TrainConfig) -> Any:
        """An endless iterator over batches, see `seqgen.training.batches.Batches`."""

    def tokens_per_step(self, corpus: Corpus, config: TrainConfig) -> int:
        """The number of steps of sequences in a batch, of which an epoch has a whole number."""

    def initial_state(self, network: Network, batch_size: int) -> list[Tensor]:
        """The recurrent state before the first batch; empty if batches are independent."""

    def signature(self, network: Network, batch_size: int) -> list[tf.TensorSpec] | None:
        """The shapes of a batch; None if they are always the same."""

    def loss(
        self, forward: Any, batch: Parts, state: list[Tensor], shard: int
    ) -> tuple[Tensor, list[Tensor]]:
        """The mean loss of a batch in nats, and the state after it."""

    def validation(self, network: Network, corpus: Corpus, clock: Callable[[], float]) -> Any:
        """Scores the validation part, see `seqgen.training.validation.Validation`."""


class NextToken:
    """The next token, at every step; batches are windows of streams that continue."""

    forward = Forward

    def batches(self, corpus: Corpus, config: TrainConfig) -> Any:
        """Windows of streams."""
        return training_batches(corpus, config.batch_size, config.window, config.seed)

    def tokens_per_step(self, corpus: Corpus, config: TrainConfig) -> int:
        """The tokens of a batch of windows."""
        return config.batch_size * config.window

    def initial_state(self, network: Network, batch_size: int) -> list[Tensor]:
        """Zeros."""
        return initial_state(network, batch_size)

    def signature(self, network: Network, batch_size: int) -> list[tf.TensorSpec] | None:
        """All batches have the same shape."""
        return None

    def loss(
        self, forward: Any, batch: Parts, state: list[Tensor], shard: int
    ) -> tuple[Tensor, list[Tensor]]:
        """The mean over all tokens; `batch` is a `seqgen.training.batches.Batch`."""
        inputs, targets, keep_state = batch
        state = [tensor * keep_state[:, None] for tensor in state]
        logits, state = forward(inputs, state, shard)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(losses), state

    def validation(self, network: Network, corpus: Corpus, clock: Callable[[], float]) -> Any:
        """Every token of the validation part."""
        return Validation(network, corpus.ids, corpus.training_length, clock, corpus.inputs)


class PieceClass:
    """The class of a piece; batches are whole pieces."""

    forward = PooledForward

    def batches(self, corpus: Corpus, config: TrainConfig) -> Any:
        """Whole pieces, of similar lengths."""
        return SequenceBatches(corpus, config.batch_size, config.seed, config.token_dropout)

    def tokens_per_step(self, corpus: Corpus, config: TrainConfig) -> int:
        """The mean number of steps in a batch, without padding."""
        batches = math.ceil(corpus.training_pieces / config.batch_size)
        return max(round(corpus.training_length / batches), 1)

    def initial_state(self, network: Network, batch_size: int) -> list[Tensor]:
        """None: pieces are independent."""
        return []

    def signature(self, network: Network, batch_size: int) -> list[tf.TensorSpec] | None:
        """Batches have different lengths."""
        _, *shape = input_shape(network)
        dtype = tf.float32 if len(shape) > 1 else tf.int32
        return [
            tf.TensorSpec((batch_size, *shape), dtype),
            tf.TensorSpec((batch_size,), tf.int32),
            tf.TensorSpec((batch_size,), tf.int32),
            tf.TensorSpec((batch_size,), tf.float32),
        ]

    def loss(
        self, forward: Any, batch: Parts, state: list[Tensor], shard: int
    ) -> tuple[Tensor, list[Tensor]]:
        """The weighted mean; `batch` is a `seqgen.training.sequence_batches.LabelledBatch`."""
        inputs, targets, lengths, weights = batch
        logits = forward(inputs, lengths, shard)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        return tf.reduce_mean(losses * weights), state

    def validation(self, network: Network, corpus: Corpus, clock: Callable[[], float]) -> Any:
        """Every piece of the validation part."""
        return SequenceValidation(network, corpus, clock)


def objective_of(corpus: Corpus) -> Objective:
    """The class of a piece, if the pieces of the corpus have classes; otherwise the next token."""
    return NextToken() if corpus.targets is None else PieceClass()
