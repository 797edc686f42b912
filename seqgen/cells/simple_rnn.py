"""The simple recurrent network (Elman 1990)."""

from __future__ import annotations

from seqgen.cells.keras_cell import KerasCell
from seqgen.types import Floats


class SimpleRNN(KerasCell):
    """h' = act(W x + b + U h), with h `(units, B)` and U `(units, units)`."""

    keras_layer = "SimpleRNN"
    gates = 1

    def step(self, projected: Floats, state: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """W x + b `(units, B)` and (h,) → (h',)."""
        (hidden,) = state
        projected += self.recurrent_kernel @ hidden
        return (self.activation(projected),)
