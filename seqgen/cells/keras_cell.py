"""The common part of the steps in NumPy of Keras's own cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seqgen.cells.activations import ACTIVATIONS, DERIVATIVES
from seqgen.cells.base import Cell
from seqgen.types import Floats

DEFAULT_ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}

# Arguments of Keras's layers that do not change the step, or that the cells read.
KNOWN_OPTIONS = frozenset(
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


class KerasCell(Cell):
    """A cell of Keras, with any activation that works on each element alone.

    The residuals of a step begin with the output before it, which the recurrent kernel multiplies.
    """

    is_differentiable = True

    def __init__(
        self,
        options: Mapping[str, object],
        kernel: Floats,
        recurrent_kernel: Floats,
        bias: Floats | None = None,
    ) -> None:
        self.kernel = transposed(kernel)
        self.recurrent_kernel = transposed(recurrent_kernel)  # (gates units, units)
        self.bias = None if bias is None else bias[:, None]
        self.units = len(recurrent_kernel)
        name, recurrent = (_activation(options, kind) for kind in DEFAULT_ACTIVATIONS)
        self.activation, self.d_activation = ACTIVATIONS[name], DERIVATIVES[name]
        self.recurrent_activation = ACTIVATIONS[recurrent]
        self.d_recurrent_activation = DERIVATIVES[recurrent]

    @classmethod
    def supports(cls, options: Mapping[str, object]) -> bool:
        """Whether the options are known, and the activations are in `ACTIVATIONS`."""
        names = [options.get(name) for name in DEFAULT_ACTIVATIONS]
        return options.keys() <= KNOWN_OPTIONS and all(
            name is None or (isinstance(name, str) and name in ACTIVATIONS) for name in names
        )

    def gradients(
        self,
        d_projected: Floats,
        d_recurrent: Floats,
        inputs: Floats,
        residuals: Sequence[tuple[Floats, ...]],
    ) -> list[Floats]:
        """dW = d xᵀ, dU = d hᵀ and db = d, summed over the steps."""
        before = np.concatenate([each[0] for each in residuals], axis=1)  # (units, T)
        gradients = [d_projected.T @ inputs, d_recurrent.T @ before.T]
        if self.bias is not None:
            gradients.append(d_projected.sum(axis=0)[:, None])
        return gradients

    def parameters(self) -> list[Floats]:
        """Kernel, recurrent kernel and, with `use_bias`, bias."""
        weights = [self.kernel, self.recurrent_kernel]
        return weights if self.bias is None else [*weights, self.bias]

    def keras_weights(self) -> list[Floats]:
        """The parameters, transposed."""
        kernel, recurrent_kernel, *bias = self.parameters()
        return [kernel.T, recurrent_kernel.T, *(each[:, 0] for each in bias)]


def uses_default_activations(options: Mapping[str, object]) -> bool:
    """Whether a layer with these options has tanh, and sigmoid for its gates.

    >>> uses_default_activations({"use_bias": False})
    True
    >>> uses_default_activations({"activation": "relu"})
    False
    """
    return all(options.get(name, value) == value for name, value in DEFAULT_ACTIVATIONS.items())


def _activation(options: Mapping[str, object], name: str) -> str | None:
    activation = options.get(name, DEFAULT_ACTIVATIONS[name])
    assert activation is None or isinstance(activation, str)  # as `supports` requires
    return activation


def transposed(matrix: Floats) -> Floats:
    """A contiguous transpose: OpenBLAS multiplies it up to twice as fast."""
    return np.ascontiguousarray(matrix.T)
