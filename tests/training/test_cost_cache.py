import json
from pathlib import Path

import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.training import cost_cache
from seqgen.training.cost_model import AVERAGE, CostModel


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    return tmp_path


def test_a_written_model_is_read() -> None:
    assert cost_cache.read("here") is None
    cost_cache.write("here", CostModel(1.0, 2.0))
    cost_cache.write("there", CostModel(3.0, 4.0))
    assert cost_cache.read("here") == CostModel(1.0, 2.0)


@pytest.mark.parametrize(
    "content", ["", "5", '{"here": 5}', '{"here": {"a": "x", "b": 1.0}}', '{"here": {"a": 1.0}}',
                '{"here": {"a": -1.0, "b": 1.0}}', '{"here": {"a": NaN, "b": 1.0}}'],
)  # fmt: skip
def test_a_damaged_cache_is_ignored(folder: Path, content: str) -> None:
    (folder / "costs.json").write_text(content)
    assert cost_cache.read("here") is None
    cost_cache.write("here", AVERAGE)
    assert cost_cache.read("here") == AVERAGE
    assert json.loads((folder / "costs.json").read_text())


def test_a_damaged_entry_does_not_hide_the_others(folder: Path) -> None:
    (folder / "costs.json").write_text(
        '{"here": {"a": 0.0, "b": 1.0}, "there": {"a": 1, "b": 2.0}}'
    )
    assert cost_cache.read("here") is None
    cost_cache.write("here", AVERAGE)
    assert cost_cache.read("there") == CostModel(1, 2.0)


def test_the_speed_of_a_run_corrects_the_model() -> None:
    config = ModelConfig(units=128)
    cost_cache.correct("here", config, 65, tokens_per_second=1e6)  # nothing is cached
    assert cost_cache.read("here") is None
    cost_cache.write("here", AVERAGE)
    cost_cache.correct("here", config, 65, tokens_per_second=1e6)
    corrected = cost_cache.read("here")
    assert corrected is not None
    assert corrected.seconds_per_token(config, 65) == pytest.approx(1e-6)
    assert corrected.a / corrected.b == pytest.approx(AVERAGE.a / AVERAGE.b)


def test_costs_depend_on_the_batch_and_the_precision() -> None:
    run = TrainConfig(epochs=1)
    keys = {
        cost_cache.key(ModelConfig(), run),
        cost_cache.key(ModelConfig(cell="gru"), run),
        cost_cache.key(ModelConfig(), run.override({"batch_size": 8})),
        cost_cache.key(ModelConfig(), run.override({"precision": "bfloat16"})),
    }
    assert len(keys) == 4
