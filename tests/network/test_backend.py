"""TensorFlow is imported even if stderr is closed or missing."""

import os
import subprocess
import sys

import pytest

from seqgen.network.backend import QUIET


@pytest.mark.parametrize("before", ["import sys; sys.stderr = None", "import os; os.close(2)"])
def test_tensorflow_is_imported_without_stderr(before: str) -> None:
    script = f"{before}\nfrom seqgen.network.backend import tf\nprint(tf.__version__)"
    environment = {**os.environ, QUIET: "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert done.returncode == 0 and done.stdout[:1].isdigit()
