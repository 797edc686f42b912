"""The trained network's forward step in NumPy: one token in, the logits of the next out.

A step at a time, a recurrent network is a few products of a small matrix and a vector. Starting
TensorFlow takes longer than writing a page, and its dispatch longer than the products, so
generation does without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from seqgen.activations import ACTIVATIONS, Activation
from seqgen.config import ModelConfig
from seqgen.vocabulary import Ids

Floats = npt.NDArray[Any]  # of float32
State = tuple[Floats, ...]  # each (B, units); per layer one, for an LSTM two: memory and carry

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


class Stepper(Protocol):
    """Anything that can run a network one token at a time."""

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first token."""

    def step(self, ids: Ids, state: Any) -> tuple[Floats, Any]:
        """Ids `(B,)` and state → logits `(B, V)` and the next state."""


class SimpleRNNCell:
    """h' = act(x W + h U + b)"""

    states = 1

    def __init__(self, recurrent_kernel: Floats, options: dict[str, Any]) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.activation = _activation(options, "activation", "tanh")

    def step(self, projected: Floats, state: State) -> State:
        (hidden,) = state
        projected += hidden @ self.recurrent_kernel
        return (self.activation(projected),)


class LSTMCell:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

    states = 2

    def __init__(self, recurrent_kernel: Floats, options: dict[str, Any]) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.activation = _activation(options, "activation", "tanh")
        self.recurrent_activation = _activation(options, "recurrent_activation", "sigmoid")
        self.units = recurrent_kernel.shape[0]

    def step(self, projected: Floats, state: State) -> State:
        hidden, carry = state
        units = self.units
        projected += hidden @ self.recurrent_kernel
        gates = self.recurrent_activation(projected[:, : 3 * units])  # input, forget, output
        candidate = self.activation(projected[:, 3 * units :])
        carry = gates[:, units : 2 * units] * carry
        candidate *= gates[:, :units]
        carry += candidate
        return gates[:, 2 * units :] * self.activation(carry), carry


class GRUCell:
    """Cho et al. 2014; with `reset_after`, as cuDNN computes it and Keras does by default."""

    states = 1

    def __init__(
        self, recurrent_kernel: Floats, recurrent_bias: Floats | None, options: dict[str, Any]
    ) -> None:
        self.units = units = recurrent_kernel.shape[0]
        self.reset_after = options.get("reset_after", True)
        self.recurrent_kernel = recurrent_kernel
        self.recurrent_bias = recurrent_bias
        self.gates_kernel = np.ascontiguousarray(recurrent_kernel[:, : 2 * units])
        self.candidate_kernel = np.ascontiguousarray(recurrent_kernel[:, 2 * units :])
        self.activation = _activation(options, "activation", "tanh")
        self.recurrent_activation = _activation(options, "recurrent_activation", "sigmoid")

    def step(self, projected: Floats, state: State) -> State:
        (hidden,) = state
        units = self.units
        kernel = self.recurrent_kernel if self.reset_after else self.gates_kernel
        recurrent = hidden @ kernel
        if self.recurrent_bias is not None:
            recurrent += self.recurrent_bias
        gates = self.recurrent_activation(projected[:, : 2 * units] + recurrent[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        if self.reset_after:
            proposed = reset * recurrent[:, 2 * units :]
        else:
            proposed = (reset * hidden) @ self.candidate_kernel
        proposed += projected[:, 2 * units :]
        candidate = self.activation(proposed)
        return (candidate + update * (hidden - candidate),)


Cell = SimpleRNNCell | LSTMCell | GRUCell


def knows(config: ModelConfig) -> bool:
    """Whether this module can run the network; otherwise Keras must.

    >>> knows(ModelConfig(cell_options={"activation": "relu"}))
    True
    >>> knows(ModelConfig(cell_options={"activation": "softmax"}))
    False
    """
    options = config.cell_options
    names = [options.get(name) for name in ("activation", "recurrent_activation")]
    return options.keys() <= KNOWN_CELL_OPTIONS and all(
        name is None or (isinstance(name, str) and name in ACTIVATIONS) for name in names
    )


class Runtime:
    """A network as NumPy arrays.

    Args:
        config: what the network is made of.
        weights: in Keras's order: embedding `(V, E)`; per recurrent layer kernel, recurrent
            kernel and, with `use_bias`, bias; kernel `(U, V)` and bias `(V,)` of the output.

    >>> config = ModelConfig(cell="simple_rnn", units=2, embedding=1)
    >>> shapes = [(3, 1), (1, 2), (2, 2), (2,), (2, 3), (3,)]
    >>> runtime = Runtime(config, [np.ones(shape, np.float32) for shape in shapes])
    >>> logits, state = runtime.step(np.array([0, 2]), runtime.initial_state(2))
    >>> logits.shape, state[0].shape
    ((2, 3), (2, 2))
    """

    def __init__(self, config: ModelConfig, weights: Sequence[Floats]) -> None:
        self.config = config
        embedding, *rest, self.output_kernel, self.output_bias = weights
        per_layer = len(rest) // config.layers
        self.cells: list[Cell] = []
        self.kernels: list[Floats] = []
        self.biases: list[Floats | None] = []
        for i in range(0, len(rest), per_layer):
            self._add_layer(*rest[i : i + per_layer])
        self.embedding: Floats | None = None
        if len(embedding) * self.kernels[0].shape[1] <= LARGEST_TABLE:
            self.table = self._project(0, embedding)  # token → its input product
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
            cell = LSTMCell(_output_gate_before_candidate(recurrent_kernel), options)
        elif self.config.cell == "gru":
            recurrent_bias = None
            if bias is not None and bias.ndim == 2:  # reset_after: one for each product
                bias, recurrent_bias = bias
            cell = GRUCell(recurrent_kernel, recurrent_bias, options)
        else:
            cell = SimpleRNNCell(recurrent_kernel, options)
        self.cells.append(cell)
        self.kernels.append(kernel)
        self.biases.append(bias)

    def _project(self, layer: int, inputs: Floats) -> Floats:
        projected: Floats = inputs @ self.kernels[layer]
        bias = self.biases[layer]
        if bias is not None:
            projected += bias
        return projected

    def initial_state(self, batch_size: int) -> State:
        """Zeros: the state before the first token."""
        shape = (batch_size, self.config.units)
        return tuple(np.zeros(shape, np.float32) for cell in self.cells for _ in range(cell.states))

    def step(self, ids: Ids, state: State) -> tuple[Floats, State]:
        """Ids `(B,)` and state → logits `(B, V)` and the next state; the one given is kept."""
        after: State = ()
        hidden: Floats = np.empty(0, np.float32)
        for i, cell in enumerate(self.cells):
            if i:
                projected = self._project(i, hidden)
            elif self.embedding is None:
                projected = self.table[ids]
            else:
                projected = self._project(0, self.embedding[ids])
            layer_state = cell.step(projected, state[len(after) : len(after) + cell.states])
            hidden = layer_state[0]
            after += layer_state
        logits = hidden @ self.output_kernel
        logits += self.output_bias
        return logits, after


def _output_gate_before_candidate(array: Floats) -> Floats:
    """Keras's gates are input, forget, candidate, output; side by side, the three that share
    an activation take one call instead of two."""
    first, forget, candidate, output = np.split(array, 4, axis=-1)
    return np.concatenate((first, forget, output, candidate), axis=-1)


def _activation(options: dict[str, Any], name: str, default: str) -> Activation:
    return ACTIVATIONS[options.get(name, default)]
