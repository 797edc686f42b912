"""What many tests need: a cache folder of their own, a small text, the command line as a process,
and one small trained model."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

SENTENCE = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.\n"

settings.register_profile("seqgen", deadline=None)  # a busy machine fails no test
settings.load_profile("seqgen")

Run = Callable[..., subprocess.CompletedProcess[str]]

# Where the tests run in the background, Ctrl-C is ignored, and the programs they start inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
def seqgen() -> Run:
    """Run `seqgen` as a user does: a process of its own."""

    def run(
        *arguments: object, cwd: Path | None = None, **options: object
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "seqgen", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            **options,
        )

    return run


@pytest.fixture(scope="session")
def trained(book: Path, tmp_path_factory: pytest.TempPathFactory, seqgen: Run) -> Path:
    """The file of a model that knows the sentence by heart."""
    path = tmp_path_factory.mktemp("models") / "book.keras"
    done = seqgen(
        *("train", book, "-o", path, "--epochs", 12, "--units", 64, "--embedding", 16),
        *("--batch-size", 8, "--window", 32, "--learning-rate", 0.02),
        *("--dropout", 0, "--recurrent-dropout", 0, "--weight-decay", 0),
    )
    assert done.returncode == 0, done.stderr
    return path
