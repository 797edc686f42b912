"""Type aliases of the arrays and plain data that pass between packages."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Json = dict[str, Any]  # plain data for `json.dump`
# TensorFlow and Keras have no type annotations.
Tensor = Any
Network = Any  # a `keras.Model`
Layer = Any  # a `keras.layers.Layer`, or its class

Ids = npt.NDArray[np.integer[Any]]  # token ids of any integer type
Floats = npt.NDArray[Any]  # weights and activations, float32
Logits = npt.NDArray[np.floating[Any]]  # (B, V), unnormalised log-probabilities
Mask = npt.NDArray[np.bool_]  # (V,) or (B, V), True for tokens that may come next
Hashes = npt.NDArray[np.uint64]  # hash values, or codes that are hashed
