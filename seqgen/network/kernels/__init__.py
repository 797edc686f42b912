"""The recurrent layers of Keras, faster to train on a CPU: same weights, same results.

The stock layers multiply input and state at every step, and add up the gradient of the weights
step by step. Here a hand-written backward pass takes the gradient of the weights as one product,
behind the loop, and what the loop forward has worked out the loop backward reads as it lies. Of
TensorFlow's loops (`scan`) the input's product is taken before, for all steps at once; those in C
(`compiled`) take it inside, where it costs no memory.

Sequences are `(D, T, B)`: with the batch last, a weight matrix is the left factor of its products,
which needs no repacking at every step, and the gates are slices of rows, which need no copying.
They have the precision of the products, and so does what goes into a product; sums inside a
product, the states, and all else are float32.
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
