import json
from collections.abc import Sequence
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
    monkeypatch.setattr(precision_benchmark, "_measure", lambda _: pytest.fail("tried again"))
    assert precision_benchmark.results() == first


class FakeTrial(precision_benchmark.Trial):
    """Takes steps of a given duration, all twice as long while the machine is busy."""

    busy_steps = 0

    def __init__(self, precision: str, seconds: float) -> None:
        self.precision, self.seconds = precision, seconds
        self.losses, self.times = [], []

    def take_step(self) -> None:
        is_busy = FakeTrial.busy_steps > 0
        FakeTrial.busy_steps -= 1
        self.losses.append(2.0)
        if len(self.losses) > 1:
            self.times.append(self.seconds * (1 + is_busy))


@pytest.mark.parametrize("busy_steps", range(0, 100, 5))
def test_a_busy_moment_does_not_change_the_fastest_precision(
    busy_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeTrial, "busy_steps", busy_steps)
    trials = [FakeTrial("float32", 0.03), FakeTrial("bfloat16", 0.02), FakeTrial("float16", 0.1)]
    results = precision_benchmark.measure(trials, seconds=1.0)
    assert best(results) == "bfloat16"
    assert results["float16"].loss == float("inf")
    assert len(trials[2].losses) == 4


def test_an_unusable_cache_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    (tmp_path / "trials.json").write_text("no JSON")
    assert not precision_benchmark.is_known()
    (tmp_path / "trials.json").write_text("5")
    expected = {"float32": Measurement(1.0, 2.0)}
    monkeypatch.setattr(precision_benchmark, "_measure", lambda _: expected)
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


def test_every_instruction_set_is_a_machine_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_benchmark, "library", lambda: object())
    keys = set()
    for isas in (("avx512", "avx2"), ("avx2",)):
        monkeypatch.setattr(precision_benchmark, "instruction_sets", lambda isas=isas: isas)
        keys.add(precision_benchmark.machine())
    monkeypatch.setattr(precision_benchmark, "library", lambda: None)
    assert len(keys | {precision_benchmark.machine()}) == 3


def test_a_precision_that_ends_the_process_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Float32 is measured again alone, and known from then on."""
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    tried = []

    def measure(precisions: Sequence[str]) -> dict[str, Measurement]:
        tried.append(tuple(precisions))
        return {"float32": Measurement(1.0, 2.0)} if precisions == ("float32",) else {}

    monkeypatch.setattr(precision_benchmark, "_measure", measure)
    assert list(precision_benchmark.results()) == ["float32"]
    assert tried == [precision_benchmark.PRECISIONS, ("float32",)]
    assert precision_benchmark.is_known()
