"""A step of a SimpleRNN, forward and backward."""

from __future__ import annotations

from typing import Any

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Cell
from seqgen.network.kernels.operations import Tensor, d_tanh, float32, product


class SimpleRNN(Cell):
    """Elman 1990."""

    kept = 1

    def forward(self, x: Tensor, written: Tensor, _: Tensor) -> tuple[list[Tensor], Any]:
        h = tf.tanh(tf.add_n((float32(x), product(self.transposed, written), self.biases)))
        return [h], [h]

    def backward(self, d_state: list[Tensor], *kept: Tensor) -> tuple[list[Tensor], Tensor]:
        d = d_tanh(kept[0], d_state[0])
        return [product(self.recurrent_kernel, d)], d
