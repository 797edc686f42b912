"""The step in NumPy agrees with Keras."""

import numpy as np
import pytest

from seqgen.cells.activations import ACTIVATIONS
from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig
from seqgen.inference import numpy_engine as runtime_module
from seqgen.inference.engine import Engine
from seqgen.inference.keras_engine import KerasEngine
from seqgen.inference.numpy_engine import NumpyEngine, supports
from seqgen.network.backend import keras
from seqgen.network.build import build

VOCABULARY_SIZE = 11
IDS = np.random.default_rng(0).integers(0, VOCABULARY_SIZE, (3, 20))

OPTIONS = [
    *({"activation": name} for name in ACTIVATIONS if name != "exponential"),
    {"recurrent_activation": "hard_sigmoid"},
    {"recurrent_activation": None, "activation": "softsign"},
    {"use_bias": False},
    {"reset_after": False},
    {"reset_after": False, "use_bias": False},
    {"unit_forget_bias": False, "bias_initializer": "ones"},
    {"kernel_regularizer": "l2", "recurrent_constraint": "unit_norm"},
    {"recurrent_dropout": 0.5, "dropout": 0.5, "seed": 3},
]
OTHER_OPTIONS = {  # options of `OPTIONS` that simple_rnn has, and that the others lack
    "simple_rnn": {"activation", "use_bias", "bias_initializer", "kernel_regularizer"},
    "gru": {"unit_forget_bias"},
    "lstm": {"reset_after"},
}


def is_accepted(cell: str, options: dict[str, object]) -> bool:
    """Whether the option is tested for a cell: all cells look activations up in the same table."""
    if cell != "simple_rnn" and list(options) == ["activation"] and options["activation"] != "relu":
        return False
    keys = {key for key in options if key != "recurrent_constraint"}
    if cell == "simple_rnn":
        return keys <= {*OTHER_OPTIONS[cell], "recurrent_dropout", "dropout", "seed"}
    return not keys & OTHER_OPTIONS[cell]


def network_and_weights(config: ModelConfig) -> tuple[keras.Model, list[np.ndarray]]:
    network = build(config, VOCABULARY_SIZE)
    random = np.random.default_rng(1)
    weights = [
        each + random.normal(0, 0.1, each.shape).astype(np.float32)
        for each in network.get_weights()
    ]
    network.set_weights(weights)
    return network, weights


def logits(engine: Engine, ids: np.ndarray) -> np.ndarray:
    state = engine.initial_state(len(ids))
    steps = []
    for column in ids.T:
        step, state = engine.step(column, state)
        steps.append(step)
    return np.stack(steps, 1)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", cell_names())
def test_agrees_with_keras(cell: str, layers: int) -> None:
    config = ModelConfig(cell=cell, units=16, layers=layers, embedding=5, dropout=0.5)
    network, weights = network_and_weights(config)
    np.testing.assert_allclose(logits(NumpyEngine(config, weights), IDS), network(IDS), atol=1e-4)


@pytest.mark.parametrize(
    "cell, options",
    [(cell, options) for cell in cell_names() for options in OPTIONS if is_accepted(cell, options)],
)
def test_agrees_with_keras_for_every_option(cell: str, options: dict[str, object]) -> None:
    config = ModelConfig(cell=cell, units=8, layers=2, embedding=3, cell_options=options)
    assert supports(config)
    network, weights = network_and_weights(config)
    ids = IDS[:1, :8]
    np.testing.assert_allclose(
        logits(NumpyEngine(config, weights), ids), network(ids), atol=1e-4, rtol=1e-4
    )


def test_a_large_vocabulary_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ModelConfig(units=8, layers=2)
    _, weights = network_and_weights(config)
    folded = NumpyEngine(config, weights)
    monkeypatch.setattr(runtime_module, "LARGEST_TABLE", 1)
    unfolded = NumpyEngine(config, weights)
    assert folded.embedding is None and unfolded.embedding is not None
    np.testing.assert_allclose(logits(folded, IDS), logits(unfolded, IDS), atol=1e-5)


@pytest.mark.parametrize("cell", cell_names())
def test_the_argument_state_is_not_changed(cell: str) -> None:
    config = ModelConfig(cell=cell, units=8, layers=2)
    runtime = NumpyEngine(config, network_and_weights(config)[1])
    _, state = runtime.step(np.array([1, 2]), runtime.initial_state(2))
    kept = [each.copy() for each in state]
    first, _ = runtime.step(np.array([3, 4]), state)
    second, _ = runtime.step(np.array([3, 4]), state)
    assert (first == second).all()
    assert all((a == b).all() for a, b in zip(kept, state, strict=True))


@pytest.mark.parametrize("cell", cell_names())
def test_a_row_does_not_depend_on_the_others(cell: str) -> None:
    config = ModelConfig(cell=cell, units=8, layers=2)
    runtime = NumpyEngine(config, network_and_weights(config)[1])
    together = logits(runtime, IDS)
    for row in range(len(IDS)):
        alone = logits(runtime, IDS[row : row + 1])
        np.testing.assert_allclose(together[row], alone[0], atol=1e-5)


def test_keras_runs_unsupported_configurations() -> None:
    config = ModelConfig(units=8, layers=2, cell_options={"activation": "softmax"})
    assert not supports(config)
    assert not supports(ModelConfig(cell_options={"activation": {"class_name": "x"}}))
    assert not supports(ModelConfig(cell_options={"something_new": 1}))
    network, weights = network_and_weights(config)
    result = logits(KerasEngine(config, weights), IDS)
    np.testing.assert_allclose(result, network(IDS), atol=1e-4)
