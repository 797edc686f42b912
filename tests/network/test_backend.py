"""TensorFlow is imported even if stderr is closed or missing."""

import os
import subprocess
import sys

from seqgen.network.backend import QUIET

# Python itself sets `sys.stderr` to None if the descriptor is closed, as by `2>&-` in a shell.
CLOSED = """
import os, sys
os.close(2)
sys.stderr = None
from seqgen.network.backend import _quiet, tf
os.dup2(1, 2)  # now it is open
with _quiet():
    os.write(2, b"a notice of TensorFlow")
print(tf.__version__)
"""


def test_tensorflow_is_imported_without_stderr() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOSED],
        env={**os.environ, QUIET: "1"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout[:1].isdigit()
