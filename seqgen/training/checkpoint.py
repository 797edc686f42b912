"""The only reader and writer of checkpoint files, from which an interrupted run continues.

A checkpoint is a NumPy `.npz` file, which is a zip, with one more member, `facts.json`.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.errors import CheckpointError, OutputError
from seqgen.types import Json
from seqgen.utils.atomic_files import atomic_write, unused_path

FORMAT_VERSION = 3
MEMBER = "facts.json"

Arrays = dict[str, list[npt.NDArray[Any]]]  # name → arrays

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, ValueError, TypeError)


class Checkpoint(NamedTuple):
    """The contents of a checkpoint file."""

    facts: Json  # configurations, corpus and `place`, the state of the run
    arrays: Arrays


def path_for(model: Path) -> Path:
    """The checkpoint file of the run that will write `model`.

    >>> path_for(Path("models/book.keras")).name
    'book.checkpoint'
    """
    return model.with_suffix(".checkpoint")


def save(path: Path, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Replace a checkpoint file atomically.

    Raises:
        OutputError: it cannot be written; the previous checkpoint is unchanged.
    """
    named = {f"{name}/{i}": each for name, row in arrays.items() for i, each in enumerate(row)}
    with atomic_write(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **named)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"format_version": FORMAT_VERSION, **facts}))


def read(path: Path) -> bytes:
    """The bytes of a checkpoint file.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if not path.is_file():
        raise CheckpointError(
            f"{path}: no such checkpoint; only an interrupted run leaves one. To train a finished "
            "model further, name it with --from"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def parse(data: bytes, path: Path) -> Checkpoint:
    """Parse the bytes of a checkpoint file.

    Args:
        data: the result of `read`.
        path: for error messages.

    Raises:
        CheckpointError: it is damaged, or has another format version.
    """
    with translate_errors(path):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            facts = json.loads(archive.read(MEMBER))
        if facts["format_version"] != FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {facts['format_version']}, this seqgen reads version "
                f"{FORMAT_VERSION}; use the seqgen that made it, or train again"
            )
        return Checkpoint(facts, _arrays(data))


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise `CheckpointError` for errors of reading a checkpoint or of using its contents."""
    try:
        yield
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} is damaged and cannot be read ({reason}); train again without --resume"
        ) from error


def require_same(path: Path, saved: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise `CheckpointError` unless a checkpoint was made with the same data and options.

    Args:
        path: for the error message.
        saved: group → name → value in the checkpoint.
        here: the same for the run that resumes it; it may lack groups and names.
    """
    differing = [
        f"{name} {_short(saved[group].get(name))}, here {_short(each)}"
        for group in here
        for name, each in here[group].items()
        if saved[group].get(name) != each
    ]
    if differing:
        raise CheckpointError(
            f"{path} was made with other data or options: {'; '.join(differing)}; "
            "give the same, or train again without --resume"
        )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def load(path: Path) -> Checkpoint:
    """Read and parse a checkpoint file; errors as for `read` and `parse`."""
    return parse(read(path), path)


def corpus_options(path: Path) -> Json:
    """The options of `seqgen.tasks.load.load_corpus` that the run of a checkpoint used."""
    facts = load(path).facts
    results = {"shuffled", "training_tokens", "validation_tokens"}  # no options
    with translate_errors(path):
        options = {k: v for k, v in facts["corpus_options"].items() if k not in results}
        return {**options, "task": facts["corpus"]["task"]}


def latest(folder: Path, name: str) -> Path | None:
    """The newest checkpoint in a folder of runs that write `NAME.keras`, `NAME-1.keras`, ….

    >>> latest(Path("no-such-folder"), "book") is None
    True
    """
    pattern = re.compile(rf"{re.escape(name)}(-\d+)?\.checkpoint")
    found = [path for path in folder.glob("*.checkpoint") if pattern.fullmatch(path.name)]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def put_aside(path: Path) -> Path | None:
    """Rename an existing checkpoint, so that another run can use its path.

    Returns:
        The new path; None if there was no checkpoint.

    Raises:
        OutputError: it cannot be renamed.
    """
    if not path.exists():
        return None
    renamed = unused_path(path)
    try:
        path.rename(renamed)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be renamed: {error.strerror}; move it, or choose another output"
        ) from error
    return renamed


def _arrays(data: bytes) -> Arrays:
    arrays: Arrays = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        for member in file.files:  # in the order of writing
            name, _, _ = member.rpartition("/")
            if name:
                arrays.setdefault(name, []).append(file[member])
    return arrays
