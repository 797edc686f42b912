"""Fixtures of many tests: a cache folder, a small text, the command line in this process and in its
own, and a small trained model."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from seqgen.__main__ import main

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n"

settings.register_profile("seqgen", deadline=None)  # a busy machine fails no test
settings.load_profile("seqgen")

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_configure() -> None:
    """Set what the processes started by tests inherit."""
    # In a background job the shell makes processes ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Every pytest process keeps to one core: the threads of several TensorFlow processes that share
    # the cores spend most of their time waiting for each other.
    if CORES:  # not on macOS and Windows
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        os.sched_setaffinity(0, {CORES[worker % len(CORES)]})


def require(is_there: object, what: str) -> None:
    """Skip a test on a user's machine; fail it in CI, where everything should be installed.

    Args:
        is_there: whether the requirement of the test is met.
        what: the requirement, and how to install it.
    """
    if not is_there and "CI" in os.environ:
        pytest.fail(what, pytrace=False)
    if not is_there:
        pytest.skip(what)


@pytest.fixture
def c_library() -> None:
    """Require the C library, unless it is switched off."""
    from seqgen.native import VARIABLE, library

    if os.environ.get(VARIABLE) == "0":
        pytest.skip(f"{VARIABLE} is 0")
    require(library(), "needs the C library: apt-get install gcc, and install seqgen again")


compiled = pytest.mark.usefixtures("c_library")

PRODUCT = """
import tensorflow as tf
a = tf.ones((8, 64), tf.bfloat16)
tf.function(lambda: tf.matmul(a, a, transpose_b=True), autograph=False)()
"""


@pytest.fixture(scope="session")
def bfloat16_products() -> None:
    """Skip a test if TensorFlow ends the process in a product of bfloat16 matrices.

    It does if the processor has instructions for them that oneDNN must not use.
    """
    variable = "ONEDNN_MAX_CPU_ISA"
    if variable in os.environ:
        done = subprocess.run([sys.executable, "-c", PRODUCT], capture_output=True)
        if done.returncode:
            pytest.skip(f"TensorFlow has no bfloat16 products with {variable} on this processor")


low_precision = pytest.mark.usefixtures("bfloat16_products")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """No test reads or writes the user's own cache folder."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["SEQGEN_CACHE"] = str(folder)
    return folder


@pytest.fixture(autouse=True)
def seed() -> None:
    """The initial weights in a test are the same in every run."""
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text that a network learns in seconds."""
    path = tmp_path_factory.mktemp("text") / "book.txt"
    path.write_text(SENTENCE * 200, encoding="utf-8")
    return path


# Seconds after which a process that hangs is ended; on a busy machine every process is slow.
PATIENCE = 900


@pytest.fixture
def seqgen(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the entry point of `seqgen` in this process, where TensorFlow is imported once."""

    def run(
        *arguments: object, cwd: Path | None = None, input: str = ""
    ) -> subprocess.CompletedProcess[str]:
        command = ["seqgen", *map(str, arguments)]
        capsys.readouterr()
        with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
            patch.setattr(sys, "argv", command)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(input.encode())))
            patch.setenv("SEQGEN_QUIET_TENSORFLOW", "1")  # `main` sets it for its process
            if cwd:
                patch.chdir(cwd)
            main()
        return subprocess.CompletedProcess(command, int(end.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def seqgen_process() -> Run:
    """Run `seqgen` as a user does, in a process of its own."""

    def run(
        *arguments: object, cwd: Path | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seqgen", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def trained(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a model that has memorised the sentence."""
    from seqgen import load_corpus, train

    path = tmp_path_factory.mktemp("models") / "book.keras"
    model = train(
        load_corpus(book), epochs=8, units=64, embedding=16, batch_size=32, window=16,
        learning_rate=0.02, dropout=0, recurrent_dropout=0, weight_decay=0,
    )  # fmt: skip
    model.save(path)
    return path
