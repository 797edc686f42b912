"""Start-up time of `seqgen --help`, and of `seqgen generate` for one character.

python -m benchmarks.startup [--runs 9]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import median_seconds, print_table, run, untrained


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="runs of each command")
    runs = parser.parse_args().runs
    rows = [(f"whole process, median of {runs}", "seconds", "at most")]
    rows.append(("`seqgen --help`", f"{median_seconds(lambda: run('--help'), runs):.2f}", "0.2"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        untrained(512, 2).save(path)
        seconds = median_seconds(lambda: run("generate", path, "--length", 1), runs)
    rows.append(("`seqgen generate` of 1 character, LSTM 2 x 512", f"{seconds:.2f}", "0.7"))
    print_table("Start-up", rows)


if __name__ == "__main__":
    main()
