"""A few of the kills of `make kill-test`."""

import subprocess
import sys

from tests.conftest import PATIENCE


def test_killed_runs_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill_harness", "--kills", "4", "--seed", "3"],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "killed" in done.stdout
