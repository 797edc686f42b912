"""The only reader and writer of checkpoints: what an interrupted run needs to go on.

A checkpoint is a NumPy `.npz` file, that is a zip, with one more member, `facts.json`.
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
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.config import ModelConfig, TrainConfig
from seqgen.errors import CheckpointError
from seqgen.utils.atomic_files import atomic_write, unused_path
from seqgen.vocabulary import Vocabulary

FORMAT_VERSION = 3
MEMBER = "facts.json"

Arrays = dict[str, list[npt.NDArray[Any]]]  # lists of arrays by what they are of

UNREADABLE = (OSError, EOFError, zlib.error, zipfile.BadZipFile, KeyError, ValueError, TypeError)


def beside(model: Path) -> Path:
    """Where the checkpoint of a model's run stands.

    >>> beside(Path("models/book.keras")).name
    'book.checkpoint'
    """
    return model.with_suffix(".checkpoint")


def save(path: Path, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a checkpoint, whole or not at all: until then the previous one stands.

    Raises:
        OutputError: it cannot be written; the previous one is as it was.
    """
    named = {f"{name}/{i}": each for name, row in arrays.items() for i, each in enumerate(row)}
    with atomic_write(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **named)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps({"format_version": FORMAT_VERSION, **facts}))


def read(path: Path) -> bytes:
    """The checkpoint as it stands there.

    Raises:
        CheckpointError: there is none, or it cannot be read.
    """
    if not path.exists():
        raise CheckpointError(
            f"{path}: no such checkpoint; a run keeps one until it is finished. To train a "
            "finished model further, name it with --from"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def parsed(data: bytes, path: Path) -> tuple[dict[str, Any], Arrays]:
    """The facts and the arrays of a checkpoint.

    Args:
        data: what `read` gave.
        path: named in messages.

    Raises:
        CheckpointError: it is damaged, or of another format version.
    """
    with damage_named(path):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            facts = json.loads(archive.read(MEMBER))
        if facts["format_version"] != FORMAT_VERSION:
            raise CheckpointError(
                f"{path} has format version {facts['format_version']}, this seqgen goes on from "
                f"version {FORMAT_VERSION}; use the seqgen that made it, or train again"
            )
        return facts, _arrays(data)


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Errors of reading a checkpoint, or of going on from what it holds, become
    `CheckpointError`.
    """
    try:
        yield
    except UNREADABLE as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"{path} is damaged and cannot be read ({reason}); train again without --resume"
        ) from error


def beginning(
    path: Path, saved: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[ModelConfig, TrainConfig, Vocabulary, str]:
    """What the run of a checkpoint began with; last what tells the model, if it began with one.

    Args:
        path: named in messages.
        saved: the facts of the checkpoint.
        given: the options of the run that would go on.

    Raises:
        CheckpointError: an option is given that it had not, or it is damaged.
    """
    with damage_named(path):
        options = {**saved["model_config"], **saved["train_config"]}
        require_same(path, {"options": options}, {"options": given})
        return (
            ModelConfig.from_json(saved["model_config"]),
            TrainConfig.from_json(saved["train_config"]),
            Vocabulary.from_json(saved["corpus"]["vocabulary"]),
            saved["place"]["base"],
        )


def require_same(path: Path, saved: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise `CheckpointError` unless a checkpoint was made with the same data and options.

    Args:
        path: named in the message.
        saved: the facts of the checkpoint.
        here: those of the run that would go on; each a mapping.
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


def load(path: Path) -> tuple[dict[str, Any], Arrays]:
    """`read` and `parsed` in one."""
    return parsed(read(path), path)


def reading(path: Path) -> dict[str, Any]:
    """How the run of a checkpoint read its corpus: options of `seqgen.tasks.load.load_corpus`."""
    facts = load(path)[0]
    found = {"shuffled", "training_tokens", "validation_tokens"}  # by reading it
    with damage_named(path):
        options = {k: v for k, v in facts["corpus_options"].items() if k not in found}
        return {**options, "task": facts["corpus"]["task"]}


def latest(folder: Path, name: str) -> Path | None:
    """The newest checkpoint of a run whose model was to be `NAME.keras`, `NAME-1.keras`, … there.

    >>> latest(Path("no-such-folder"), "book") is None
    True
    """
    pattern = re.compile(rf"{re.escape(name)}(-\d+)?\.checkpoint")
    found = [path for path in folder.glob("*.checkpoint") if pattern.fullmatch(path.name)]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def put_aside(path: Path) -> Path | None:
    """Keep a checkpoint that stands where another run's will: where it is now, if there was one."""
    if not path.exists():
        return None
    kept = unused_path(path)
    path.rename(kept)
    return kept


def _arrays(data: bytes) -> Arrays:
    arrays: Arrays = {}
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        for member in file.files:  # in the order in which they were written
            name, _, _ = member.rpartition("/")
            if name:
                arrays.setdefault(name, []).append(file[member])
    return arrays
