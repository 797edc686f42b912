"""Gated recurrent unit (Cho et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping

from seqgen.cells.keras_cell import KerasCell
from seqgen.types import Floats


class GRU(KerasCell):
    """z, r = sigmoid(W x + b + U h + b_r)
    g = tanh(W x + b + r * (U h + b_r))  with `reset_after`, as in cuDNN; the default of Keras
    g = tanh(W x + b + U (r * h))        without
    h' = z * h + (1 - z) * g

    h is `(units, B)`; the rows of W, U, b and b_r are z, r, g. Only `reset_after` has b_r.
    """

    keras_layer = "GRU"
    gates = 3

    def __init__(self, options: Mapping[str, object], *weights: Floats) -> None:
        self.recurrent_bias: Floats | None = None
        if len(weights) == 3 and weights[2].ndim == 2:  # reset_after: a bias for each product
            kernel, recurrent_kernel, (bias, recurrent_bias) = weights
            self.recurrent_bias = recurrent_bias[:, None]
            weights = kernel, recurrent_kernel, bias
        super().__init__(options, *weights)
        self.reset_after = options.get("reset_after", True)
        self.gates_kernel = self.recurrent_kernel[: 2 * self.units]
        self.candidate_kernel = self.recurrent_kernel[2 * self.units :]

    @classmethod
    def weight_shapes(
        cls, inputs: int, units: int, options: Mapping[str, object]
    ) -> list[tuple[int, ...]]:
        """As of every cell, but with two biases if `reset_after`."""
        *kernels, last = super().weight_shapes(inputs, units, options)
        if options.get("use_bias", True) and options.get("reset_after", True):
            last = (2, *last)
        return [*kernels, last]

    def step(self, projected: Floats, state: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """W x + b `(3 units, B)` and (h,) → (h',)."""
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
