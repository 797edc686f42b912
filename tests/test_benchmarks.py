"""The benchmarks run and print their tables; what they print is not judged here."""

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TORCH = importlib.util.find_spec("torch") is not None
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command, rows",
    [
        ("startup --runs 1", 2),
        ("generation --rounds 1 --tokens 10 --minutes 0.02", 4),
        ("training --rounds 1 --seconds 0 --cells simple_rnn --sizes 1x16x4", 1),
        ("quality --minutes 0.12 --options='--units 16'", 1 + TORCH),
        ("encoding --megabytes 1 --minutes 0.02", 4),
    ],
)
def test_a_table_is_printed(command: str, rows: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{shlex.split(command)[0]}", *shlex.split(command)[1:]],
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first = next(each for each in done.stdout.split("\n\n") if each.startswith("|"))
    table = [line for line in first.splitlines() if line.startswith("|")]
    assert len(table) == 2 + rows
    assert len({line.count("|") for line in table}) == 1


def test_make_bench_runs_them_all() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem not in ("__init__", "measure"):
            assert f"-m benchmarks.{path.stem}" in makefile
