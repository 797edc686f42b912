"""As a library, seqgen leaves the process as it found it."""

import subprocess
import sys
from pathlib import Path

import pytest

SNAPSHOT = """
import logging, os, signal, sys, threading, warnings

def snapshot():
    names = ["", *sorted(logging.root.manager.loggerDict)]
    loggers = {n: (logging.getLogger(n).level, list(logging.getLogger(n).handlers)) for n in names}
    files = {}
    for fd in range(256):
        try:
            stat = os.fstat(fd)
        except OSError:
            continue
        files[fd] = (stat.st_dev, stat.st_ino)
    return {
        "loggers": loggers,
        "warnings": list(warnings.filters),
        "files": files,
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "environment": dict(os.environ),
        "sigint": signal.getsignal(signal.SIGINT),
        "threads": threading.active_count(),
    }

def changes(before, after):
    # New loggers are no change; but their levels and handlers are those of a fresh logger.
    loggers = after["loggers"]
    fresh = {n: (0, []) for n in loggers.keys() - before["loggers"].keys()}
    before = {**before, "loggers": {**before["loggers"], **fresh}}
    return {key: (before[key], after[key]) for key in before if before[key] != after[key]}
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


SCRIPTS = {
    "import": "import seqgen",
    "load": "import seqgen; seqgen.load({model!r})",
    "generate": "import seqgen; seqgen.load({model!r}).generate('The ', length=5, seed=1)",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_process_is_unchanged(name: str, trained: Path) -> None:
    # What seqgen imports may create loggers and threads; h5py and NumPy are imported before.
    script = SCRIPTS[name].format(model=str(trained))
    first = "" if name == "import" else "import h5py, numpy\n"
    done = run(
        f"{SNAPSHOT}\n{first}before = snapshot()\n{script}\nfound = changes(before, snapshot())\n"
        "assert not found, found"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SCRIPTS)
def test_seqgen_works_without_standard_streams(name: str, trained: Path, tmp_path: Path) -> None:
    marker = tmp_path / "done"
    script = SCRIPTS[name].format(model=str(trained))
    run(
        "import pathlib, sys\nsys.stdin = sys.stdout = sys.stderr = None\n"
        f"{script}\npathlib.Path({str(marker)!r}).touch()"
    )
    assert marker.exists()


def test_importing_a_public_name_prints_nothing() -> None:
    done = run("import seqgen\nfor name in seqgen.__all__: getattr(seqgen, name)")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "change",
    [
        "logging.getLogger('pooch').setLevel(50)",
        "logging.getLogger().addHandler(logging.NullHandler())",
        "warnings.simplefilter('ignore')",
        "os.dup2(os.open(os.devnull, os.O_WRONLY), 2)",
        "sys.stderr = None",
        "os.environ['SEQGEN_CHANGED'] = '1'",
    ],
)
def test_the_comparison_detects_a_change(change: str) -> None:
    done = run(
        f"{SNAPSHOT}\nlogging.getLogger('pooch')\nbefore = snapshot()\n{change}\n"
        "sys.exit(0 if changes(before, snapshot()) else 1)"
    )
    assert done.returncode == 0
