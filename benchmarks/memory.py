"""Growth of memory in long runs: a million generated characters, 20,000 training steps.

python -m benchmarks.memory [--tokens 1000000] [--steps 20000]
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measure import print_table, untrained
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.training.callbacks import Callback, Progress
from seqgen.vocabulary import Vocabulary

WARM_UP = 0.1  # share of a run before memory is measured


def megabytes() -> float:
    """The memory of this process; its largest so far where there is no /proc."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 1e6
    unit = 1 if sys.platform == "darwin" else 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def of_generation(tokens: int) -> float:
    """Megabytes by which memory grows while a text is generated."""
    stream = untrained(16, 1).stream(length=tokens, seed=0)
    first = 0.0
    for number, _ in enumerate(stream):
        if number == int(WARM_UP * tokens):
            first = megabytes()
    return megabytes() - first


class _Watch(Callback):
    """Measures memory after the warm-up, and at the last step."""

    def __init__(self, measure: Callable[[], float], warm_up: float) -> None:
        self.measure = measure
        self.warm_up = warm_up
        self.first: float | None = None
        self.last = 0.0

    def on_step(self, progress: Progress) -> None:
        if self.first is None and progress.fraction >= self.warm_up:
            self.first = self.measure()
        if progress.fraction == 1:
            self.last = self.measure()


def of_training(
    steps: int, measure: Callable[[], float] = megabytes, warm_up: float = WARM_UP
) -> float:
    """Megabytes, or what `measure` returns, by which memory grows during training."""
    from seqgen.training.loop import train
    from seqgen.training.setup import RunSetup

    ids = np.random.default_rng(0).integers(0, 8, 5000)
    corpus = Corpus("random", "text", Vocabulary(tuple("abcdefgh")), ids)
    tokens_per_step = 4 * 8
    config = TrainConfig(
        epochs=steps * tokens_per_step / corpus.training_length, batch_size=4, window=8
    )
    watch = _Watch(measure, warm_up)
    train(RunSetup(corpus, ModelConfig(units=16, embedding=8), config), watch)
    return watch.last - (watch.first or 0.0)


def main() -> None:
    """Print the growth of memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=20_000)
    options = parser.parse_args()
    generation, training = of_generation(options.tokens), of_training(options.steps)
    rows = [("long run", "growth in MB", "at most")]
    rows.append((f"{options.tokens:,} generated characters", f"{generation:.1f}", "20"))
    rows.append((f"{options.steps:,} training steps", f"{training:.1f}", "20"))
    print_table("Memory", rows)


if __name__ == "__main__":
    main()
