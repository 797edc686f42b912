"""Gated recurrent unit (Cho et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqgen.cells.keras_cell import KerasCell
from seqgen.types import Floats


class GRU(KerasCell):
    """z, r = sigmoid(W x + b + U h + b_r)
    g = tanh(W x + b + r * (U h + b_r))  with `reset_after`, as in cuDNN; the default of Keras
    g = tanh(W x + b + U (r * h))        without
    h' = z * h + (1 - z) * g

    h is `(units, B)`; the rows of W, U, b and b_r are z, r, g. Only `reset_after` has b_r.

    Backward, with z', r', g' for the derivatives of the activations at their arguments, and U_zr,
    U_g for the rows of U:

    dg = dh' * (1 - z) * g';  dz = dh' * (h - g) * z'
    dr = dg * (U_g h + b_r) * r';  dh = dh' * z + Uᵀ (dz, dr, dg * r)         with `reset_after`
    e = U_gᵀ dg;  dr = e * h * r';  dh = dh' * z + e * r + U_zrᵀ (dz, dr)       without
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

    def forward(
        self, projected: Floats, state: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """W x + b `(3 units, B)` and (h,) → (h',), and the residuals."""
        (hidden,) = state
        units = self.units
        recurrent = (self.recurrent_kernel if self.reset_after else self.gates_kernel) @ hidden
        if self.recurrent_bias is not None:
            recurrent += self.recurrent_bias
        x = projected[: 2 * units] + recurrent[: 2 * units]
        gates = self.recurrent_activation(x)
        update, reset = gates[:units], gates[units:]
        # What the candidate's kernel gives, which is reset; or what is reset before it.
        inner = recurrent[2 * units :] if self.reset_after else reset * hidden
        proposed = reset * inner if self.reset_after else self.candidate_kernel @ inner
        proposed += projected[2 * units :]
        candidate = self.activation(proposed)
        after = candidate + update * (hidden - candidate)
        return (after,), (hidden, x, gates, inner, proposed, candidate)

    def backward(
        self, d_state: tuple[Floats, ...], residuals: tuple[Floats, ...]
    ) -> tuple[tuple[Floats, ...], Floats, Floats]:
        """dh' → dh, and the gradients (dz, dr, dg) of the two products."""
        (dh,), (hidden, x, gates, inner, proposed, candidate) = d_state, residuals
        units = self.units
        update, reset = gates[:units], gates[units:]
        dg = dh * (1 - update) * self.d_activation(proposed, candidate)
        left = None if self.reset_after else self.candidate_kernel.T @ dg
        d_reset = dg * inner if left is None else left * hidden
        d_gates = np.concatenate((dh * (hidden - candidate), d_reset))
        d_gates *= self.d_recurrent_activation(x, gates)
        d = np.concatenate((d_gates, dg))
        if left is None:
            d_recurrent = np.concatenate((d_gates, dg * reset))
            return (dh * update + self.recurrent_kernel.T @ d_recurrent,), d, d_recurrent
        return (dh * update + left * reset + self.gates_kernel.T @ d_gates,), d, d

    def gradients(
        self,
        d_projected: Floats,
        d_recurrent: Floats,
        inputs: Floats,
        residuals: Sequence[tuple[Floats, ...]],
    ) -> list[Floats]:
        """As of every cell; without `reset_after`, U_g multiplies r * h."""
        gradients = super().gradients(d_projected, d_recurrent, inputs, residuals)
        if not self.reset_after:
            inner = np.concatenate([each[3] for each in residuals], axis=1)  # (units, T)
            candidate = slice(2 * self.units, None)
            gradients[1][candidate] = d_recurrent[:, candidate].T @ inner.T
        if self.recurrent_bias is not None:
            gradients.append(d_recurrent.sum(axis=0)[:, None])
        return gradients

    def parameters(self) -> list[Floats]:
        """As of every cell, then the bias of the recurrent product, if there is one."""
        biases = [] if self.recurrent_bias is None else [self.recurrent_bias]
        return [*super().parameters(), *biases]

    def keras_weights(self) -> list[Floats]:
        """The parameters, transposed; two biases are one array."""
        weights = super().keras_weights()
        if self.recurrent_bias is not None:
            weights[2:] = [np.stack([each[:, 0] for each in self.parameters()[2:]])]
        return weights
