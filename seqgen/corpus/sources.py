"""The sources of a corpus: files, folders, globs and standard input."""

from __future__ import annotations

import glob
import hashlib
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seqgen.corpus.special_files import is_special, read_special, read_stream
from seqgen.errors import CorpusError, shown

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
        """Size in bytes.

        Raises:
            CorpusError: the file does not exist any more.
        """
        if self.path is None:
            return len(self.data)
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise self._unreadable(error) from error

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
            raise self._unreadable(error) from error

    def head(self, count: int) -> bytes:
        """The first `count` bytes; errors as for `chunks`."""
        with self.open() as file:
            try:
                return file.read(count)
            except OSError as error:
                raise self._unreadable(error) from error

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, at most a megabyte at a time.

        Raises:
            CorpusError: the file cannot be opened or read.
        """
        with self.open() as file:
            try:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
            except OSError as error:  # a damaged disk, or a file such as /proc/self/mem
                raise self._unreadable(error) from error

    def _unreadable(self, error: OSError) -> CorpusError:
        return CorpusError(
            f"{self.label} cannot be read: {error.strerror or error}; check its permissions, or "
            "leave it out"
        )


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


def natural_key(path: Path) -> tuple[list[list[str | int]], str]:
    """The key that sorts paths as people do: numbers by their value.

    >>> sorted(map(Path, ["chapter10", "chapter2"]), key=natural_key)[0].name
    'chapter2'
    """
    parts: list[list[str | int]] = []
    for part in path.parts:
        pieces = re.split(r"(\d+)", part)  # text and numbers alternate
        parts.append([int(piece) if i % 2 else piece for i, piece in enumerate(pieces)])
    return parts, str(path)


def from_folder(folder: Path) -> list[Source]:
    """All files below a folder in natural order, without hidden files and folders."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [
        Source(str(path), path, optional=True)
        for path in sorted(files, key=natural_key)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def from_path(text: str) -> list[Source] | None:
    """The sources at a path; None if nothing matches.

    Args:
        text: a file, a folder, a glob, or `-` for standard input. An existing file whose name
            looks like a glob is read as a file.

    Raises:
        CorpusError: standard input is closed, `text` is empty or cannot be a path, or it is a
            device, or a pipe to which no program writes.
    """
    if text == "-":
        return [Source("standard input", data=_standard_input())]
    if not text:
        raise CorpusError(
            "expected a file, a folder, a glob, - or a name, got an empty text; the current folder "
            "is ."
        )
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            return from_folder(path)
        if path.is_file():
            return [Source(text, path)]
        if path.exists() and is_special(path):  # can be read once only
            return [Source(text, data=read_special(path, text))]
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 (Path.glob rejects absolute patterns)
        files = sorted((Path(match) for match in matches), key=natural_key)
        return [Source(str(file), file) for file in files if file.is_file()] or None
    except (OSError, RuntimeError, ValueError, re.error) as error:  # too long, ~nobody, NUL, [z-a]
        raise CorpusError(
            f"{shown(text)} is not a readable path: {error}; check the name"
        ) from error


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise CorpusError("standard input is closed; give a file, or redirect one to it")
    try:
        return read_stream(sys.stdin.buffer, "standard input")
    except OSError as error:  # a folder, or a terminal of a background process
        raise CorpusError(
            f"standard input cannot be read: {error.strerror}; redirect a file to it"
        ) from error
