import subprocess
import sys
from pathlib import Path

import pytest

from seqgen.errors import OutputError
from seqgen.utils import locks
from seqgen.utils.locks import lock

pytestmark = pytest.mark.skipif(locks.fcntl is None, reason="Windows has no locks of this kind")

HOLD = """
import sys
from pathlib import Path
from seqgen.utils.locks import lock
with lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_process_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        (tmp_path / "link.keras").symlink_to("m.keras")
        for name in (path, tmp_path / "link.keras"):
            message = f"another process \\({process.pid}\\)"
            with pytest.raises(OutputError, match=message), lock(name):
                pytest.fail("both hold it")
        with lock(tmp_path / "other.keras"):
            pass
        process.kill()  # nothing is left to clean up
    with lock(path):
        pass


def test_a_lock_is_released_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), lock(tmp_path / "m.keras"):
            assert len(list((tmp_path / "locks").iterdir())) == 1
            raise ZeroDivisionError
    assert list((tmp_path / "locks").iterdir()) == []


def test_without_a_cache_folder_there_is_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQGEN_CACHE", "/dev/null/cache")
    with lock(tmp_path / "m.keras"), lock(tmp_path / "m.keras"):
        pass
