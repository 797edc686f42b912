"""A cell registered by a test trains, is saved, generates and appears in the help."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import seqgen
from seqgen.cells import base
from seqgen.cells.base import Cell
from seqgen.cli import cli
from seqgen.errors import ConfigError
from seqgen.inference.keras_engine import KerasEngine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.network.backend import keras, tf


class MGULayer(keras.layers.RNN):
    """Minimal gated unit (Zhou et al. 2016): f = sigmoid(W_f x + U_f h + b_f),
    g = tanh(W_g x + U_g (f * h) + b_g), h' = (1 - f) * h + f * g."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(MGUStep(units), **options)


class MGUStep(keras.layers.Layer):
    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = self.state_size = units

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], 2 * self.units), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, 2 * self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(2 * self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        (hidden,) = states
        x_f, x_g = tf.split(inputs @ self.kernel + self.bias, 2, axis=1)
        u_f, u_g = tf.split(self.recurrent_kernel, 2, axis=1)
        forget = tf.sigmoid(x_f + hidden @ u_f)
        hidden += forget * (tf.tanh(x_g + (forget * hidden) @ u_g) - hidden)
        return hidden, [hidden]


class MGU(Cell):
    keras_layer = MGULayer
    gates = 2

    def __init__(self, options: Mapping[str, Any], *weights: Any) -> None:
        kernel, recurrent_kernel, bias = weights
        self.kernel, self.bias = kernel.T, bias[:, None]
        self.forget, self.candidate = np.split(recurrent_kernel.T, 2)

    @classmethod
    def supports(cls, options: Mapping[str, Any]) -> bool:
        return not options

    def step(self, projected: Any, state: tuple[Any, ...]) -> tuple[Any, ...]:
        (hidden,) = state
        x_f, x_g = np.split(projected, 2)
        forget = 1 / (1 + np.exp(-x_f - self.forget @ hidden))
        proposed = np.tanh(x_g + self.candidate @ (forget * hidden))
        return (hidden + forget * (proposed - hidden),)


@pytest.fixture(autouse=True)
def mgu() -> Iterator[None]:
    base.register("mgu", MGU)
    yield
    base.unregister("mgu")


def test_a_registered_cell_is_in_the_help() -> None:
    assert "[lstm|gru|simple_rnn|mgu]" in CliRunner().invoke(cli, ["train", "--help"]).stdout


def test_a_registered_cell_trains_is_saved_and_generates(tmp_path: Path) -> None:
    (tmp_path / "count.txt").write_text("0123456789" * 100)
    corpus = seqgen.load_corpus(tmp_path / "count.txt")
    model = seqgen.train(
        corpus, cell="mgu", epochs=30, units=16, embedding=8, batch_size=4, window=16,
        learning_rate=0.03,
    )  # fmt: skip
    model.save(tmp_path / "m.keras")
    loaded = seqgen.load(tmp_path / "m.keras")
    assert isinstance(loaded.engine, NumpyEngine)
    assert loaded.generate(prompt="01", length=8, temperature=0) == "0123456789"
    reference = KerasEngine(loaded.data.model_config, loaded.data.weights)
    states = [each.initial_state(3) for each in (loaded.engine, reference)]
    for ids in np.random.default_rng(0).integers(0, 10, (12, 3)):
        found, states[0] = loaded.engine.step(ids, states[0])
        expected, states[1] = reference.step(ids, states[1])
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_without_a_step_keras_generates(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MGU, "supports", Cell.supports)
    model = seqgen.train(
        seqgen.load_corpus(book), cell="mgu", epochs=0.01, units=8, batch_size=2, window=16
    )
    assert isinstance(model.network_engine, KerasEngine)
    assert len(model.generate(length=5, seed=1)) == 5


def test_an_unregistered_cell_is_an_error() -> None:
    with pytest.raises(ConfigError, match="cell: expected one of lstm, gru, simple_rnn, mgu, got"):
        base.get("rnn")
