"""The only reader and writer of checkpoint files, from which an interrupted run continues.

A checkpoint is a NumPy `.npz` file, which is a zip, with one more member, `facts.json`.
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqgen.errors import CheckpointError, OutputError, reason
from seqgen.model_file import TOKENS
from seqgen.tasks import base as tasks
from seqgen.types import Array, Json
from seqgen.utils import schema
from seqgen.utils.archives import DAMAGED, Archive, open_archive, read_regular
from seqgen.utils.atomic_files import atomic_write, unused_path
from seqgen.vocabulary import Vocabulary

FORMAT_VERSION = 3
MEMBER = "facts.json"

Arrays = dict[str, list[Array]]  # name → arrays
Groups = Mapping[str, Mapping[str, object]]  # group → name → value

UNREADABLE = (*DAMAGED, KeyError, TypeError, AttributeError, IndexError, MemoryError)
MOST_FACTS = 1 << 28  # bytes of `facts.json`
MOST_BYTES = 1 << 34  # of a checkpoint
CORPUS_OPTIONS = schema.record(  # of all tasks; each checks its own
    {}, {"validation": schema.number(0, 0.5)}, others=schema.anything
)
MOST_DIMENSIONS = 8  # of an array


class Checkpoint(NamedTuple):
    """The contents of a checkpoint file."""

    facts: Json  # configurations, corpus, and under "place" the state of the run
    arrays: Arrays


def path_for(model: Path) -> Path:
    """The checkpoint file of the run that will write `model`.

    >>> path_for(Path("models/book.keras")).name
    'book.checkpoint'
    """
    return model.with_suffix(".checkpoint")


def save(path: Path, facts: Mapping[str, object], arrays: Arrays) -> None:
    """Replace a checkpoint file atomically.

    Raises:
        OutputError: it cannot be written; the previous checkpoint is unchanged.
    """
    named = {f"{name}/{i}": array for name, row in arrays.items() for i, array in enumerate(row)}
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
    with translate_errors(path):
        if not path.is_file():
            raise CheckpointError(
                f"{path}: no such checkpoint; only an interrupted run leaves one. To train a "
                "finished model further, name it with --from"
            )
        with open_archive(path) as archive:  # so that nothing else is read to its end
            archive.size(MEMBER)
        return read_regular(path, MOST_BYTES)


def parse(data: bytes, path: Path) -> Checkpoint:
    """Parse the bytes of a checkpoint file.

    Args:
        data: the result of `read`.
        path: for error messages.

    Raises:
        CheckpointError: it is damaged, or has another format version.
    """
    with translate_errors(path):
        with open_archive(data) as archive:
            facts = json.loads(archive.read(MEMBER, MOST_FACTS))
            arrays = _arrays(archive)
        if facts["format_version"] != FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {facts['format_version']}, this seqgen reads version "
                f"{FORMAT_VERSION}; use the seqgen that made it, or train again"
            )
        return Checkpoint(facts, arrays)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise `CheckpointError` for errors of reading a checkpoint or of using its contents."""
    try:
        yield
    except UNREADABLE as error:
        raise CheckpointError(
            f"{path} is damaged and cannot be read ({reason(error)}); train again without --resume"
        ) from error


def require_same(path: Path, saved: Groups, here: Groups) -> None:
    """Raise `CheckpointError` unless a checkpoint was made with the same data and options.

    Args:
        path: for the error message.
        saved: the values in the checkpoint.
        here: the same for the run that resumes it; it may lack groups and names.
    """
    differing = [
        f"{name} {_short(saved[group].get(name))}, here {_short(value)}"
        for group in here
        for name, value in here[group].items()
        if saved[group].get(name) != value
    ]
    if differing:
        raise CheckpointError(
            f"{path} was made with other data or options: {'; '.join(differing)}; "
            "give the same, or train again without --resume"
        )


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def load(path: Path) -> Checkpoint:
    """Read and parse a checkpoint file; it raises the errors of `read` and `parse`."""
    return parse(read(path), path)


def corpus_options(path: Path) -> Json:
    """The options of `seqgen.tasks.load.load_corpus` that the run of a checkpoint used.

    Raises:
        CheckpointError: as for `load`, or they are not those of a task.
    """
    facts = load(path).facts
    results = {"shuffled", "training_tokens", "validation_tokens"}  # no options
    with translate_errors(path):
        options = {k: v for k, v in facts["corpus_options"].items() if k not in results}
        CORPUS_OPTIONS(options)
        task, vocabulary = facts["corpus"]["task"], facts["corpus"]["vocabulary"]
        TOKENS(vocabulary)
        of_task = {k: v for k, v in options.items() if k != "validation"}
        tasks.get(task).require_valid(
            {**facts["corpus"], "options": of_task}, Vocabulary.from_json(vocabulary)
        )
        return {**options, "task": task}


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
    try:
        if not path.exists():
            return None
        renamed = unused_path(path)
        path.rename(renamed)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be renamed: {error.strerror}; move it, or choose another output"
        ) from error
    return renamed


def _arrays(archive: Archive) -> Arrays:
    arrays: Arrays = {}
    for member in archive.names:  # in the order of writing
        name, _, _ = member.rpartition("/")
        if name:
            arrays.setdefault(name, []).append(_array(member, archive.read(member, MOST_BYTES)))
    return arrays


def _array(name: str, data: bytes) -> Array:
    """The array of a `.npy` file, whose size must be the one that its header states.

    `numpy.load` would allocate what the header asks for, whatever the size of the file.
    """
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{name}: expected version 1.0 of the format of NumPy")
    try:
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # those of Python's tokenizer, too
        raise ValueError(f"{name}: expected a header of NumPy: {error}") from error
    numbers = data[file.tell() :]
    is_array = len(shape) <= MOST_DIMENSIONS and min(shape, default=0) >= 0
    if dtype.kind not in "biuf" or is_fortran or not is_array:
        raise ValueError(f"{name}: expected an array of numbers, got {dtype} of shape {shape}")
    if math.prod(shape) * dtype.itemsize != len(numbers):
        raise ValueError(f"{name}: expected {dtype} of shape {shape}, got {len(numbers):,} bytes")
    return np.array(np.frombuffer(numbers, dtype).reshape(shape))
