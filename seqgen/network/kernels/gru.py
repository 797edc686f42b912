"""A step of a GRU, forward and backward: with the reset gate after the recurrent product, as in
cuDNN, or before it."""

from __future__ import annotations

from collections.abc import Sequence

from seqgen.network.backend import tf
from seqgen.network.kernels.cell import Array, Cell
from seqgen.network.kernels.operations import (
    columns,
    d_sigmoid,
    d_tanh,
    float32,
    gradient_of_weights,
    product,
)
from seqgen.types import Tensor


class GRUResetAfter(Cell):
    """The form that Keras and cuDNN use; its bias is `(2, gates)`, one for each product.

    Forward, with x the input's product W x `(3 units, B)` and h `(units, B)`:

        z, r = sigmoid(W x + b + U h + b_r);  g = tanh(W x + b + r * (U h + b_r))
        h' = z * h + (1 - z) * g

    Backward, from dh':

        dg = dh' * (1 - z) * (1 - g^2);  dz = dh' * (h - g) * z (1 - z)
        dr = dg * (U h + b_r) * r (1 - r);  dh = dh' * z + U^T (dz, dr, dg * r)

    The gradients of the two products' sums differ in the candidate's rows; a step backward gives
    those of both gates, then the candidate's of the recurrent product, then of the input's.
    """

    residuals = 5
    native = "gru"

    def __init__(self, recurrent_kernel: Tensor, bias: Tensor, batch_size: int) -> None:
        bias = tf.broadcast_to(bias, (2, recurrent_kernel.shape[1]))
        super().__init__(recurrent_kernel, bias[0], batch_size)
        self.bias = bias
        self.recurrent_biases = columns(bias[1], batch_size)
        self.rows = 4 * self.units

    def forward(
        self, x: Tensor, previous_output: Tensor, before: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        units = self.units
        x = float32(x) + self.biases
        recurrent = product(self.transposed, previous_output) + self.recurrent_biases
        z, r = tf.split(tf.sigmoid(x[: 2 * units] + recurrent[: 2 * units]), 2)
        recurrent = recurrent[2 * units :]
        candidate = tf.tanh(x[2 * units :] + r * recurrent)
        difference = before - candidate
        return [candidate + z * difference], [z, r, recurrent, candidate, difference]

    def backward(self, d_state: list[Tensor], *residuals: Tensor) -> tuple[list[Tensor], Tensor]:
        (dh,) = d_state
        z, r, recurrent, candidate, difference = residuals
        dh_z = dh * z
        d_candidate = d_tanh(candidate, dh - dh_z)
        d_update = d_sigmoid(z, dh * difference)
        d_reset = d_sigmoid(r, d_candidate * recurrent)
        d = tf.concat((d_update, d_reset, d_candidate * r, d_candidate), 0)
        return [dh_z + product(self.recurrent_kernel, d[: 3 * self.units])], d

    def parts(self, d: Tensor) -> tuple[Tensor, Tensor]:
        update, reset, _, candidate = tf.split(d, 4)
        return tf.concat((update, reset, candidate), 0), d[: 3 * self.units]

    def gradient_of_bias(self, d: Tensor) -> Tensor:
        return tf.stack(self.parts(d))


class GRUResetBefore(Cell):
    """The form of Cho et al. 2014: the reset gate acts before the recurrent product.

    Forward:  z, r = sigmoid(W x + b + U h);  g = tanh(W x + b + U (r * h))
              h' = z * h + (1 - z) * g
    Backward: dg = dh' * (1 - z) * (1 - g^2);  e = U_g^T dg;  dr = e * h * r (1 - r)
              dz = dh' * (h - g) * z (1 - z);  dh = dh' * z + e * r + U_zr^T (dz, dr)
    """

    residuals = 5

    def __init__(self, recurrent_kernel: Tensor, bias: Tensor, batch_size: int) -> None:
        super().__init__(recurrent_kernel, bias, batch_size)
        gates, candidate = 2 * self.units, self.units
        self.kernels = tf.split(recurrent_kernel, (gates, candidate), 1)
        self.transposed = tf.split(self.transposed, (gates, candidate))

    def forward(
        self, x: Tensor, previous_output: Tensor, before: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        gates, candidate = self.transposed
        x = float32(x) + self.biases
        z, r = tf.split(tf.sigmoid(x[: 2 * self.units] + product(gates, previous_output)), 2)
        candidate = tf.tanh(x[2 * self.units :] + product(candidate, r * before))
        difference = before - candidate
        return [candidate + z * difference], [z, r, candidate, before, difference]

    def backward(self, d_state: list[Tensor], *residuals: Tensor) -> tuple[list[Tensor], Tensor]:
        (dh,) = d_state
        gates, candidate_kernel = self.kernels
        z, r, candidate, before, difference = residuals
        dh_z = dh * z
        d_candidate = d_tanh(candidate, dh - dh_z)
        d_left = product(candidate_kernel, d_candidate)
        d_gates = tf.concat((d_sigmoid(z, dh * difference), d_sigmoid(r, d_left * before)), 0)
        d_before = tf.add_n((dh_z, d_left * r, product(gates, d_gates)))
        return [d_before], tf.concat((d_gates, d_candidate), 0)

    def gradient_of_recurrent_kernel(
        self, before: Tensor, d: Tensor, residuals: Sequence[Array]
    ) -> Tensor:
        _, r, _, hidden, _ = residuals
        left = tf.transpose(tf.cast(r.stack() * hidden.stack(), d.dtype), (1, 0, 2))
        d_gates, d_candidate = tf.split(d, (2 * self.units, self.units))
        return tf.concat(
            (gradient_of_weights(before, d_gates), gradient_of_weights(left, d_candidate)), 1
        )
