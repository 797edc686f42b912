"""Write files atomically, without overwriting files of the user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seqgen.errors import OutputError


def unused_path(path: Path) -> Path:
    """The path itself if it does not exist, else the first free `stem-1.ext`, `stem-2.ext`, …

    >>> unused_path(Path("no-such-folder/book.keras")).name
    'book.keras'
    """
    number, candidate = 0, path
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate


def _is_special(path: Path) -> bool:
    """Whether a path is a pipe or a device, such as /dev/stdout, which is written directly."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except OSError as error:
        raise OutputError(f"{str(path)[:80]} cannot be written: {error.strerror}") from error


def require_writable(path: Path) -> None:
    """Raise `OutputError` if `path` cannot be written; call it before long computations."""
    if _is_special(path):
        return
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"{path}: there is no folder {folder}; create it, or choose another one")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; expected the name of a file, such as one in it")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path}: no permission to write in {folder}; choose another folder")


@contextmanager
def atomic_write(path: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a temporary path on the same disk, and rename it to `path` if the block succeeds.

    If the block raises, the temporary file is removed and `path` is unchanged.

    Args:
        path: the file to write.
        keep: rename an existing file to the next `unused_path` instead of replacing it.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.

    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    require_writable(path)
    if _is_special(path):
        yield path
        return
    try:
        # A temporary folder, because a temporary file would ignore the user's umask.
        with tempfile.TemporaryDirectory(prefix=".seqgen-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            if keep and path.exists():
                path.rename(unused_path(path))
            temporary.replace(path)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror or str(error)
        raise OutputError(f"{path} was not written: {reason}; an existing file is kept") from error
