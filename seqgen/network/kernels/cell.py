"""What a kind of layer does in a step, and how the gradient goes back through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqgen.network.backend import tf
from seqgen.network.kernels.operations import Tensor, columns, gradient_of_weights

Array = Any  # a TensorArray


class Cell:
    """A kind of layer, with its weights.

    Args:
        recurrent_kernel: `(units, gates)`, in the precision of the products.
        bias: that of the layer.
        batch_size: B.
    """

    kept: int  # how much a step forward leaves for the one backward: so many of (units, B)

    def __init__(self, recurrent_kernel: Tensor, bias: Tensor, batch_size: int) -> None:
        self.recurrent_kernel = recurrent_kernel
        self.bias = bias
        self.transposed = tf.transpose(recurrent_kernel)  # as a step forward wants it
        self.units, self.rows = recurrent_kernel.shape  # rows of the gradient of a step's sums
        self.batch_size = batch_size
        self.biases = columns(bias, batch_size)

    def forward(self, x: Tensor, written: Tensor, *state: Tensor) -> tuple[list[Tensor], Any]:
        """A step.

        Args:
            x: the product of its input, `(gates, B)`.
            written: the output of the step before, in the precision of the products.
            state: of the step before, in float32; the output comes first.

        Returns:
            The state, and what is kept.
        """
        raise NotImplementedError

    def backward(self, d_state: list[Tensor], *kept: Tensor) -> tuple[list[Tensor], Tensor]:
        """The gradient of a step's state → that of the state before, and that of its sums."""
        raise NotImplementedError

    def parts(self, d: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the gradient of the sums that the input's product feeds, and the recurrent
        one's."""
        return d, d

    def gradient_of_bias(self, d: Tensor) -> Tensor:
        """From the gradient of the sums, summed over all, `(rows,)`."""
        return d

    def gradient_of_recurrent_kernel(self, before: Tensor, d: Tensor, kept: Sequence[Array]) -> Any:
        """From the outputs one step earlier, `(units, T, B)`, and the gradient of the sums."""
        return gradient_of_weights(before, d)
