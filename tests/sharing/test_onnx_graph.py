"""The ONNX graph gives the logits and states of Keras."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqgen import model_file
from seqgen.config import ModelConfig
from seqgen.errors import ConfigError, OutputError
from seqgen.model_file import ModelData
from seqgen.sharing import onnx_graph
from tests.conftest import Run, require

SAVED = Path(__file__).parent.parent / "saved" / "text-0.1.keras"
BATCH, STEPS = 3, 7


@pytest.fixture(scope="module")
def saved() -> ModelData:
    return model_file.load(SAVED)


def with_network(saved: ModelData, **options: object) -> ModelData:
    """The model with another network, of random weights that leave the gates far from 0."""
    config = ModelConfig(**{"units": 16, "embedding": 8, **options})
    random = np.random.default_rng(0)
    shapes = [s for layer in config.weight_shapes(len(saved.vocabulary)) for s in layer]
    weights = [random.normal(0, 0.5, shape).astype(np.float32) for shape in shapes]
    return replace(saved, model_config=config, weights=weights)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "layers": 2},
        {"cell": "lstm", "cell_options": {"use_bias": False, "activation": "softsign"}},
        {"cell": "gru", "layers": 2},
        {"cell": "gru", "cell_options": {"reset_after": False}},
        {"cell": "simple_rnn", "layers": 3, "cell_options": {"activation": "relu"}},
        {"cell": "lstm", "lags": (2, 5)},
    ],
)
def test_logits_equal_those_of_keras(saved: ModelData, options: dict[str, object]) -> None:
    require(
        importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"),
        "needs ONNX: pip install onnx onnxruntime",
    )
    import onnxruntime

    from seqgen.network.build import build

    data = with_network(saved, **options)
    config, size = data.model_config, len(data.vocabulary)
    network = build(config, size)
    network.set_weights(data.weights)
    columns = (1 + len(config.lags),) if config.lags else ()
    ids = np.random.default_rng(1).integers(0, size, (BATCH, STEPS, *columns))
    expected = np.asarray(network(ids))

    model = onnx_graph.model_proto(data).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    zeros = np.zeros((config.layers, BATCH, config.units), np.float32)
    state = {each.name: zeros for each in session.get_inputs()[1:]}
    assert list(state) == (["hidden", "cell"] if config.cell == "lstm" else ["hidden"])
    logits, *_ = session.run(None, {"ids": ids, **state})
    np.testing.assert_allclose(logits, expected, atol=1e-5)

    # In two parts, with the state between them.
    first, *after = session.run(None, {"ids": ids[:, :3], **state})
    second, *_ = session.run(None, {"ids": ids[:, 3:], **dict(zip(state, after, strict=True))})
    np.testing.assert_allclose(np.concatenate((first, second), axis=1), expected, atol=1e-5)


def test_the_command_writes_a_file_with_the_vocabulary(tmp_path: Path, seqgen: Run) -> None:
    onnx = pytest.importorskip("onnx", reason="needs ONNX: pip install onnx")
    done = seqgen("export", SAVED, "--onnx", tmp_path / "text.onnx")
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'text.onnx'}\n"), done.stderr
    properties = {p.key: p.value for p in onnx.load(tmp_path / "text.onnx").metadata_props}
    assert properties["task"] == "text"
    assert json.loads(properties["vocabulary"])[:2] == ["\n", " "]
    done = seqgen("export", SAVED, "--onnx", tmp_path / "text.pb")
    assert done.returncode == 1 and "ends in .onnx; try text.onnx" in done.stderr


def test_what_onnx_lacks_is_an_error(saved: ModelData) -> None:
    pytest.importorskip("onnx", reason="needs ONNX: pip install onnx")
    with pytest.raises(ConfigError, match=r"activation: .* got 'gelu'"):
        onnx_graph.model_proto(with_network(saved, cell_options={"activation": "gelu"}))
    labels = replace(saved, model_config=ModelConfig(pooling="last", outputs=2))
    with pytest.raises(ConfigError, match="got one that predicts labels"):
        onnx_graph.model_proto(labels)


def test_a_missing_package_is_named(saved: ModelData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(OutputError, match=r'pip install "seqgen\[onnx\]"'):
        onnx_graph.model_proto(saved)
