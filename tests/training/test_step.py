from typing import Any

import numpy as np
import pytest

from seqgen.network.backend import keras, tf
from seqgen.training.step import Adam


@pytest.mark.parametrize("weight_decay", [None, 0.1])
def test_the_optimizer_agrees_with_adam_of_keras(weight_decay: float | None) -> None:
    def weights(kind: Any) -> list[Any]:
        random = np.random.default_rng(1)
        variables = [
            keras.Variable(random.normal(size=shape), dtype="float32") for shape in ((4, 3), (3,))
        ]
        optimizer = kind(0.01, weight_decay=weight_decay, beta_2=0.99, global_clipnorm=1.0)
        optimizer.build(variables)
        for _ in range(20):
            optimizer.apply(
                [tf.constant(random.normal(size=v.shape), tf.float32) for v in variables],
                variables,
            )
        return [variable.numpy() for variable in variables]

    for ours, theirs in zip(weights(Adam), weights(keras.optimizers.Adam), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_keras_has_what_the_optimizer_overrides() -> None:
    """Private names of Keras: `pyproject.toml` bounds its versions because of them."""
    optimizer = keras.optimizers.Adam()
    optimizer.build([keras.Variable([1.0])])
    for name in ("_get_variable_index", "_momentums", "_velocities", "_all_reduce_sum_gradients"):
        assert hasattr(optimizer, name), f"Keras {keras.__version__} has no {name}"
