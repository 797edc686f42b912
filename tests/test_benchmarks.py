"""The benchmarks run and print their tables; the figures are not checked."""

import importlib
import importlib.util
import io
import json
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from click.testing import CliRunner, Result

from benchmarks import choice, encoding, generation, image_inputs, images, labels, quality, training
from seqgen.cli import cli
from seqgen.native import VARIABLE
from tests.conftest import low_precision

TORCH = importlib.util.find_spec("torch") is not None
ROOT = Path(__file__).parent.parent


def printed_by(name: str, arguments: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a benchmark prints. It runs in this process, which has imported TensorFlow."""
    with monkeypatch.context() as patch, redirect_stdout(io.StringIO()) as printed:
        patch.setattr(sys, "argv", [name, *shlex.split(arguments)])
        importlib.import_module(f"benchmarks.{name}").main()
    return printed.getvalue()


def run_here(*arguments: object) -> Result:
    """Run `seqgen` in this process."""
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def test_a_table_of_start_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert_is_table(printed_by("startup", "--runs 1", monkeypatch), 2)


def test_a_table_of_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = printed_by("readers", "--files 1 --corpora nottingham-dataset", monkeypatch)
    assert_is_table(printed, 1)
    assert "| MIDI | 1 | 20,000 |" in printed


def test_a_table_of_generation(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in generation.THREADS:
        monkeypatch.setenv(name, "1")  # otherwise it starts itself again with these
    small = {"REPEATS": 1, "SIZES": ((32, 1), (64, 2)), "INDEXED": 1000, "CORPUS": book}
    for name, value in small.items():
        monkeypatch.setattr(generation, name, value)
    printed = printed_by("generation", "--rounds 1 --tokens 10 --minutes 0.02", monkeypatch)
    assert_is_table(printed, 4)


@low_precision
def test_a_table_of_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    rows = [f"a {'fine' if n % 2 else 'poor'} day {n},{n % 2}" for n in range(40)]
    path.write_text("\n".join(["text,label", *rows]))
    monkeypatch.setitem(labels.ROWS, str(path), ({}, {"units": 8}, 0.02, 0.0))
    printed = printed_by("labels", shlex.quote(str(path)), monkeypatch)
    assert "32 / 8" in printed and "logistic regression" in printed
    assert_is_table(printed, 1)
    for name, value in {"BATCHES": 1, "UNITS": 16, "LENGTHS": (5, 20)}.items():
        monkeypatch.setattr(labels, name, value)
    printed = printed_by("labels", "--speed", monkeypatch)
    assert "Keras with masks" in printed and "seqgen classify" in printed


@low_precision
def test_a_table_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def own_process(*arguments: object) -> float:
        try:
            line = shlex.join(map(str, arguments))
            return float(printed_by("training", line, monkeypatch).splitlines()[-1])
        finally:
            mock.patch.stopall()  # what stock Keras replaces

    monkeypatch.setattr(training, "own_process", own_process)
    monkeypatch.setattr(training, "WARM_UP", 0.0)
    options = "--rounds 1 --seconds 0 --cells simple_rnn --sizes 1x16x4"
    assert_is_table(printed_by("training", options, monkeypatch), 1)


def test_a_table_of_quality(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def own_process(*arguments: object) -> Any:
        return json.loads(printed_by("quality", shlex.join(map(str, arguments)), monkeypatch))

    monkeypatch.setattr(quality, "run", run_here)
    monkeypatch.setattr(quality, "own_process", own_process)
    printed = printed_by("quality", f"{book} --minutes 0.02 --options='--units 16'", monkeypatch)
    assert_is_table(printed, 1 + TORCH)


def test_a_table_of_choices(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (VARIABLE, "SEQGEN_CACHE"):  # which it sets
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(choice, "run", run_here)
    options = f"{book} --kilobytes 20 --minutes 0.02 --runs 1 --busy --widths 8 --native plain"
    assert_is_table(printed_by("choice", options, monkeypatch), 2)


def test_tables_of_images(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(images, "run", run_here)
    monkeypatch.setattr(image_inputs, "LETTERS", 40)
    assert_is_table(printed_by("images", "--only inputs --epochs 0.1", monkeypatch), 7)
    assert images.features(np.full((2, 8, 8), 255, np.uint8)).max() == 16
    options = f"--minutes 0.02 --options='--units 16' --count 20 --sheet {tmp_path / 'sheet.png'}"
    assert_is_table(printed_by("images", f"--only looks {options}", monkeypatch), 3)
    assert (tmp_path / "sheet.png").exists()
    assert_is_table(printed_by("images", f"--only learning {options}", monkeypatch), 1)


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
    monkeypatch.setattr(encoding, "SMALL", 0.05)
    monkeypatch.setattr(sys, "argv", ["encoding", "--megabytes", "0.1", "--minutes", "0.001"])
    encoding.main()
    assert_is_table(capsys.readouterr().out, 4)


def test_make_bench_runs_them_all() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for path in (ROOT / "benchmarks").glob("*.py"):
        if path.stem not in ("__init__", "measure"):
            assert f"-m benchmarks.{path.stem}" in makefile


def test_a_table_of_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = printed_by("serving", "--tokens 20 --requests 1 --units 16", monkeypatch)
    assert_is_table(printed, 3)
