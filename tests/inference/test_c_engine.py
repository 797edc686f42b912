"""The step in C agrees with the one in NumPy, with every instruction set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig
from seqgen.inference import c_engine
from seqgen.inference.c_engine import CEngine, quantised, supports
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.native import ISAS, library
from tests.inference.test_numpy_engine import logits

VOCABULARY_SIZE = 37
IDS = np.random.default_rng(0).integers(0, VOCABULARY_SIZE, (19, 12))
SETS = [isa for isa in ISAS if library() and library().network_supports(ISAS.index(isa))]


def network(cell: str = "lstm", **options: object) -> tuple[ModelConfig, list[np.ndarray]]:
    """A network with biases, and with matrices that int8 represents exactly."""
    config = ModelConfig(cell=cell, **{"units": 48, "layers": 2, "embedding": 5, **options})
    random = np.random.default_rng(1)
    weights = []
    for shape in (shape for layer in config.weight_shapes(VOCABULARY_SIZE) for shape in layer):
        numbers, scales = quantised(random.normal(0, 0.15, shape).astype(np.float32))
        weights.append((numbers * scales).astype(np.float32))
    return config, weights


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("options", [{}, {"layers": 1}, {"cell_options": {"use_bias": False}}])
@pytest.mark.parametrize("cell", cell_names())
def test_agrees_with_numpy(cell: str, options: dict, isa: str) -> None:
    config, weights = network(cell, **options)
    assert supports(config)
    found = logits(CEngine(config, weights, isa), IDS)
    expected = logits(NumpyEngine(config, weights), IDS)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, atol=5e-3)


@pytest.mark.parametrize("cell", cell_names())
def test_every_instruction_set_gives_the_same_logits(cell: str) -> None:
    config, weights = network(cell)
    for each in SETS:
        found = logits(CEngine(config, weights, each), IDS)
        np.testing.assert_allclose(found, logits(CEngine(config, weights, "plain"), IDS), atol=1e-3)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("cell", cell_names())
def test_a_stream_does_not_depend_on_the_other_streams(cell: str, isa: str) -> None:
    runtime = CEngine(*network(cell), isa)
    assert runtime.is_batch_invariant
    together = logits(runtime, IDS)
    for rows in (slice(0, 1), slice(3, 5), slice(2, 19)):
        assert (together[rows] == logits(runtime, IDS[rows])).all()


@pytest.mark.parametrize("isa", SETS)
def test_the_argument_state_is_not_changed_and_can_be_gathered(isa: str) -> None:
    runtime = CEngine(*network("lstm"), isa)
    _, state = runtime.step(np.array([1, 2]), runtime.initial_state(2))
    before = state.copy()
    first, _ = runtime.step(np.array([3, 4]), state)
    second, _ = runtime.step(np.array([4, 4, 3]), runtime.gather_state(state, np.array([1, 1, 0])))
    assert (state == before).all()
    assert (second == first[[1, 1, 0]]).all()


def test_a_large_vocabulary_is_not_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in SETS[:1]:
        config, weights = network("gru")
        folded = CEngine(config, weights)
        monkeypatch.setattr(c_engine, "LARGEST_TABLE", 1)
        unfolded = CEngine(config, weights)
        assert folded.table is not None and unfolded.table is None
        np.testing.assert_allclose(logits(folded, IDS), logits(unfolded, IDS), atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6))
def test_int8_weights_are_accurate(seed: int, size: float) -> None:
    kernel = (size * np.random.default_rng(seed).normal(size=(6, 4))).astype(np.float32)
    numbers, scales = quantised(kernel)
    assert numbers.dtype == np.int8 and numbers.min() >= -127
    assert (np.abs(numbers * scales - kernel) <= 0.51 * scales).all()


@pytest.mark.parametrize(
    "options",
    [
        {"units": 40},
        {"units": 4096},
        {"cell_options": {"activation": "relu"}},
        {"cell_options": {"recurrent_activation": "hard_sigmoid"}},
        {"cell": "gru", "cell_options": {"reset_after": False}},
    ],
)
def test_unsupported_configurations(options: dict) -> None:
    assert not supports(ModelConfig(**options))


def test_the_library_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_NATIVE", "0")
    library.cache_clear()
    assert library() is None and not supports(ModelConfig())
    library.cache_clear()
