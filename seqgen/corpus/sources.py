"""Where the bytes of a corpus come from: files, folders, globs, standard input."""

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
    """One file, or bytes that stand for one.

    >>> Source("note", data=b"hello").size
    5
    """

    label: str  # what an error message calls it
    path: Path | None = None
    data: bytes = b""  # where there is no path
    optional: bool = False  # found in a folder, not named by the user: may be skipped

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size if self.path else len(self.data)

    def open(self) -> BinaryIO:
        """A binary file at its start.

        Raises:
            CorpusError: the file cannot be opened.
        """
        if self.path is None:
            return io.BytesIO(self.data)
        try:
            return self.path.open("rb")
        except OSError as error:
            raise CorpusError(f"{self.label} cannot be read: {error.strerror}") from error

    def chunks(self) -> Iterator[bytes]:
        """The bytes, a megabyte at a time."""
        with self.open() as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


def sha256(sources: Iterable[Source]) -> str:
    """The SHA-256 of all bytes in order; of one file, what `sha256sum` prints.

    >>> sha256([Source("a", data=b"ab"), Source("b", data=b"c")])[:8]
    'ba7816bf'
    """
    digest = hashlib.sha256()
    for source in sources:
        for chunk in source.chunks():
            digest.update(chunk)
    return digest.hexdigest()


def from_folder(folder: Path) -> list[Source]:
    """Every file below a folder, sorted by path; hidden files and folders are left out."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [
        Source(str(path), path, optional=True)
        for path in sorted(files)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def from_path(text: str) -> list[Source] | None:
    """The sources that a path, a folder, a glob or `-` stands for; None if there are none.

    A file whose name looks like a glob is taken as the file.
    """
    if text == "-":
        if sys.stdin is None:
            raise CorpusError("standard input is closed; name a file, or send text to it")
        return [Source("standard input", data=sys.stdin.buffer.read())]
    try:
        path = Path(text).expanduser()
        if path.is_dir():
            return from_folder(path)
        if path.is_file():
            return [Source(text, path)]
        if path.exists():  # a pipe, which can be read only once
            return [Source(text, data=path.read_bytes())]
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, no such user, a zero
        raise CorpusError(f"{text[:80]} is no path that can be read: {error}") from error
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 (takes absolute globs)
    files = [Path(match) for match in matches if Path(match).is_file()]
    return [Source(str(file), file) for file in files] or None
