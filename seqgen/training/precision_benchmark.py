"""Measures the speed and the loss of training in every precision, once per machine.

Low precision of the matrix products is faster on some processors and slower on others. A small
network is trained for some steps in every precision, from the same weights on the same data. The
results are cached for this processor and these versions of TensorFlow and seqgen.

The benchmark runs in a process of its own, because TensorFlow's threads can be configured only
once in a process, and their number depends on the batch size.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from seqgen._version import __version__
from seqgen.config import PRECISIONS, ModelConfig, TrainConfig
from seqgen.native import instruction_sets, library
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state
from seqgen.network.sharding import core_count, divide_threads
from seqgen.training import cluster
from seqgen.training.batches import TextBatches
from seqgen.training.step import StepPlan, TrainStep
from seqgen.types import Json
from seqgen.utils import processor, schema
from seqgen.utils.cache import cache_folder, read_entries, write_json

MODEL = ModelConfig(units=256)
TRAINING = TrainConfig(epochs=1, batch_size=32, window=64)
VOCABULARY_SIZE = 64
PLAN = StepPlan(learning_rate=1e-3, fraction=0.0)
SECONDS = 1.0  # minimum duration of the measurement of a precision
STEPS = 30  # number of steps after which the losses are compared
HOPELESS = 1.5  # a precision is given up if its fastest step takes this many times the fastest one
TOLERANCE = 1.01  # a precision may be chosen if its loss / that of float32 is at most this

MEASUREMENT = schema.record(
    {"tokens_per_second": schema.number(1e-9, 1e15), "loss": schema.any_number}
)
RESULTS = schema.record({"float32": MEASUREMENT}, dict.fromkeys(PRECISIONS, MEASUREMENT))


@dataclass(frozen=True)
class Measurement:
    """The result of one precision."""

    tokens_per_second: float
    loss: float  # nats per token after `STEPS` steps


def best(results: Mapping[str, Measurement]) -> str:
    """The fastest precision whose loss is not higher than that of float32.

    >>> best({"float32": Measurement(80e3, 2.50), "bfloat16": Measurement(110e3, 2.51)})
    'bfloat16'
    >>> best({"float32": Measurement(80e3, 2.50), "bfloat16": Measurement(110e3, 2.71)})
    'float32'
    """
    highest_loss = TOLERANCE * results["float32"].loss
    good = {name: result for name, result in results.items() if result.loss <= highest_loss}
    return max(good, key=lambda name: good[name].tokens_per_second)


def results() -> dict[str, Measurement]:
    """The results of this machine, by precision: cached, or measured now, which takes seconds.

    Only float32 if a lower precision ends the process, as when ONEDNN_MAX_CPU_ISA forbids what
    TensorFlow expects of the processor. Empty if the benchmark fails, for example because memory
    is short; the next run repeats it.
    """
    key, cache = machine(), _cache()
    if key not in cache:
        measured = _measure(PRECISIONS) or _measure(("float32",))
        if not measured:
            return {}
        cache[key] = {name: asdict(result) for name, result in measured.items()}
        write_json(_path(), cache)
    return {name: Measurement(**fields) for name, fields in cache[key].items()}


def is_known() -> bool:
    """Whether the results are cached."""
    return machine() in _cache()


def _path() -> Path:
    return cache_folder() / "trials.json"


def _cache() -> Json:
    """The cached results of all machines."""
    return read_entries(_path(), RESULTS)


def machine() -> str:
    """A cache key: the processor, with its model name on Linux, the versions and the C code."""
    names = [platform.machine(), platform.processor(), f"{core_count()} cores"]
    if name := processor.model_name():
        names.append(name)
    loops = f"loops in C for {instruction_sets()[0]}" if library() else "TensorFlow's loops"
    return ", ".join([*names, f"TensorFlow {tf.__version__}", f"seqgen {__version__}", loops])


def _measure(precisions: Sequence[str]) -> dict[str, Measurement]:
    """Run `main` in another process, without TF_CONFIG: it must not wait for other machines.

    Empty if the process fails.
    """
    environment = {name: value for name, value in os.environ.items() if name != cluster.VARIABLE}
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(SECONDS), *precisions],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {name: Measurement(**fields) for name, fields in json.loads(done.stdout).items()}


def main() -> None:
    """Measure precisions, and print the results as JSON."""
    seconds, *precisions = sys.argv[1:]
    divide_threads(TRAINING.batch_size)
    results = measure([Trial(precision) for precision in precisions], float(seconds))
    print(json.dumps({name: asdict(result) for name, result in results.items()}))


class Trial:
    """A training in one precision, from the same weights on the same data as in the others."""

    def __init__(self, precision: str) -> None:
        self.precision = precision
        random = np.random.default_rng(0)
        ids = np.cumsum(random.geometric(0.4, 100_000)) % VOCABULARY_SIZE  # predictable in part
        self.batches = TextBatches(ids, TRAINING.batch_size, TRAINING.window, seed=0)
        network = build(MODEL, VOCABULARY_SIZE, seed=0)
        self.train_step = TrainStep(network, TRAINING.override({"precision": precision}))
        self.state = initial_state(network, TRAINING.batch_size)
        self.losses: list[float] = []
        self.times: list[float] = []  # of the steps after the first, which compiles

    def take_step(self) -> None:
        """Take one step."""
        began = time.perf_counter()
        loss, self.state, _ = self.train_step(
            next(self.batches), self.state, PLAN, len(self.losses)
        )
        self.losses.append(loss)
        if len(self.losses) > 1:
            self.times.append(time.perf_counter() - began)


def measure(trials: Sequence[Trial], seconds: float) -> dict[str, Measurement]:
    """Train for at least `seconds` and `STEPS` in every precision that may be the fastest.

    They take turns, because other programs may be busy for a part of the time. Those that are too
    slow after three steps are given up.
    """
    for _ in range(4):
        for trial in trials:
            trial.take_step()
    limit = HOPELESS * min(min(trial.times) for trial in trials)
    useful = [t for t in trials if min(t.times) <= limit or t.precision == "float32"]
    while any(len(t.losses) <= STEPS or sum(t.times) < seconds for t in useful):
        for trial in useful:
            trial.take_step()
    return {
        trial.precision: Measurement(
            # That of the fastest step: other work on the machine can only make a step slower.
            TRAINING.batch_size * TRAINING.window / min(trial.times),
            float(np.mean(trial.losses[STEPS - 5 : STEPS + 1])) if trial in useful else np.inf,
        )
        for trial in trials
    }


if __name__ == "__main__":
    main()
