"""The recurrent layers of Keras, faster to train on a CPU: same weights, same results.

The stock layers multiply input and state at every step, and add up the gradient of the weights
step by step. Here the input's product is taken for all steps at once, before; only the state's
stays in the loop; and a hand-written backward pass takes the gradient of the weights as one
product, behind the loop. What the loop forward has worked out the loop backward reads as it lies,
and the derivatives of the activations are one operation each.

Sequences are `(D, T, B)`: with the batch last, a weight matrix is the left factor of its products,
which needs no repacking at every step, and the gates are slices of rows, which need no copying.
They have the precision of the products, and so does what goes into a product; sums inside a
product, the states, and all else are float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqgen.backend import keras, tf
from seqgen.kernels.cell import Cell
from seqgen.kernels.gru import GRUResetAfter, GRUResetBefore
from seqgen.kernels.lstm import LSTM
from seqgen.kernels.operations import Tensor
from seqgen.kernels.simple_rnn import SimpleRNN
from seqgen.kernels.window import over_window

LAYERS = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)


def supports(layer: Any) -> bool:
    """Whether `run` knows the layer: the activations that Keras takes by itself, no dropout inside.

    >>> supports(keras.layers.GRU(4)), supports(keras.layers.GRU(4, activation="relu"))
    (True, False)
    """
    gated = not isinstance(layer, keras.layers.SimpleRNN)
    return (
        type(layer) in LAYERS
        and layer.activation is keras.activations.tanh
        and (not gated or layer.recurrent_activation is keras.activations.sigmoid)
        and not layer.dropout
        and not layer.recurrent_dropout
        and layer.activity_regularizer is None
    )


def run(
    layer: Any,
    inputs: Tensor,
    state: Sequence[Tensor],
    *,
    recurrent_mask: Tensor = 1.0,
    embedding: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """A recurrent layer over a window.

    Args:
        layer: a built Keras layer that `supports` says yes to.
        inputs: `(D, T, B)`; its precision is that of the products and of the outputs.
        state: before the window, each `(units, B)` in float32.
        recurrent_mask: what the recurrent weights are multiplied with.
        embedding: what the inputs are multiplied with before the layer's kernel, `(D, E)`.

    Returns:
        The outputs `(units, T, B)` and the state behind the window.

    >>> layer = keras.layers.LSTM(4)
    >>> layer.build((None, None, 3))
    >>> outputs, state = run(layer, tf.zeros((3, 5, 2)), [tf.zeros((4, 2))] * 2)
    >>> outputs.shape, len(state)
    (TensorShape([4, 5, 2]), 2)
    """
    weights = layer.cell
    kernel = weights.kernel if embedding is None else tf.matmul(embedding, weights.kernel)
    recurrent_kernel = weights.recurrent_kernel * recurrent_mask
    bias = weights.bias if layer.use_bias else tf.zeros(weights.kernel.shape[1])
    tensors = [tf.convert_to_tensor(each) for each in (kernel, recurrent_kernel, bias)]
    outputs, *after = over_window(_cell(layer), inputs, *tensors, *state)
    return outputs, after


def _cell(layer: Any) -> type[Cell]:
    if isinstance(layer, keras.layers.GRU):
        return GRUResetAfter if layer.reset_after else GRUResetBefore
    return LSTM if isinstance(layer, keras.layers.LSTM) else SimpleRNN
