"""Runs all fuzzers: `make fuzz`, or `python -m tests.fuzz --seed 2 --minutes 10`.

Inputs run in worker processes, which are used again until one dies of an input: of a crash, of more
than 10 seconds of processor time, or because it does nothing for a minute. An input that asks for
more than a gigabyte gets a `MemoryError`. Findings are written to a folder;
`python -m tests.fuzz --again FILE` repeats one in this process. Exit status 1 if there are any.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import worker

STUCK = 60.0  # seconds without an answer, by the clock: an input waits for something
CHUNKS = 1_000_000  # of a seed
FOUND = ("hang", "crash", "traceback")


@dataclass
class Tally:
    """What happened in an area."""

    inputs: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    spent: float = 0.0  # seconds by the clock
    chunks: int = 0

    def add(self, outcome: str, seconds: float) -> None:
        """Count an input."""
        self.inputs += 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.slowest = max(self.slowest, seconds)


class Worker:
    """A worker process, started again after it has died.

    Args:
        folder: for the input that is run.
    """

    def __init__(self, folder: Path) -> None:
        self.current = folder / "current"
        self.errors = folder / "errors"
        self.cache = folder / "cache"
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """The process, which is running."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", str(self.current)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                stderr=self.errors.open("wb"),
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
                     "SEQGEN_CACHE": str(self.cache)},
            )  # fmt: skip
        return self.process

    def stop(self) -> int:
        """End the process, and return its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        with suppress(OSError):  # what it has not read is lost if it has died
            assert process.stdin
            process.stdin.close()
        try:
            return process.wait(2)  # it may be ending, and has an exit code of its own then
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def run(self, area: str, seed: int, skip: int, count: int) -> list[tuple[int, str, float, str]]:
        """Run inputs until all are done or the process dies: number, outcome, seconds, text."""
        process = self.start()
        assert process.stdin and process.stdout
        done: list[tuple[int, str, float, str]] = []
        self.current.unlink(missing_ok=True)
        with suppress(OSError):  # it has died: it does not answer below
            print(json.dumps([area, seed, skip, count]), file=process.stdin, flush=True)
        while True:
            timer = threading.Timer(STUCK, process.kill)
            timer.start()
            line = process.stdout.readline()
            is_stuck = timer.finished.is_set()
            timer.cancel()
            if line.strip() == "null":
                return done
            if line.endswith("\n"):
                done.append(tuple(json.loads(line)))
                continue
            code = self.stop()
            is_hang = is_stuck or code in (-signal.SIGPROF, -signal.SIGXCPU)
            outcome = "hang" if is_hang else "crash"
            number = done[-1][0] + 1 if done else skip
            text = "waits for something" if is_stuck else f"ended with exit code {code}"
            if code == 1:  # an exception outside the inputs
                text = self.errors.read_text(errors="replace")
            return [*done, (number, outcome, worker.SECONDS if is_hang else 0.0, text)]


class Run:
    """All areas with one seed.

    Args:
        seed: of all inputs.
        names: of the areas.
        findings: folder for inputs that hang, crash or end in a traceback.
    """

    def __init__(self, seed: int, names: list[str], findings: Path) -> None:
        self.seed = seed
        self.findings = findings
        self.tallies = {name: Tally() for name in names}
        self.lock = threading.Lock()
        self.lines: list[str] = []

    def take_turns(self, until: float) -> None:
        """Run chunks of the area that has had the least time, in one worker process."""
        with tempfile.TemporaryDirectory(prefix="seqgen-fuzz-") as folder:
            runner = Worker(Path(folder))
            while time.monotonic() < until:
                with self.lock:
                    area = min(self.tallies, key=lambda name: self.tallies[name].spent)
                    tally = self.tallies[area]
                    seed = self.seed * CHUNKS + tally.chunks
                    tally.chunks += 1
                    tally.spent += 1e-3  # so that the other worker takes another area
                self._chunk(runner, area, seed, until)
            runner.stop()

    def _chunk(self, runner: Worker, area: str, seed: int, until: float) -> None:
        began, skip = time.monotonic(), 0
        while skip < worker.CHUNK and time.monotonic() < until:
            done = runner.run(area, seed, skip, worker.CHUNK)
            with self.lock:
                for number, outcome, seconds, text in done:
                    self.tallies[area].add(outcome, seconds)
                    if outcome in FOUND:
                        self._save(runner, area, seed, number, outcome, text)
            if not done or done[-1][1] not in ("hang", "crash"):
                break
            skip = done[-1][0] + 1
        with self.lock:
            self.tallies[area].spent += time.monotonic() - began

    def _save(
        self, runner: Worker, area: str, seed: int, number: int, outcome: str, text: str
    ) -> None:
        """Write a finding to a file, unless there is one with the same traceback."""
        last = text.strip().splitlines()
        kind = hashlib.sha256(
            "".join(line for line in last if "File " in line).encode()
        ).hexdigest()
        if outcome == "traceback":
            data = next(
                (worker.to_bytes(case) for _, case in
                 worker.chunk(worker.module_of(area), seed, number, number + 1)), b""
            )  # fmt: skip
        else:
            data = runner.current.read_bytes() if runner.current.exists() else b""
            kind = hashlib.sha256(data).hexdigest()
        self.findings.mkdir(parents=True, exist_ok=True)
        path = self.findings / f"{area}-{outcome}-{kind[:8]}"
        if path.exists():
            return
        path.write_bytes(data)
        self.lines.append(f"{area} {outcome}, seed {seed}, input {number}: {last[-1][:150]}")
        self.lines += [f"  {line}" for line in last[-7:-1]]
        self.lines.append(f"  python -m tests.fuzz --again {path}")

    def table(self) -> str:
        """The summary: one line per area."""
        head = ("area", "inputs", "hangs", "crashes", "tracebacks", "refusals", "slowest")
        keys = ("hang", "crash", "traceback", "refused")
        rows = [head]
        for name, tally in self.tallies.items():
            counts = (f"{tally.outcomes.get(key, 0):,}" for key in keys)
            rows.append((name, f"{tally.inputs:,}", *counts, f"{tally.slowest:.1f} s"))
        total = sum(tally.inputs for tally in self.tallies.values())
        sums = (sum(t.outcomes.get(key, 0) for t in self.tallies.values()) for key in keys)
        slowest = max(tally.slowest for tally in self.tallies.values())
        rows.append(("all", f"{total:,}", *(f"{number:,}" for number in sums), f"{slowest:.1f} s"))
        return "\n".join(
            row[0].ljust(16) + "".join(cell.rjust(12) for cell in row[1:]) for row in rows
        )

    @property
    def found(self) -> int:
        """The number of inputs that hang, crash or end in a traceback."""
        return sum(t.outcomes.get(key, 0) for t in self.tallies.values() for key in FOUND)


def again(path: Path) -> int:
    """Run the input of a file in this process, and show what happens."""
    module = worker.module_of(path.name.split("-")[0])
    getattr(module, "prepare", lambda: None)()
    worker.limit_memory()
    worker.limited()
    outcome, text = worker.outcome_of(module, worker.from_bytes(path.read_bytes()))
    print(outcome, text)
    return int(outcome == "traceback")


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--area", action="append", choices=worker.areas(), help="repeatable")
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--again", type=Path, metavar="FILE", help="repeat a finding")
    options = parser.parse_args()
    if options.again:
        return again(options.again)
    for area in worker.areas():  # some set handlers of signals, which only this thread may
        worker.module_of(area)
    run = Run(options.seed, options.area or worker.areas(), options.findings)
    until = time.monotonic() + 60 * options.minutes
    threads = [
        threading.Thread(target=run.take_turns, args=(until,)) for _ in range(options.workers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*run.lines, run.table(), sep="\n")
    return int(run.found > 0)


if __name__ == "__main__":
    sys.exit(main())
