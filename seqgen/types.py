"""Type aliases of the arrays and plain data that pass between packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

Json = dict[str, Any]  # plain data for `json.dump`, checked by the code that reads it

# To mypy these are `Any`, because TensorFlow and Keras have no type annotations.
Tensor: TypeAlias = "tf.Tensor"
Network: TypeAlias = "keras.Model"
Layer: TypeAlias = "keras.layers.Layer"

Array = npt.NDArray[Any]  # of any type
Ids = npt.NDArray[np.integer[Any]]  # token ids of any integer type
Floats = npt.NDArray[Any]  # weights and activations, float32
Logits = npt.NDArray[np.floating[Any]]  # (B, V), unnormalised log-probabilities
Mask = npt.NDArray[np.bool_]  # (V,) or (B, V), True for tokens that may come next
Hashes = npt.NDArray[np.uint64]  # hash values, or codes that are hashed
