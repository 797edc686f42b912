"""Kills training runs with SIGKILL and checks that nothing is lost: `python -m tests.kill_harness`.

A run is killed at a random moment, or inside a save, and resumed, until it is complete; then
another one with the same output starts. After every kill

- the checkpoint, if there is one, loads, and is not older than the one before;
- the model file, once there is one, exists and loads.

This process imports TensorFlow without running it, and forks every run: that saves seconds.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from seqgen import model_file
from seqgen.__main__ import main as seqgen
from seqgen.training import checkpoint, checkpointer, loop  # noqa: F401  (imports TensorFlow)
from tests.conftest import SENTENCE

OPTIONS = (
    *("--epochs", "3", "--units", "16", "--embedding", "8", "--batch-size", "4", "--window", "16"),
    *("--precision", "float32"),
)
SECONDS_BETWEEN = 0.05  # checkpoints
LONGEST_RUN = 6.0  # seconds after which a run is killed at the latest, if it has not ended
# Functions that a save calls, in order; the process dies as it enters one of them.
PHASES = ((np, "savez"), (os, "fsync"), (os, "link"), (Path, "replace"), (Path, "unlink"))


@dataclass
class Harness:
    """A folder in which runs are killed.

    Args:
        folder: empty.
        random: decides when.
    """

    folder: Path
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)  # what happened, for the summary
    step: int = 0  # of the newest checkpoint

    @property
    def model(self) -> Path:
        """The model file that all runs write."""
        return self.folder / "m.keras"

    @property
    def checkpoint(self) -> Path:
        """Its checkpoint."""
        return checkpoint.path_for(self.model)

    def kill_once(self) -> None:
        """Start or resume a run, and kill it; if it ended before, that counts as no kill."""
        had_model, resume = self.model.exists(), self.checkpoint.exists()
        phase = self.random.choice(PHASES) if self.random.random() < 0.5 else None
        calls = self.random.choice((1, 2, 5, 20))
        child = os.fork()
        if child == 0:
            self._run(resume=resume, phase=phase, calls=calls)
        status = self._wait(child, None if phase else self.random.uniform(0.5, LONGEST_RUN / 2))
        if os.WIFSIGNALED(status):
            self.counts["killed inside a save" if phase else "killed"] += 1
        elif os.WEXITSTATUS(status) == 0:
            self.counts["completed"] += 1
            assert self.model.exists(), "a run that ended has no model"
        else:
            raise AssertionError((self.folder / "stderr").read_text())
        self.counts["resumed"] += resume
        self._check(had_model=had_model, ended=not os.WIFSIGNALED(status))

    def _wait(self, child: int, seconds: float | None) -> int:
        """Wait for a run, kill it after some seconds, and return its status."""
        deadline = time.monotonic() + (LONGEST_RUN if seconds is None else seconds)
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
            if time.monotonic() > deadline:
                os.kill(child, signal.SIGKILL)
                return os.waitpid(child, 0)[1]
            time.sleep(0.01)

    def _run(self, *, resume: bool, phase: tuple[object, str] | None, calls: int) -> NoReturn:
        """Train, in a process of its own."""
        os.chdir(self.folder)
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        checkpointer.SECONDS_BETWEEN = SECONDS_BETWEEN
        if phase:
            die_in(*phase, calls)
        sys.argv = ["seqgen", "train", "book.txt", "-o", self.model.name]
        sys.argv += ["--resume"] if resume else OPTIONS
        try:
            seqgen()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        except BaseException:
            traceback.print_exc()
        os._exit(1)  # without the clean-up of the process that forked

    def _check(self, *, had_model: bool, ended: bool) -> None:
        assert self.model.exists() or not had_model, "the model of an earlier run is gone"
        if self.model.exists():
            model_file.load(self.model)
        if not self.checkpoint.exists():
            self.step = 0
            return
        facts, arrays = checkpoint.load(self.checkpoint)
        step = facts["place"]["step"]
        assert step >= self.step or ended, f"step {step} is before {self.step}"
        assert arrays["variables"]
        self.step = step


def die_in(owner: object, name: str, calls: int) -> None:
    """Let the process die in the `calls`-th call of a function."""
    function, left = getattr(owner, name), [calls]

    def counted(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    setattr(owner, name, counted)


def main() -> None:
    """Kill, check, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(Path(folder), random.Random(options.seed))
        (harness.folder / "book.txt").write_text(SENTENCE * 200)
        while harness.counts["killed"] + harness.counts["killed inside a save"] < options.kills:
            harness.kill_once()
    print(", ".join(f"{count} {name}" for name, count in sorted(harness.counts.items())))


if __name__ == "__main__":
    main()
