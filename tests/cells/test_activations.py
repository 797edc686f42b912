import numpy as np
import pytest

from seqgen.cells.activations import ACTIVATIONS
from seqgen.network.backend import keras


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_agrees_with_keras(name: str | None) -> None:
    x = np.concatenate(([-1e4, -100, -0.0, 100], np.linspace(-9, 9, 999))).astype(np.float32)
    if name == "exponential":
        x = x[np.abs(x) < 80]
    expected = keras.activations.get(name)(x)
    result = ACTIVATIONS[name](x)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=2e-6)
