"""Long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqgen.cells.keras_cell import KerasCell
from seqgen.types import Floats


class LSTM(KerasCell):
    """i, f, o = sigmoid(W x + b + U h);  g = tanh(W x + b + U h)
    c' = f * c + i * g;  h' = o * tanh(c')

    h and c are `(units, B)`; the rows of W, U and b are reordered to i, f, o, g.
    """

    keras_layer = "LSTM"
    gates = 4
    states = 2

    def __init__(self, options: Mapping[str, object], *weights: Floats) -> None:
        super().__init__(options, *map(_output_gate_before_candidate, weights))

    def step(self, projected: Floats, state: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """W x + b `(4 units, B)` and (h, c) → (h', c')."""
        hidden, cell_state = state
        units = self.units
        projected += self.recurrent_kernel @ hidden
        gates = self.recurrent_activation(projected[: 3 * units])  # input, forget, output
        candidate = self.activation(projected[3 * units :])
        cell_state = gates[units : 2 * units] * cell_state
        candidate *= gates[:units]
        cell_state += candidate
        return gates[2 * units :] * self.activation(cell_state), cell_state


def _output_gate_before_candidate(array: Floats) -> Floats:
    """Reorder Keras's gates i, f, g, o to i, f, o, g: the three with the same activation are
    then computed in one call."""
    i, f, g, o = np.split(array, 4, axis=-1)
    return np.concatenate((i, f, o, g), axis=-1)
