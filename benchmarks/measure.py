"""Helpers of the benchmarks: timing, running commands and printing tables."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from seqgen._version import __version__
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.model import Model
from seqgen.model_file import ModelData
from seqgen.vocabulary import Vocabulary

# Flags of /proc/cpuinfo that the speed of products depends on.
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "bf16")

# Variables that limit the instruction set of seqgen, PyTorch, oneDNN, MKL and NumPy's BLAS.
LIMITS = {
    "avx2": {
        "SEQGEN_NATIVE": "avx2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    }
}


def machine() -> str:
    """A description of the machine, in one line."""
    processor = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line.partition(":") for line in info.read_text().splitlines()]
        fields = {name.strip(): value.strip() for name, _, value in reversed(lines)}
        there = fields.get("flags", fields.get("Features", "")).split()
        flags = " ".join(flag for flag in FLAGS if flag in there)
        processor = f"{fields.get('model name', processor)} ({flags})"
    return (
        f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"seqgen {__version__}"
    )


def add_isa_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--isa`, a key of `LIMITS`."""
    parser.add_argument(
        "--isa", choices=LIMITS, help="fastest instruction set that an implementation may use"
    )


def print_table(title: str, rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table; the first row is its header."""
    print(f"\n{title} ({machine()})\n")
    for number, row in enumerate(rows):
        print(f"| {' | '.join(row)} |", flush=True)
        if number == 0:
            print("|---" * len(row) + "|")


def median_seconds(work: Callable[[], object], runs: int = 5) -> float:
    """The median time of `runs` calls, after one call to warm up."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `seqgen` in its own process, which may write bytecode, as pip does when it installs."""
    command = [sys.executable, "-m", "seqgen", *map(str, arguments)]
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=kept)


def untrained(units: int, layers: int, cell: str = "lstm") -> Model:
    """A model with random weights and a vocabulary of 65 characters, as fast as a trained one."""
    from seqgen.network.build import build

    vocabulary = Vocabulary(tuple(map(chr, range(58, 58 + 65))))
    config = ModelConfig(cell=cell, units=units, layers=layers)
    weights = build(config, len(vocabulary)).get_weights()
    corpus = Corpus("none", "text", vocabulary, np.zeros(10, np.uint8)).metadata()
    scores = {"tokens_seen": 0, "seconds": 0.0, "ended_early": None, "validation_loss": None}
    run = TrainConfig(epochs=1)
    return Model(ModelData("text", config, run, vocabulary, corpus, weights, scores=scores))
