"""How long a user waits for help, and for the first character. No options."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measure import median_seconds, print_table, run, untrained


def main() -> None:
    rows = [("whole process, median of 9", "seconds", "at most")]
    rows.append(("`seqgen --help`", f"{median_seconds(lambda: run('--help'), 9):.2f}", "0.3"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        untrained(512, 2).save(path)
        seconds = median_seconds(lambda: run("generate", path, "--length", 1), 9)
    rows.append(("`seqgen generate` of 1 character, LSTM 2 x 512", f"{seconds:.2f}", "0.7"))
    print_table("Start-up", rows)


if __name__ == "__main__":
    main()
