"""A step of a SimpleRNN, forward and backward."""

from __future__ import annotations

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Cell
from seqgen.network.kernels.operations import d_tanh, float32, product
from seqgen.types import Tensor


class SimpleRNN(Cell):
    """Elman 1990.

    Forward, with x the input's product W x and h `(units, B)`: h' = tanh(W x + U h + b).
    Backward: d = dh' * (1 - h'^2);  dh = U^T d.
    """

    residuals = 1
    native = "simple_rnn"

    def forward(
        self, x: Tensor, previous_output: Tensor, _: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        h = tf.tanh(tf.add_n((float32(x), product(self.transposed, previous_output), self.biases)))
        return [h], [h]

    def backward(self, d_state: list[Tensor], *residuals: Tensor) -> tuple[list[Tensor], Tensor]:
        d = d_tanh(residuals[0], d_state[0])
        return [product(self.recurrent_kernel, d)], d
