"""Recurrent layers with the weights and the results of Keras's, faster to train on a CPU.

The stock layers multiply input and state at every step and add up the gradient of the weights step
by step. Here the backward pass is written by hand: the gradient of the weights is one product after
the loop, and the forward loop stores residuals that the backward loop reads without a copy. The
loops in TensorFlow (`tf_loop`) take the input's product before the loop, for all steps at once;
those in C (`c_loop`) take it inside, where it costs no memory.

Sequences are `(D, T, B)`: with the batch last, a weight matrix is the left factor of its products,
which needs no repacking at every step, and the gates are slices of rows, which need no copying.
Sequences and factors of products have the precision of the products; sums and states are float32.
"""

from __future__ import annotations

from typing import Any

from seqgen.network.backend import keras
from seqgen.network.kernels.layer import Layer

__all__ = ["Layer", "supports"]

LAYERS = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)


def supports(layer: Any) -> bool:
    """Whether `Layer` knows the layer: Keras's own choice of activations, no dropout inside.

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
