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

    Backward, with d for the derivative of an activation at its argument:

    dc' += dh' * o * tanh'(c')
    di = dc' * g * i';  df = dc' * c * f';  do = dh' * tanh(c') * o';  dg = dc' * i * g'
    dh = Uᵀ (di, df, do, dg);  dc = dc' * f
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

    def forward(
        self, projected: Floats, state: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """W x + b `(4 units, B)` and (h, c) → (h', c'), and the residuals."""
        hidden, before = state
        units = self.units
        x = projected + self.recurrent_kernel @ hidden
        gates = self.recurrent_activation(x[: 3 * units])
        candidate = self.activation(x[3 * units :])
        after = gates[units : 2 * units] * before + gates[:units] * candidate
        activated = self.activation(after)
        residuals = (hidden, x, gates, candidate, before, after, activated)
        return (gates[2 * units :] * activated, after), residuals

    def backward(
        self, d_state: tuple[Floats, ...], residuals: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], Floats, Floats]:
        """(dh', dc') → (dh, dc), and (di, df, do, dg) for both products."""
        (dh, dc), (_, x, gates, candidate, before, after, activated) = d_state, residuals
        units = self.units
        i, f, o = gates[:units], gates[units : 2 * units], gates[2 * units :]
        dc = dc + dh * o * self.d_activation(after, activated)
        d = np.concatenate((dc * candidate, dc * before, dh * activated, dc * i))
        d[: 3 * units] *= self.d_recurrent_activation(x[: 3 * units], gates)
        d[3 * units :] *= self.d_activation(x[3 * units :], candidate)
        return (self.recurrent_kernel.T @ d, dc * f), d, d

    def keras_weights(self) -> list[Floats]:
        """The parameters, transposed, in Keras's order of the gates."""
        return list(map(_candidate_before_output_gate, super().keras_weights()))


def _output_gate_before_candidate(array: Floats) -> Floats:
    """Reorder Keras's gates i, f, g, o to i, f, o, g: the three with the same activation are
    then computed in one call."""
    i, f, g, o = np.split(array, 4, axis=-1)
    return np.concatenate((i, f, o, g), axis=-1)


def _candidate_before_output_gate(array: Floats) -> Floats:
    """The inverse."""
    i, f, o, g = np.split(array, 4, axis=-1)
    return np.concatenate((i, f, g, o), axis=-1)
