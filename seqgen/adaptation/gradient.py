"""The gradient of a trained network on a part of one stream, in NumPy, without TensorFlow.

For a segment x_1 … x_T of tokens with the tokens y_1 … y_T that follow, and a network with the
embedding E, recurrent layers and the output W_o, b_o,

    p_t = softmax(h_t W_o + b_o),  loss = -Σ_t log p_t(y_t)

where h_t is the output of the last layer. The gradient is

    d_t = p_t - 1[y_t]                                    of the logits, (V,)
    dW_o = Σ_t h_tᵀ d_t;  db_o = Σ_t d_t;  dh_t = d_t W_oᵀ

and then that of the layers, from the last to the first and in each from the last step to the first;
a cell states the equations of its step. The state at the start of the segment is a constant
(truncated backpropagation through time, Williams and Peng 1990).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seqgen.cells import base as cells
from seqgen.cells.base import Cell
from seqgen.config import ModelConfig
from seqgen.types import Floats, Ids

State = tuple[tuple[Floats, ...], ...]  # of every layer, its arrays (units, 1)


def supports(config: ModelConfig) -> bool:
    """Whether a network predicts the next token, and its cell has a gradient in NumPy.

    >>> supports(ModelConfig(cell="gru")), supports(ModelConfig(outputs=3, pooling="last"))
    (True, False)
    """
    cell = cells.get(config.cell)
    return (
        cell.is_differentiable
        and cell.supports(config.cell_options)
        and config.pooling == "none"
        and not config.lags
    )


class LayerTape(NamedTuple):
    """What one layer has stored of a segment."""

    inputs: Floats  # (T, D)
    residuals: list[tuple[Floats, ...]]  # of every step


class Tape(NamedTuple):
    """What `forward` has stored of a segment for `gradients`."""

    ids: Ids  # (T,)
    layers: list[LayerTape]
    hidden: Floats  # (T, units), of the last layer


class DifferentiableNetwork:
    """A network whose parameters may be changed in place.

    Args:
        config: of the network; `supports(config)` is true.
        weights: in Keras's order, see `seqgen.inference.numpy_engine.NumpyEngine`; copied.

    >>> config = ModelConfig(units=2, embedding=1)
    >>> shapes = [shape for shapes in config.weight_shapes(3) for shape in shapes]
    >>> network = DifferentiableNetwork(config, [np.ones(shape) for shape in shapes])
    >>> logits, state, tape = network.forward(np.array([0, 2]), network.initial_state())
    >>> [gradient.shape for gradient in network.gradients(tape, logits)]
    [(3, 1), (8, 1), (8, 2), (8, 1), (2, 3), (3,)]
    """

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        copies = [np.array(array, np.float32) for array in weights]
        self.embedding, *rest, self.output_kernel, self.output_bias = copies
        cell, per_layer = cells.get(config.cell), len(rest) // config.layers
        self.units = config.units
        self.layers: list[Cell] = [
            cell(config.cell_options, *rest[i : i + per_layer])
            for i in range(0, len(rest), per_layer)
        ]

    @property
    def parameters(self) -> list[Floats]:
        """The arrays that `forward` reads, in the shapes of `gradients`."""
        recurrent = [array for layer in self.layers for array in layer.parameters()]
        return [self.embedding, *recurrent, self.output_kernel, self.output_bias]

    def weights(self) -> list[Floats]:
        """A copy of the weights in Keras's order."""
        recurrent = [array for layer in self.layers for array in layer.keras_weights()]
        weights = [self.embedding, *recurrent, self.output_kernel, self.output_bias]
        return [np.array(array, order="C") for array in weights]

    def initial_state(self) -> State:
        """Zeros: the state before the first token."""
        zeros = np.zeros((self.units, 1), np.float32)
        return tuple((zeros,) * layer.states for layer in self.layers)

    def forward(self, ids: Ids, state: State) -> tuple[Floats, State, Tape]:
        """Read a segment.

        Args:
            ids: its tokens `(T,)`.
            state: before it; it is unchanged.

        Returns:
            The logits of the tokens after each of them `(T, V)`, the state after the segment, and
            what `gradients` needs.
        """
        inputs = self.embedding[ids]  # (T, E)
        tapes, after = [], []
        for layer, layer_state in zip(self.layers, state, strict=True):
            projected = inputs @ layer.kernel.T  # (T, gates units)
            if layer.bias is not None:
                projected += layer.bias[:, 0]
            outputs = np.empty((len(ids), self.units), np.float32)
            residuals = []
            for t, row in enumerate(projected):
                layer_state, stored = layer.forward(row[:, None], layer_state)
                residuals.append(stored)
                outputs[t] = layer_state[0][:, 0]
            tapes.append(LayerTape(inputs, residuals))
            after.append(layer_state)
            inputs = outputs
        logits = inputs @ self.output_kernel + self.output_bias
        return logits, tuple(after), Tape(ids, tapes, inputs)

    def gradients(self, tape: Tape, d_logits: Floats) -> list[Floats]:
        """The gradients of the parameters.

        Args:
            tape: of `forward`.
            d_logits: the gradient of the logits, `(T, V)`.
        """
        gradients = [tape.hidden.T @ d_logits, d_logits.sum(axis=0)]
        d_outputs = d_logits @ self.output_kernel.T  # (T, units)
        for layer, stored in zip(self.layers[::-1], tape.layers[::-1], strict=True):
            d_projected, d_recurrent = _backward(layer, stored, d_outputs)
            own = layer.gradients(d_projected, d_recurrent, stored.inputs, stored.residuals)
            gradients = [*own, *gradients]
            d_outputs = d_projected @ layer.kernel  # (T, D), of the layer below
        d_embedding = np.zeros_like(self.embedding)
        np.add.at(d_embedding, tape.ids, d_outputs)
        return [d_embedding, *gradients]


def _backward(layer: Cell, stored: LayerTape, d_outputs: Floats) -> tuple[Floats, Floats]:
    """The gradients of the projected inputs and of the recurrent product, `(T, gates units)`."""
    steps, units = d_outputs.shape
    d_projected, d_recurrent = np.empty((2, steps, len(layer.kernel)), np.float32)
    d_state = (np.zeros((units, 1), np.float32),) * layer.states
    for t in range(steps - 1, -1, -1):
        d_state = (d_state[0] + d_outputs[t][:, None], *d_state[1:])
        d_state, d, d_of_recurrent = layer.backward(d_state, stored.residuals[t])
        d_projected[t], d_recurrent[t] = d[:, 0], d_of_recurrent[:, 0]
    return d_projected, d_recurrent
