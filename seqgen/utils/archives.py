"""Reading files of strangers: regular files only, and zip archives that cannot exhaust memory."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# What reading a damaged zip archive may raise.
DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError,
           ValueError, OverflowError)  # fmt: skip
END_RECORD = b"PK\5\6"  # of the directory of an archive, whose size follows after 8 bytes
END_BYTES = (1 << 16) + 22  # longest end record with its comment
DIRECTORY_BYTES = 1 << 20  # limit of the directory: about ten thousand members
LARGEST_RATIO = 64  # of the sizes of a member after and before it is unpacked
SMALL = 1 << 20  # bytes of an unpacked member, up to which its ratio may be larger
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; no folder, device or pipe, whose end may never come.

    Raises:
        OSError: the file is missing, not readable or not a regular file.

    >>> open_regular(Path("/"))
    Traceback (most recent call last):
    IsADirectoryError: [Errno 21] it is a folder: '/'
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(21, "it is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(22, "it is a device or a pipe; expected a file", str(path))
    # Another process may replace the file by a pipe in between: opening that must not block.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    return open(os.open(path, flags), "rb")  # noqa: PTH123


def read_regular(path: Path, most: int) -> bytes:
    """The content of a file.

    Args:
        path: of a regular file, see `open_regular`.
        most: limit of its size in bytes, which is checked before memory is asked for.

    Raises:
        OSError: it cannot be read.
        ValueError: it is larger.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"expected at most {most:,} bytes, got {size:,}")
        return file.read()


@contextmanager
def open_archive(source: Path | bytes) -> Iterator[Archive]:
    """Open a zip archive.

    Args:
        source: its path, or its content.

    Raises:
        OSError: the file cannot be read.
        zipfile.BadZipFile: it is no zip archive, or has too many members.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else open_regular(source)
    with file:
        _require_short_directory(file)
        with zipfile.ZipFile(file) as archive:
            yield Archive(archive)


def _require_short_directory(file: BinaryIO) -> None:
    """Raise `BadZipFile` for an archive with more members than can be listed quickly."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - END_BYTES, 0))
    end = file.read(END_BYTES)
    at = end.rfind(END_RECORD)
    directory = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if directory > DIRECTORY_BYTES:
        raise zipfile.BadZipFile("it has too many members")
    file.seek(0)


class Archive:
    """A zip archive whose members are read up to a limit.

    Args:
        archive: the archive.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.names = archive.namelist()

    def size(self, name: str) -> int:
        """The size of a member in bytes, as the archive states it."""
        return self._archive.getinfo(name).file_size

    def read(self, name: str, most: int) -> bytes:
        """The content of a member.

        Args:
            name: of the member.
            most: limit of its size in bytes.

        Raises:
            ValueError: it is missing, larger, or unpacks to far more than it takes in the file.
        """
        if name not in self.names:
            raise ValueError(f"{name} is missing")
        member = self._archive.getinfo(name)
        if member.file_size > most:
            raise ValueError(f"{name}: expected at most {most:,} bytes, got {member.file_size:,}")
        if member.compress_type not in METHODS:
            raise ValueError(f"{name}: expected a member that is stored or deflated")
        if member.file_size > max(LARGEST_RATIO * member.compress_size, SMALL):
            raise ValueError(
                f"{name}: expected at most {LARGEST_RATIO} times its {member.compress_size:,} "
                f"bytes in the archive, got {member.file_size:,}"
            )
        try:
            with self._archive.open(member) as file:
                return file.read(most + 1)
        except DAMAGED as error:
            raise ValueError(f"{name}: {error}") from error
