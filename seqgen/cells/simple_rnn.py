"""The simple recurrent network (Elman 1990)."""

from __future__ import annotations

from seqgen.cells.keras_cell import KerasCell
from seqgen.types import Floats


class SimpleRNN(KerasCell):
    """h' = act(W x + b + U h), with h `(units, B)` and U `(units, units)`.

    Backward: d = dh' * act'(W x + b + U h);  dh = Uᵀ d
    """

    keras_layer = "SimpleRNN"
    gates = 1

    def step(self, projected: Floats, state: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """W x + b `(units, B)` and (h,) → (h',)."""
        (hidden,) = state
        projected += self.recurrent_kernel @ hidden
        return (self.activation(projected),)

    def forward(
        self, projected: Floats, state: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """W x + b `(units, B)` and (h,) → (h',), and h, the sum, h'."""
        (hidden,) = state
        projected = projected + self.recurrent_kernel @ hidden
        after = self.activation(projected)
        return (after,), (hidden, projected, after)

    def backward(
        self, d_state: tuple[Floats, ...], residuals: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], Floats, Floats]:
        """dh' → dh, and d for both products."""
        _, projected, after = residuals
        d = d_state[0] * self.d_activation(projected, after)
        return (self.recurrent_kernel.T @ d,), d, d
