"""The benchmarks run and print their tables; the figures are not checked."""

import importlib.util
import io
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from benchmarks import encoding
from tests.conftest import PATIENCE

TORCH = importlib.util.find_spec("torch") is not None
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command, rows",
    [
        ("startup --runs 1", 2),
        ("generation --rounds 1 --tokens 10 --minutes 0.02", 4),
        ("training --rounds 1 --seconds 0 --cells simple_rnn --sizes 1x16x4", 1),
        ("choice --kilobytes 20 --minutes 0.12 --runs 1 --busy --widths 8 --native 0", 2),
        ("quality --minutes 0.12 --options='--units 16'", 1 + TORCH),
    ],
)
def test_a_table_is_printed(command: str, rows: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{shlex.split(command)[0]}", *shlex.split(command)[1:]],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert_is_table(done.stdout, rows)


def assert_is_table(printed: str, rows: int) -> None:
    first = next(each for each in printed.split("\n\n") if each.startswith("|"))
    table = [line for line in first.splitlines() if line.startswith("|")]
    assert len(table) == 2 + rows
    assert len({line.count("|") for line in table}) == 1


def test_a_table_of_encoding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its six scripts run in this process, which has imported TensorFlow."""

    def here(script: str, cache: Path, *arguments: object) -> str:
        with monkeypatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
            patch.setenv("SEQGEN_CACHE", str(cache))
            patch.setattr(sys, "argv", ["-c", *map(str, arguments)])
            exec(script, {})
        return printed.getvalue()

    monkeypatch.setattr(encoding, "python", here)
    monkeypatch.setattr(sys, "argv", ["encoding", "--megabytes", "1", "--minutes", "0.001"])
    encoding.main()
    assert_is_table(capsys.readouterr().out, 4)


def test_make_bench_runs_them_all() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem not in ("__init__", "measure"):
            assert f"-m benchmarks.{path.stem}" in makefile
