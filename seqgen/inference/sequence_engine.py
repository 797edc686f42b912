"""Classification of whole sequences with a trained network, without TensorFlow.

Sequences are read longest first, so that the sequences which have not ended at a step are the first
columns: padding costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from seqgen.cells import base as cells
from seqgen.cells.base import Cell
from seqgen.cells.keras_cell import transposed
from seqgen.config import BUCKETS, ModelConfig
from seqgen.corpus.ngrams import ngram_rows
from seqgen.corpus.padding import padded
from seqgen.inference import numpy_engine
from seqgen.inference.numpy_engine import project
from seqgen.types import Array, Floats
from seqgen.utils.softmax import softmax

MOST_NUMBERS = 1 << 23  # of the projected inputs of a batch
MOST_SEQUENCES = 256  # in a batch

Numbers = npt.NDArray[np.int64]


class SequenceEngine(Protocol):
    """Classifies sequences: ids `(T,)`, or numbers `(T, D)`, of at least one step."""

    def probabilities(self, sequences: Sequence[Array]) -> Floats:
        """The probabilities `(N, K)` of the classes of every sequence."""

    def course(self, sequence: Array) -> Floats:
        """The probabilities `(T, K)` after every step, as if the sequence ended there."""


def choose(config: ModelConfig, weights: Sequence[Floats]) -> SequenceEngine:
    """NumPy's engine, or that of Keras for cell options that NumPy does not have."""
    if numpy_engine.supports(config):
        return NumpySequenceEngine(config, weights)
    from seqgen.inference.keras_sequence_engine import KerasSequenceEngine

    return KerasSequenceEngine(config, weights)


class NumpySequenceEngine:
    """A network with pooling as NumPy arrays.

    Args:
        config: of the network.
        weights: in the order of `ModelConfig.weight_shapes`.

    >>> config = ModelConfig(units=2, embedding=1, pooling="last", outputs=3)
    >>> weights = [np.ones(shape) for shapes in config.weight_shapes(5) for shape in shapes]
    >>> engine = NumpySequenceEngine(config, weights)
    >>> engine.probabilities([np.array([1, 2]), np.array([3])]).shape
    (2, 3)
    """

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        *rest, self.output_kernel, self.output_bias = weights
        self.embedding, *rest = rest
        self.input_bias: Floats | None = None
        if config.inputs == "numbers":
            self.input_bias, *rest = rest
        cell, per_cell = cells.get(config.cell), len(rest) // (config.layers * config.directions)
        parts = [
            cell(config.cell_options, *rest[i : i + per_cell])
            for i in range(0, len(rest), per_cell)
        ]
        self.layers = [
            parts[i : i + config.directions] for i in range(0, len(parts), config.directions)
        ]
        self.takes_mean = config.pooling == "mean"
        self.units = config.units
        self.ngrams = config.ngrams
        self.tables: list[Floats] = []  # (V, gates units), the projections of all tokens
        size = len(self.embedding) * len(parts[0].kernel)
        reads_tokens = self.input_bias is None and self.ngrams == 1
        if reads_tokens and size <= numpy_engine.LARGEST_TABLE:
            self.tables = [transposed(project(part, self.embedding.T)) for part in self.layers[0]]

    def probabilities(self, sequences: Sequence[Array]) -> Floats:
        """As `SequenceEngine.probabilities`."""
        lengths = np.array([len(sequence) for sequence in sequences])
        order = np.argsort(-lengths, kind="stable")
        result = np.empty((len(sequences), len(self.output_bias)), np.float32)
        first = 0
        while first < len(order):
            most = MOST_NUMBERS // (max(int(lengths[order[first]]), 1) * 4 * self.units)
            rows = order[first : first + min(max(most, 1), MOST_SEQUENCES)]
            pooled = self._pooled([sequences[row] for row in rows])  # (W, B)
            result[rows] = softmax(pooled.T @ self.output_kernel + self.output_bias)
            first += len(rows)
        return result

    def course(self, sequence: Array) -> Floats:
        """As `SequenceEngine.course`; a bidirectional network reads every beginning again."""
        if len(self.layers[0]) > 1:
            return self.probabilities([sequence[:end] for end in range(1, len(sequence) + 1)])
        (outputs,) = self._outputs([sequence])  # (T, units, 1)
        states = outputs[:, :, 0]
        if self.takes_mean:
            states = np.cumsum(states, axis=0) / np.arange(1, len(states) + 1)[:, None]
        return softmax(states @ self.output_kernel + self.output_bias)

    def _pooled(self, sequences: Sequence[Array]) -> Floats:
        """What the output layer reads `(W, B)`, of sequences in order of falling lengths."""
        lengths = np.array([len(sequence) for sequence in sequences])
        outputs = self._outputs(sequences)  # of every direction (T, units, B)
        if self.takes_mean:
            return np.concatenate([each.sum(axis=0) / lengths for each in outputs])
        columns = np.arange(len(lengths))
        return np.concatenate([each[lengths - 1, :, columns].T for each in outputs])

    def _outputs(self, sequences: Sequence[Array]) -> list[Floats]:
        """The outputs of the last layer in every direction, `(T, units, B)`, in the order in which
        the direction reads; 0 after the end of a sequence."""
        lengths = np.array([len(sequence) for sequence in sequences])
        counts = np.array([(lengths > step).sum() for step in range(lengths[0])])
        x: Floats = np.zeros((0, 0, 0), np.float32)
        outputs: list[Floats] = []
        for number, layer in enumerate(self.layers):
            if number:
                backwards = [_reversed(each, lengths) for each in outputs[1:]]
                x = np.concatenate([outputs[0], *backwards], axis=1)  # (T, W, B)
            outputs = []
            for direction, part in enumerate(layer):
                if number:
                    read = _reversed(x, lengths) if direction else x
                    projected = _projected_steps(part, read)
                else:
                    projected = self._first(sequences, direction, part)
                outputs.append(_run(part, projected, counts, self.units))
        return outputs

    def _first(self, sequences: Sequence[Array], direction: int, part: Cell) -> Floats:
        """The projected inputs `(T, gates units, B)` of the first layer in one direction."""
        if self.ngrams > 1:
            sequences = [self._ngram_rows(sequence) for sequence in sequences]  # (T, F)
        if direction:
            sequences = [sequence[::-1] for sequence in sequences]
        inputs = padded(sequences)  # (B, T, …)
        if self.tables:
            projected: Floats = self.tables[direction][inputs].transpose(1, 2, 0)
            return projected
        if self.input_bias is None:
            x = self.embedding[inputs]
            x = x.sum(axis=2) if self.ngrams > 1 else x
        else:
            x = inputs @ self.embedding + self.input_bias
        return _projected_steps(part, x.transpose(1, 2, 0))

    def _ngram_rows(self, sequence: Array) -> Array:
        ids, size = np.asarray(sequence, np.int32)[None], len(self.embedding) - BUCKETS
        rows: Array = ngram_rows(ids, self.ngrams, size, np)[0]
        return rows


def _projected_steps(cell: Cell, inputs: Floats) -> Floats:
    """W x + b: `(T, D, B)` → `(T, gates units, B)`."""
    steps, width, batch = inputs.shape
    columns = inputs.transpose(1, 0, 2).reshape(width, steps * batch)
    projected: Floats = project(cell, columns).reshape(-1, steps, batch).transpose(1, 0, 2)
    return projected


def _reversed(x: Floats, lengths: Numbers) -> Floats:
    """Sequences `(T, D, B)` reversed, without their padding."""
    steps = np.arange(len(x))[:, None]
    places = np.where(steps < lengths, lengths - 1 - steps, steps)  # (T, B)
    return np.take_along_axis(x, places[:, None, :], axis=0)


def _run(cell: Cell, projected: Floats, counts: Numbers, units: int) -> Floats:
    """All steps of a layer: `(T, gates units, B)` → the outputs `(T, units, B)`.

    Args:
        cell: the layer.
        projected: its projected inputs.
        counts: the number of sequences `(T,)` that have not ended at every step.
        units: of the layer.
    """
    steps, _, batch = projected.shape
    outputs = np.zeros((steps, units, batch), np.float32)
    state = tuple(np.zeros((units, batch), np.float32) for _ in range(cell.states))
    for step, count in enumerate(counts):
        state = tuple(array[:, :count] for array in state)
        state = cell.step(np.array(projected[step, :, :count]), state)
        outputs[step, :, :count] = state[0]
    return outputs
