"""A few inputs of every area, and the harness, for which this module is an area, too."""

import os
import resource
import signal
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from seqgen.errors import ConfigError
from tests.conftest import PATIENCE
from tests.fuzz import __main__ as harness
from tests.fuzz import worker
from tests.fuzz.__main__ import Run, Worker

INPUTS = 40  # of an area
LIMIT = resource.getrlimit(resource.RLIMIT_AS)[0]  # when this module was imported
KINDS = (b"pass", b"refuse", b"raise", b"crash", b"hang", b"pass", b"memory")


def cases(seed: int) -> Iterator[bytes]:
    """One input of every outcome; with seed 1 one that looks at the limit of memory."""
    yield from (b"limit",) if seed == 1 else KINDS


def run(case: bytes) -> None:
    """Do what the input says."""
    if case == b"refuse":
        raise ConfigError("no")
    if case == b"raise":
        raise KeyError("oh")
    if case == b"crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if case == b"limit" and resource.RLIM_INFINITY != LIMIT:
        raise ConfigError("the limit of another area held for the import of this one")
    if case == b"memory":
        bytearray(2 * worker.MEMORY)
    if case == b"hang":
        worker.limited(0.05)
        while True:
            pass


@pytest.mark.parametrize("area", worker.areas())
def test_inputs_end_in_a_result_or_a_line(area: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(*_: object) -> None:
        raise TimeoutError

    module = worker.module_of(area)
    before = signal.signal(signal.SIGPROF, too_long)
    try:
        for number, case in enumerate(islice(module.cases(0), INPUTS)):
            worker.limited(10 * worker.SECONDS)
            outcome, text = worker.outcome_of(module, case)
            assert outcome in ("passed", "refused"), f"input {number} of {area}: {text}"
            again = worker.from_bytes(worker.to_bytes(case))
            assert again == case
    finally:
        worker.limited(0)
        signal.signal(signal.SIGPROF, before)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine, a process that waits for the processor is not stuck."""
    monkeypatch.setattr(harness, "STUCK", PATIENCE)


def test_every_outcome_is_told(tmp_path: Path) -> None:
    runner, done, skip = Worker(tmp_path), [], 0
    while skip < len(KINDS):
        done += runner.run("test_fuzz", 0, skip, worker.CHUNK)
        skip = done[-1][0] + 1
    runner.stop()
    assert [outcome for _, outcome, _, _ in done] == [
        "passed", "refused", "traceback", "crash", "hang", "passed", "traceback",
    ]  # fmt: skip
    assert "KeyError" in done[2][3] and "MemoryError" in done[6][3]


def test_areas_are_imported_without_a_limit_of_memory(tmp_path: Path) -> None:
    runner = Worker(tmp_path)
    runner.run("caches", 0, 0, 1)
    ((_, outcome, _, _),) = runner.run("test_fuzz", 1, 0, 1)
    runner.stop()
    assert outcome == "passed"


def test_findings_are_saved_and_counted(tmp_path: Path) -> None:
    runner, run = Worker(tmp_path), Run(1, ["test_fuzz"], tmp_path / "found")
    run._chunk(runner, "test_fuzz", 0, float("inf"))
    runner.stop()
    assert run.found == 4
    saved = {path.name.split("-")[1]: worker.from_bytes(path.read_bytes())
             for path in (tmp_path / "found").iterdir()}  # fmt: skip
    assert saved["crash"] == b"crash" and saved["hang"] == b"hang"
    assert run.table().splitlines()[-1].split()[:6] == ["all", "7", "1", "1", "2", "1"]
