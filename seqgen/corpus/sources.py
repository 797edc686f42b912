"""The sources of a corpus: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import hashlib
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seqgen.errors import CorpusError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Source:
    """A file, or the content of one in memory.

    >>> Source("note", data=b"hello").size
    5
    """

    label: str  # in messages
    path: Path | None = None
    data: bytes = b""  # used if there is no path
    optional: bool = False  # found in a folder, so that it may be skipped

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size if self.path else len(self.data)

    def open(self) -> BinaryIO:
        """Open the source as a binary file.

        Raises:
            CorpusError: the file cannot be opened.
        """
        if self.path is None:
            return io.BytesIO(self.data)
        try:
            return self.path.open("rb")
        except OSError as error:
            raise CorpusError(
                f"{self.label} cannot be read: {error.strerror}; check its permissions, or leave "
                "it out"
            ) from error

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, at most a megabyte at a time."""
        with self.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def sha256(sources: Iterable[Source]) -> str:
    """The SHA-256 of the concatenated sources; for one file, what `sha256sum` prints.

    >>> sha256([Source("a", data=b"ab"), Source("b", data=b"c")])[:8]
    'ba7816bf'
    """
    digest = hashlib.sha256()
    for source in sources:
        for chunk in source.chunks():
            digest.update(chunk)
    return digest.hexdigest()


def from_folder(folder: Path) -> list[Source]:
    """All files below a folder, sorted by path, without hidden files and folders."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [
        Source(str(path), path, optional=True)
        for path in sorted(files)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def from_path(text: str) -> list[Source] | None:
    """The sources at a path; None if nothing matches.

    Args:
        text: a file, a folder, a glob, or `-` for standard input. An existing file whose name
            looks like a glob is read as a file.

    Raises:
        CorpusError: standard input is closed, or `text` cannot be a path.
    """
    if text == "-":
        if sys.stdin is None:
            raise CorpusError("standard input is closed; give a file, or redirect one to it")
        return [Source("standard input", data=sys.stdin.buffer.read())]
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            return from_folder(path)
        if path.is_file():
            return [Source(text, path)]
        if path.exists():  # a pipe, which can be read only once
            return [Source(text, data=path.read_bytes())]
    except (OSError, RuntimeError, ValueError) as error:  # name too long, unknown ~user, NUL
        raise CorpusError(f"{text[:80]} is not a readable path: {error}; check the name") from error
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (Path.glob rejects absolute patterns)
    files = [Path(match) for match in matches if Path(match).is_file()]
    return [Source(str(file), file) for file in files] or None
