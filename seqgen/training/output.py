"""The model file of a training run: its default name, and how it is written at the end."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from seqgen.errors import OutputError
from seqgen.tasks.output import Say, say_if_renamed
from seqgen.training import checkpoint
from seqgen.utils.atomic_files import require_writable, unused_path
from seqgen.utils.sigint import INTERRUPTIONS, ignore_sigint

if TYPE_CHECKING:
    from seqgen.model import Model


def default_path(name: str, *, resume: bool) -> Path:
    """A file named after the corpus, in the folder `models` if there is one.

    Args:
        name: of the corpus.
        resume: return the file of the last interrupted run, rather than a new one.

    Raises:
        OutputError: it cannot be written.
    """
    folder = Path("models" if Path("models").is_dir() else ".")
    path = folder / f"{name}.keras"
    if not resume:
        path = unused_path(path)
    elif interrupted := checkpoint.latest(folder, name):
        path = interrupted.with_suffix(".keras")
    require_writable(path)
    return path


def save(model: Model, path: Path, say: Say) -> None:
    """Write the model of a run, and remove the run's checkpoint if it is complete.

    An existing file at `path` is renamed. Ctrl-C, SIGTERM and SIGHUP are ignored meanwhile. If
    `path` cannot be written, the model is written to the temporary folder or to the home folder.

    Args:
        model: the result of the run.
        path: ends in `.keras`.
        say: shows a message to the user.

    Raises:
        OutputError: `path` cannot be written; the message says where the model is instead.
    """
    checkpoint_path = checkpoint.path_for(path)
    say_if_renamed(path, say)
    with ignore_sigint():
        try:
            model.save(path, keep=True)
        except OutputError as error:
            raise OutputError(f"{error}; {_rescue(model, path)}") from error
        if model.data.scores["ended_early"] not in INTERRUPTIONS:
            with suppress(OSError):  # the folder became read-only
                checkpoint_path.unlink(missing_ok=True)
        elif checkpoint_path.exists():
            say(f"to continue this run, repeat the command with -o {path} --resume")


def _rescue(model: Model, path: Path) -> str:
    """Write a model to another folder, and say where it is or how to get it back."""
    for folder in (tempfile.gettempdir, Path.home):
        with suppress(OSError, RuntimeError):  # there is no such folder, or its disk is full too
            other = unused_path(Path(folder()) / path.name)
            model.save(other)
            return f"the model was written to {other}"
    if checkpoint.path_for(path).exists():
        return (
            "it could not be written elsewhere; free some space, then repeat the command with "
            f"-o {path} --resume"
        )
    return "it could not be written elsewhere and is lost"
