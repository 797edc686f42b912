"""A step of an LSTM, forward and backward."""

from __future__ import annotations

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Cell
from seqgen.network.kernels.operations import d_sigmoid, d_tanh, float32, product
from seqgen.types import Tensor


class LSTM(Cell):
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.

    Forward, with x the input's product W x `(4 units, B)` and h, c `(units, B)`:

        i, f, o = sigmoid(W x + U h + b);  g = tanh(W x + U h + b)
        c' = f * c + i * g;  h' = o * tanh(c')

    Backward, from dh' and dc':

        dc' += dh' * o * (1 - tanh(c')^2)
        di = dc' * g * i (1 - i);  df = dc' * c * f (1 - f)
        dg = dc' * i * (1 - g^2);  do = dh' * tanh(c') * o (1 - o)
        dh = U^T (di, df, dg, do);  dc = dc' * f
    """

    residuals = 6
    native = "lstm"

    def forward(
        self, x: Tensor, previous_output: Tensor, _: Tensor, before: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        units = self.units
        x = tf.add_n((float32(x), product(self.transposed, previous_output), self.biases))
        i, f = tf.split(tf.sigmoid(x[: 2 * units]), 2)
        candidate = tf.tanh(x[2 * units : 3 * units])
        o = tf.sigmoid(x[3 * units :])
        c = f * before + i * candidate
        activated = tf.tanh(c)
        return [o * activated, c], [i, f, candidate, o, before, activated]

    def backward(self, d_state: list[Tensor], *residuals: Tensor) -> tuple[list[Tensor], Tensor]:
        dh, dc = d_state
        i, f, candidate, o, before, activated = residuals
        dc += d_tanh(activated, dh * o)
        d = tf.concat(
            (
                d_sigmoid(i, dc * candidate),
                d_sigmoid(f, dc * before),
                d_tanh(candidate, dc * i),
                d_sigmoid(o, dh * activated),
            ),
            0,
        )
        return [product(self.recurrent_kernel, d), dc * f], d
