"""The forward step of a trained network in NumPy: token ids in, logits of the next tokens out.

One step of a recurrent network is a few products of a small matrix and a vector. Importing
TensorFlow takes longer than generating a page, and its dispatch longer than these products, so
generation does not use it. `seqgen.inference.c_engine` is faster where it is available.

Arrays are transposed: a column for each of the `B` streams, the gates as blocks of rows. Every gate
is then contiguous in memory, and OpenBLAS multiplies up to twice as fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqgen.config import ModelConfig
from seqgen.inference.activations import ACTIVATIONS, Activation
from seqgen.types import Floats, Ids

State = tuple[Floats, ...]  # each (units, B); per layer one, for an LSTM two: memory and carry

# A larger table (vocabulary by gates) would cost more to make and hold than it saves.
LARGEST_TABLE = 1 << 24

# What does not change the forward step, or is read below.
KNOWN_CELL_OPTIONS = frozenset(
    f"{weight}_{kind}"
    for weight in ("kernel", "recurrent", "bias")
    for kind in ("initializer", "regularizer", "constraint")
) | {
    "activation",
    "activity_regularizer",
    "dropout",
    "recurrent_activation",
    "recurrent_dropout",
    "reset_after",
    "seed",
    "unit_forget_bias",
    "use_bias",
    "use_cudnn",
}


class SimpleRNNCell:
    """h' = act(W x + b + U h)

    In `step`, `projected` is W x + b, `(units, B)`; U is `(units, units)`, h `(units, B)`."""

    states = 1

    def __init__(self, recurrent_kernel: Floats, options: dict[str, Any]) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.activation = _activation(options, "activation", "tanh")

    def step(self, projected: Floats, state: State) -> State:
        (hidden,) = state
        projected += self.recurrent_kernel @ hidden
        return (self.activation(projected),)


class LSTMCell:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    i, f, o = sigmoid(W x + b + U h);  g = tanh(W x + b + U h)
    c' = f * c + i * g;  h' = o * tanh(c')

    In `step`, `projected` is W x + b, `(4 units, B)`, its rows in the order i, f, o, g; h and c are
    `(units, B)`.
    """

    states = 2

    def __init__(self, recurrent_kernel: Floats, options: dict[str, Any]) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.activation = _activation(options, "activation", "tanh")
        self.recurrent_activation = _activation(options, "recurrent_activation", "sigmoid")
        self.units = recurrent_kernel.shape[1]

    def step(self, projected: Floats, state: State) -> State:
        hidden, cell_state = state
        units = self.units
        projected += self.recurrent_kernel @ hidden
        gates = self.recurrent_activation(projected[: 3 * units])  # input, forget, output
        candidate = self.activation(projected[3 * units :])
        cell_state = gates[units : 2 * units] * cell_state
        candidate *= gates[:units]
        cell_state += candidate
        return gates[2 * units :] * self.activation(cell_state), cell_state


class GRUCell:
    """Cho et al. 2014; with `reset_after`, as cuDNN computes it and Keras does by default.

    z, r = sigmoid(W x + b + U h + b_r)
    g = tanh(W x + b + r * (U h + b_r))  with `reset_after`, else  tanh(W x + b + U (r * h))
    h' = z * h + (1 - z) * g

    In `step`, `projected` is W x + b, `(3 units, B)`, its rows in the order z, r, g; h is
    `(units, B)`.
    """

    states = 1

    def __init__(
        self, recurrent_kernel: Floats, recurrent_bias: Floats | None, options: dict[str, Any]
    ) -> None:
        self.units = units = recurrent_kernel.shape[1]
        self.reset_after = options.get("reset_after", True)
        self.recurrent_kernel = recurrent_kernel
        self.recurrent_bias = recurrent_bias
        self.gates_kernel = recurrent_kernel[: 2 * units]
        self.candidate_kernel = recurrent_kernel[2 * units :]
        self.activation = _activation(options, "activation", "tanh")
        self.recurrent_activation = _activation(options, "recurrent_activation", "sigmoid")

    def step(self, projected: Floats, state: State) -> State:
        (hidden,) = state
        units = self.units
        recurrent = (self.recurrent_kernel if self.reset_after else self.gates_kernel) @ hidden
        if self.recurrent_bias is not None:
            recurrent += self.recurrent_bias
        gates = self.recurrent_activation(projected[: 2 * units] + recurrent[: 2 * units])
        update, reset = gates[:units], gates[units:]
        if self.reset_after:
            proposed = reset * recurrent[2 * units :]
        else:
            proposed = self.candidate_kernel @ (reset * hidden)
        proposed += projected[2 * units :]
        candidate = self.activation(proposed)
        return (candidate + update * (hidden - candidate),)


Cell = SimpleRNNCell | LSTMCell | GRUCell


def supports(config: ModelConfig) -> bool:
    """Whether this module can run the network; otherwise Keras must.

    >>> supports(ModelConfig(cell_options={"activation": "relu"}))
    True
    >>> supports(ModelConfig(cell_options={"activation": "softmax"}))
    False
    """
    options = config.cell_options
    names = [options.get(name) for name in ("activation", "recurrent_activation")]
    return options.keys() <= KNOWN_CELL_OPTIONS and all(
        name is None or (isinstance(name, str) and name in ACTIVATIONS) for name in names
    )


class NumpyEngine:
    """A network as NumPy arrays.

    Args:
        config: what the network is made of.
        weights: in Keras's order: embedding `(V, E)`; per recurrent layer kernel, recurrent
            kernel and, with `use_bias`, bias; kernel `(U, V)` and bias `(V,)` of the output.

    >>> config = ModelConfig(cell="simple_rnn", units=2, embedding=1)
    >>> shapes = [(3, 1), (1, 2), (2, 2), (2,), (2, 3), (3,)]
    >>> runtime = NumpyEngine(config, [np.ones(shape, np.float32) for shape in shapes])
    >>> logits, state = runtime.step(np.array([0, 2]), runtime.initial_state(2))
    >>> logits.shape, state[0].shape
    ((2, 3), (2, 2))
    """

    is_batch_invariant = False  # products of other shapes are rounded otherwise

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        self.config = config
        embedding, *rest, output_kernel, output_bias = weights
        self.output_kernel = _on_its_side(output_kernel)
        self.output_bias = output_bias[:, None]
        per_layer = len(rest) // config.layers
        self.cells: list[Cell] = []
        self.kernels: list[Floats] = []
        self.biases: list[Floats | None] = []
        for i in range(0, len(rest), per_layer):
            self._add_layer(*rest[i : i + per_layer])
        self.embedding: Floats | None = None
        if len(embedding) * len(self.kernels[0]) <= LARGEST_TABLE:
            # Token → its input product: side by side for many streams, each in one piece for one.
            self.columns = self._project(0, embedding.T)
            self.rows = _on_its_side(self.columns)
        else:
            self.embedding = embedding

    def _add_layer(
        self, kernel: Floats, recurrent_kernel: Floats, bias: Floats | None = None
    ) -> None:
        options = self.config.cell_options
        cell: Cell
        if self.config.cell == "lstm":
            kernel = _output_gate_before_candidate(kernel)
            bias = None if bias is None else _output_gate_before_candidate(bias)
            recurrent_kernel = _output_gate_before_candidate(recurrent_kernel)
            cell = LSTMCell(_on_its_side(recurrent_kernel), options)
        elif self.config.cell == "gru":
            recurrent_bias = None
            if bias is not None and bias.ndim == 2:  # reset_after: one for each product
                bias, recurrent_bias = bias
                recurrent_bias = recurrent_bias[:, None]
            cell = GRUCell(_on_its_side(recurrent_kernel), recurrent_bias, options)
        else:
            cell = SimpleRNNCell(_on_its_side(recurrent_kernel), options)
        self.cells.append(cell)
        self.kernels.append(_on_its_side(kernel))
        self.biases.append(None if bias is None else bias[:, None])

    def _project(self, layer: int, inputs: Floats) -> Floats:
        projected: Floats = self.kernels[layer] @ inputs
        bias = self.biases[layer]
        if bias is not None:
            projected += bias
        return projected

    def _looked_up(self, ids: Ids) -> Floats:
        return self.rows[ids].T if len(ids) == 1 else self.columns.take(ids, axis=1)

    def initial_state(self, batch_size: int) -> State:
        """Zeros: the state before the first token."""
        shape = (self.config.units, batch_size)
        return tuple(np.zeros(shape, np.float32) for cell in self.cells for _ in range(cell.states))

    def step(self, ids: Ids, state: State) -> tuple[Floats, State]:
        """Ids `(B,)` and state → logits `(B, V)` and the next state; the one given is kept."""
        after: State = ()
        hidden: Floats = np.empty(0, np.float32)
        for i, cell in enumerate(self.cells):
            if i:
                projected = self._project(i, hidden)
            elif self.embedding is None:
                projected = self._looked_up(ids)
            else:
                projected = self._project(0, self.embedding[ids].T)
            layer_state = cell.step(projected, state[len(after) : len(after) + cell.states])
            hidden = layer_state[0]
            after += layer_state
        logits = self.output_kernel @ hidden
        logits += self.output_bias
        return logits.T, after

    def gather_state(self, state: State, rows: Ids) -> State:
        """The state of these of the streams, of one as often as it is named."""
        return tuple(each[:, rows] for each in state)


def _on_its_side(matrix: Floats) -> Floats:
    return np.ascontiguousarray(matrix.T)


def _output_gate_before_candidate(array: Floats) -> Floats:
    """Keras's gates are input, forget, candidate, output; side by side, the three that share
    an activation take one call instead of two."""
    first, forget, candidate, output = np.split(array, 4, axis=-1)
    return np.concatenate((first, forget, output, candidate), axis=-1)


def _activation(options: dict[str, Any], name: str, default: str) -> Activation:
    return ACTIVATIONS[options.get(name, default)]
