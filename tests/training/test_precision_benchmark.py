import json
from pathlib import Path

import numpy as np
import pytest

from seqgen.corpus.corpus import Corpus
from seqgen.training import precision_benchmark, setup
from seqgen.training.callbacks import Callback
from seqgen.training.precision_benchmark import Measurement, best
from seqgen.training.request import RunInputs, RunRequest
from seqgen.vocabulary import Vocabulary


def test_the_fastest_precision_that_learns_as_well_is_chosen() -> None:
    plain = Measurement(100.0, 2.0)
    assert best({"float32": plain}) == "float32"
    assert best({"float32": plain, "bfloat16": Measurement(99.0, 1.0)}) == "float32"
    assert best({"float32": plain, "bfloat16": Measurement(101.0, 2.01)}) == "bfloat16"
    assert best({"float32": plain, "bfloat16": Measurement(101.0, 2.1)}) == "float32"
    assert best({"float32": plain, "bfloat16": Measurement(101.0, float("nan"))}) == "float32"


def test_a_machine_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path / "new"))
    monkeypatch.setattr(precision_benchmark, "SECONDS", 0.1)
    assert not precision_benchmark.is_known()
    first = precision_benchmark.results()
    assert first["float32"].tokens_per_second > 0
    assert first["float32"].loss < 4.2  # log(64): it has learned something
    assert precision_benchmark.is_known()
    monkeypatch.setattr(precision_benchmark, "_measure_all", lambda: pytest.fail("tried again"))
    assert precision_benchmark.results() == first


def test_an_unusable_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    (tmp_path / "trials.json").write_text("no JSON")
    assert not precision_benchmark.is_known()
    (tmp_path / "trials.json").write_text("5")
    expected = {"float32": Measurement(1.0, 2.0)}
    monkeypatch.setattr(precision_benchmark, "_measure_all", lambda: expected)
    assert precision_benchmark.results() == expected
    good = json.loads((tmp_path / "trials.json").read_text())
    ((machine, _),) = good.items()
    for damaged in (
        5, {}, {"float32": 5}, {"float32": {}}, {"bfloat16": {"tokens_per_second": 1, "loss": 1}},
        {"float32": {"tokens_per_second": -1, "loss": 1}},
        {"float32": {"tokens_per_second": "fast", "loss": 1}},
    ):  # fmt: skip
        (tmp_path / "trials.json").write_text(json.dumps({machine: damaged}))
        assert not precision_benchmark.is_known()
        assert precision_benchmark.results() == expected
    monkeypatch.setenv("SEQGEN_CACHE", "/dev/null/cache")
    assert not precision_benchmark.is_known()
    assert precision_benchmark.results() == expected


def test_a_failed_measurement_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.executable", "false")
    assert precision_benchmark.results() == {}
    assert not precision_benchmark.is_known()
    messages = []
    callback = Callback()
    monkeypatch.setattr(callback, "on_message", messages.append)
    corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(5000) % 2)
    run_setup = setup.resolve(RunInputs(RunRequest({"minutes": 2}), corpus), callback)
    assert run_setup.train_config.precision == "float32"
    assert "the measurement failed; using float32 and the speed of an average machine" in messages


def test_a_cached_speed_is_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    precision_benchmark.correct("float32", 5.0)  # nothing is cached
    assert not precision_benchmark.is_known()
    measured = {"float32": Measurement(1.0, 2.0), "bfloat16": Measurement(0.5, 2.0)}
    monkeypatch.setattr(precision_benchmark, "_measure_all", lambda: measured)
    precision_benchmark.results()
    precision_benchmark.correct("float32", 5.0)
    assert precision_benchmark.results() == {**measured, "float32": Measurement(5.0, 2.0)}
