"""How fast this machine trains in each precision, and whether it learns as well; tried once.

The precision of the matrix products is a gain on some processors and a loss on others. A small
network takes some steps in each, from the same weights on the same text; what came out is kept in
the cache folder, for this processor, this TensorFlow and this seqgen. The trial is made in another
process, because one can divide TensorFlow's threads only once, and the run's own batch says how.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqgen._version import __version__
from seqgen.config import PRECISIONS, ModelConfig, TrainConfig
from seqgen.native import library
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state
from seqgen.network.sharding import core_count, divide_threads
from seqgen.training import cluster
from seqgen.training.batches import TextBatches
from seqgen.training.step import StepPlan, TrainStep
from seqgen.utils.cache import cache_folder, read_json, write_json

MODEL = ModelConfig(units=256)
TRAINING = TrainConfig(epochs=1, batch_size=32, window=64)
VOCABULARY_SIZE = 64
PLAN = StepPlan(learning_rate=1e-3, fraction=0.0)
SECONDS = 1.0  # for each precision
STEPS = 30  # after which the losses are compared
AS_GOOD = 1.01  # times the loss of float32


@dataclass(frozen=True)
class Trial:
    """What a precision did."""

    tokens_per_second: float
    loss: float  # nats per token after some steps


def best(trials: Mapping[str, Trial]) -> str:
    """The fastest precision that learned as well as float32.

    >>> best({"float32": Trial(80e3, 2.50), "bfloat16": Trial(110e3, 2.51)})
    'bfloat16'
    >>> best({"float32": Trial(80e3, 2.50), "bfloat16": Trial(110e3, 2.71)})
    'float32'
    """
    most = AS_GOOD * trials["float32"].loss
    sound = {name: each for name, each in trials.items() if each.loss <= most}
    return max(sound, key=lambda name: sound[name].tokens_per_second)


def results() -> dict[str, Trial]:
    """The trials of this machine, from the cache, or made now, which takes some seconds; none
    where they fail, for want of memory, say: the next run tries again."""
    machine, kept = _machine(), _kept()
    if machine not in kept:
        try:
            kept[machine] = {name: asdict(each) for name, each in _try_all().items()}
        except (OSError, subprocess.CalledProcessError):
            return {}
        write_json(_path(), kept)
    return {name: Trial(**each) for name, each in kept[machine].items()}


def is_known() -> bool:
    """Whether `results` takes no time."""
    return _machine() in _kept()


def _path() -> Path:
    return cache_folder() / "trials.json"


def _kept() -> dict[str, Any]:
    kept = read_json(_path())
    return kept if isinstance(kept, dict) else {}


def _machine() -> str:
    """A processor is told by its model's name where the system gives one."""
    names = [platform.machine(), platform.processor(), f"{core_count()} cores"]
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text().splitlines()
        names += [line.split(":")[1].strip() for line in lines if line.startswith("model name")][:1]
    loops = "TensorFlow's loops" if library() is None else "loops in C"
    return ", ".join([*names, f"TensorFlow {tf.__version__}", f"seqgen {__version__}", loops])


def _try_all() -> dict[str, Trial]:
    """In another process, which is a machine of its own, whatever TF_CONFIG says."""
    environment = {name: value for name, value in os.environ.items() if name != cluster.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(SECONDS)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return {name: Trial(**each) for name, each in json.loads(done.stdout).items()}


def main() -> None:
    """Try each precision, and print what came out as JSON."""
    seconds = float(sys.argv[1])
    divide_threads(TRAINING.batch_size)
    trials: dict[str, Trial] = {}
    for precision in PRECISIONS:
        least = trials["float32"].tokens_per_second if trials else 0.0
        trials[precision] = _try(precision, seconds, least)
    print(json.dumps({name: asdict(each) for name, each in trials.items()}))


def _try(precision: str, seconds: float, least: float) -> Trial:
    """It is given up if its first steps are slower than `least` tokens per second."""
    random = np.random.default_rng(0)
    ids = np.cumsum(random.geometric(0.4, 100_000)) % VOCABULARY_SIZE  # something to learn
    batches = TextBatches(ids, TRAINING.batch_size, TRAINING.window, seed=0)
    network = build(MODEL, VOCABULARY_SIZE, seed=0)
    step = TrainStep(network, TrainConfig.from_json({**TRAINING.to_json(), "precision": precision}))
    state = initial_state(network, TRAINING.batch_size)
    losses: list[float] = []
    times: list[float] = []
    while len(losses) < STEPS + 1 or sum(times) < seconds:
        began = time.perf_counter()
        loss, state, _ = step(next(batches), state, PLAN, len(losses))
        losses.append(loss)
        if len(losses) > 1:  # the first one compiles
            times.append(time.perf_counter() - began)
        speed = TRAINING.batch_size * TRAINING.window / np.median(times) if times else np.inf
        if len(times) == 3 and speed < least:
            return Trial(float(speed), np.inf)
    return Trial(float(speed), float(np.mean(losses[STEPS - 5 : STEPS + 1])))


if __name__ == "__main__":
    main()
