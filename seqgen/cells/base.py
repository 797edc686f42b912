"""The base class of recurrent cells, and the registry of cells.

A cell is one class: its Keras layer, which trains and is saved, and optionally its step in NumPy,
which generates without TensorFlow, and the gradient of this step, with which a trained network
adapts to a text. Without a step, Keras generates. Faster code for training
(`seqgen.network.kernels`) and in C (`seqgen/native`) is optional, too.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from seqgen.errors import ConfigError

if TYPE_CHECKING:
    from seqgen.types import Floats, Layer

# Cell → the module and class that implement it, imported on first use, so that help is instant.
_CELLS: dict[str, str | type[Cell]] = {
    "lstm": "seqgen.cells.lstm:LSTM",
    "gru": "seqgen.cells.gru:GRU",
    "simple_rnn": "seqgen.cells.simple_rnn:SimpleRNN",
}


class Cell:
    """A recurrent cell, and one layer of it as NumPy arrays.

    Arrays are transposed: a column for each of `B` streams, and the gates as blocks of rows, which
    are contiguous then. `step` gets the projected inputs W x + b.

    Attributes:
        keras_layer: the name of a class of `keras.layers`, or a layer class with the arguments
            `units`, `return_sequences`, `return_state` and the cell options.
        gates: number of blocks of `units` rows in the kernel.
        states: number of arrays `(units, B)` that pass from step to step; the output comes first.
        kernel: `(gates units, D)`.
        bias: `(gates units, 1)`, or None.
        is_differentiable: whether `forward`, `backward`, `gradients`, `parameters` and
            `keras_weights` exist.
    """

    keras_layer: ClassVar[str | type[Layer]]
    gates: ClassVar[int]
    states: ClassVar[int] = 1
    is_differentiable: ClassVar[bool] = False
    kernel: Floats
    bias: Floats | None = None

    def __init__(self, options: Mapping[str, object], *weights: Floats) -> None:
        """Prepare the weights of one layer.

        Args:
            options: arguments of the Keras layer other than `units`.
            weights: those of the Keras layer, in its order: kernel `(D, gates units)`, recurrent
                kernel `(units, gates units)` and, with `use_bias`, bias.
        """
        raise NotImplementedError

    @classmethod
    def weight_shapes(
        cls, inputs: int, units: int, options: Mapping[str, object]
    ) -> list[tuple[int, ...]]:
        """The shapes of the weights of one layer, in the order of the Keras layer.

        Kernel, recurrent kernel and, with `use_bias`, a bias; a cell with other weights overrides
        this.

        Args:
            inputs: the size D of its inputs.
            units: its units.
            options: arguments of the Keras layer other than `units`.
        """
        gates = cls.gates * units
        kernels: list[tuple[int, ...]] = [(inputs, gates), (units, gates)]
        return [*kernels, (gates,)] if options.get("use_bias", True) else kernels

    @classmethod
    def supports(cls, options: Mapping[str, object]) -> bool:
        """Whether `step` exists and knows the options."""
        return False

    def step(self, projected: Floats, state: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """One step.

        Args:
            projected: W x + b, `(gates units, B)`; may be overwritten.
            state: after the step before, each `(units, B)`; not changed.

        Returns:
            The new state.
        """
        raise NotImplementedError

    def forward(
        self, projected: Floats, state: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """As `step`; returns the new state, and what `backward` needs: the residuals."""
        raise NotImplementedError

    def backward(
        self, d_state: tuple[Floats, ...], residuals: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], Floats, Floats]:
        """The gradient of one step.

        Args:
            d_state: that of the new state, each `(units, B)`.
            residuals: of `forward`.

        Returns:
            That of the state before; of the projected inputs, and of the results of the recurrent
            product, each `(gates units, B)`.
        """
        raise NotImplementedError

    def gradients(
        self,
        d_projected: Floats,
        d_recurrent: Floats,
        inputs: Floats,
        residuals: Sequence[tuple[Floats, ...]],
    ) -> list[Floats]:
        """The gradients of the parameters, summed over the steps of one stream.

        Args:
            d_projected: from `backward`, a row for every step, `(T, gates units)`.
            d_recurrent: from `backward`, `(T, gates units)`.
            inputs: `(T, D)`.
            residuals: of every step.

        Returns:
            In the order and the shapes of `parameters`.
        """
        raise NotImplementedError

    def parameters(self) -> list[Floats]:
        """The arrays that `step` and `forward` read: changes of their elements take effect."""
        raise NotImplementedError

    def keras_weights(self) -> list[Floats]:
        """The weights as `__init__` takes them."""
        raise NotImplementedError


def register(name: str, cell: str | type[Cell]) -> None:
    """Add a cell.

    Args:
        name: in configurations and on the command line.
        cell: the class, or `"module:Class"`, imported on first use.
    """
    _CELLS[name] = cell


def unregister(name: str) -> None:
    """Remove a cell."""
    _CELLS.pop(name, None)


def names() -> tuple[str, ...]:
    """The names of all cells.

    >>> names()[:3]
    ('lstm', 'gru', 'simple_rnn')
    """
    return tuple(_CELLS)


def get(name: str) -> type[Cell]:
    """The cell of that name.

    Raises:
        ConfigError: there is no such cell.

    >>> get("lstm").gates
    4
    """
    cell = _CELLS.get(name)
    if cell is None:
        raise ConfigError(f"cell: expected one of {', '.join(_CELLS)}, got {name!r}")
    if isinstance(cell, str):
        module, _, attribute = cell.partition(":")
        cell = _CELLS[name] = getattr(importlib.import_module(module), attribute)
    return cell
