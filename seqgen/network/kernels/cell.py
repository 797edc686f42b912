"""One step of a recurrent cell, forward and backward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from seqgen.network.backend import tf
from seqgen.network.kernels.operations import columns, gradient_of_weights
from seqgen.types import Tensor

Array: TypeAlias = "tf.TensorArray"


class Cell:
    """A recurrent cell with its weights. Subclasses state their equations.

    Args:
        recurrent_kernel: `(units, gates)`, in the precision of the products.
        bias: that of the layer.
        batch_size: B.
    """

    residuals: int  # number of arrays (units, B) that `forward` stores for `backward`
    native: str | None = None  # its name in `seqgen.native.CELLS`, if C has its loops

    def __init__(self, recurrent_kernel: Tensor, bias: Tensor, batch_size: int) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.bias = bias
        self.transposed = tf.transpose(recurrent_kernel)  # the left factor of the forward product
        self.units, self.rows = recurrent_kernel.shape  # rows: of the pre-activations
        self.batch_size = batch_size
        self.biases = columns(bias, batch_size)

    def forward(
        self, x: Tensor, previous_output: Tensor, *state: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """One step.

        Args:
            x: the product of kernel and input, `(gates, B)`.
            previous_output: of the step before, `(units, B)`, in the precision of the products.
            state: of the step before, each `(units, B)` in float32; the output comes first.

        Returns:
            The new state, and the residuals.
        """
        raise NotImplementedError

    def backward(self, d_state: list[Tensor], *residuals: Tensor) -> tuple[list[Tensor], Tensor]:
        """Gradients of the new state → those of the state before, and of the pre-activations
        `(rows, B)`."""
        raise NotImplementedError

    def parts(self, d: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the pre-activations' gradient that belong to the input's product, and those
        that belong to the recurrent product."""
        return d, d

    def gradient_of_bias(self, d: Tensor) -> Tensor:
        """From the pre-activations' gradient summed over time and batch, `(rows,)`."""
        return d

    def gradient_of_recurrent_kernel(
        self, before: Tensor, d: Tensor, residuals: Sequence[Array]
    ) -> Tensor:
        """From the previous outputs `(units, T, B)` and the pre-activations' gradient."""
        return gradient_of_weights(before, d)
