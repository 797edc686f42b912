"""The forward step of a trained network in NumPy: token ids in, logits of the next tokens out.

One step of a recurrent network is a few products of a small matrix and a vector. Importing
TensorFlow takes longer than generating a page, and its dispatch longer than these products, so
generation does not use it. `seqgen.inference.c_engine` is faster where it is available.

Arrays are transposed, see `seqgen.cells.base.Cell`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seqgen.cells import base as cells
from seqgen.cells.base import Cell
from seqgen.cells.keras_cell import transposed
from seqgen.config import ModelConfig
from seqgen.inference.engine import WARM_UP
from seqgen.types import Floats, Ids

State = tuple[Floats, ...]  # the states (units, B) of every layer

# Elements of a table (V, gates units) above which it costs more time and memory than it saves.
LARGEST_TABLE = 1 << 24


def supports(config: ModelConfig) -> bool:
    """Whether the cell has a step in NumPy for its options; otherwise Keras runs the network.

    >>> supports(ModelConfig(cell_options={"activation": "relu"}))
    True
    >>> supports(ModelConfig(cell_options={"activation": "softmax"}))
    False
    """
    return cells.get(config.cell).supports(config.cell_options)


class NumpyEngine:
    """A network as NumPy arrays.

    Args:
        config: of the network.
        weights: in Keras's order: embedding `(V, E)`, with lags `(F V, E)`; per recurrent layer
            kernel, recurrent kernel and, with `use_bias`, bias; kernel `(units, V)` and bias `(V,)`
            of the output.

    >>> config = ModelConfig(cell="simple_rnn", units=2, embedding=1)
    >>> shapes = [(3, 1), (1, 2), (2, 2), (2,), (2, 3), (3,)]
    >>> engine = NumpyEngine(config, [np.ones(shape, np.float32) for shape in shapes])
    >>> logits, state = engine.step(np.array([0, 2]), engine.initial_state(2))
    >>> logits.shape, state[0].shape
    ((2, 3), (2, 2))
    """

    is_batch_invariant = False  # the rounding of a product depends on its shape
    warm_up = WARM_UP

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        embedding, *rest, output_kernel, output_bias = weights
        self.units = config.units
        self.output_kernel = transposed(output_kernel)
        self.output_bias = output_bias[:, None]
        cell, per_layer = cells.get(config.cell), len(rest) // config.layers
        self.layers = [
            cell(config.cell_options, *rest[i : i + per_layer])
            for i in range(0, len(rest), per_layer)
        ]
        self.embedding: Floats | None = None
        size = len(embedding) * len(self.layers[0].kernel)
        if size <= LARGEST_TABLE and not config.lags:
            # Token → its projection: as columns for many streams, as contiguous rows for one.
            self.columns = project(self.layers[0], embedding.T)
            self.rows = transposed(self.columns)
        else:
            self.embedding = embedding

    def _look_up(self, ids: Ids) -> Floats:
        return self.rows[ids].T if len(ids) == 1 else self.columns.take(ids, axis=1)

    def initial_state(self, batch_size: int) -> State:
        """Zeros: the state before the first token."""
        states = sum(cell.states for cell in self.layers)
        return tuple(np.zeros((self.units, batch_size), np.float32) for _ in range(states))

    def step(self, ids: Ids, state: State) -> tuple[Floats, State]:
        """As `Engine.step`: ids `(B,)`, with lags `(B, F)`, and state → logits and next state."""
        after: State = ()
        hidden: Floats = np.empty(0, np.float32)
        for i, cell in enumerate(self.layers):
            if i:
                projected = project(cell, hidden)
            elif self.embedding is None:
                projected = self._look_up(ids)
            else:
                projected = project(cell, summed(self.embedding[ids]).T)
            layer_state = cell.step(projected, state[len(after) : len(after) + cell.states])
            hidden = layer_state[0]
            after += layer_state
        logits = self.output_kernel @ hidden
        logits += self.output_bias
        return logits.T, after

    def gather_state(self, state: State, rows: Ids) -> State:
        """The state of the streams `rows` `(N,)`; a stream may occur several times."""
        return tuple(array[:, rows] for array in state)

    def concatenate_states(self, states: Sequence[State]) -> State:
        """One state of all streams of several states, in order."""
        return tuple(np.concatenate(arrays, axis=1) for arrays in zip(*states, strict=True))


def summed(rows: Floats) -> Floats:
    """Rows of the tokens `(B, D)` as they are; with lags `(B, F, D)`, their sum over F."""
    return np.asarray(rows.sum(axis=1)) if rows.ndim == 3 else rows


def project(cell: Cell, inputs: Floats) -> Floats:
    """The projected inputs W x + b of a cell: `(D, B)` → `(gates units, B)`."""
    projected: Floats = cell.kernel @ inputs
    if cell.bias is not None:
        projected += cell.bias
    return projected
