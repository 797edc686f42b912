"""Write files atomically, without overwriting files of the user.

Symbolic links are followed: the file that they lead to is replaced, never the link. Devices, pipes
and the open files of a process (`/dev/stdout`, `/proc/self/fd/1`) are written into.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from seqgen.errors import OutputError, shown

MOST_LINKS = 40  # that are followed, as in Linux
MOST_NAME_BYTES = 255
TEMPORARY = ".seqgen-"  # how temporary folders begin
SECONDS_OF_A_WRITE = 3600  # older temporary folders were left by a process that was killed
SECONDS_TO_WAIT = 10.0  # for a program that reads from a pipe


class _Target(NamedTuple):
    path: Path  # after all links
    is_special: bool  # whether it is written into, rather than replaced


def _target(path: Path) -> _Target:
    """What a path leads to.

    Raises:
        OSError: the links form a loop, a name is too long, or the current folder was deleted.
    """
    for _ in range(MOST_LINKS):
        path = Path(os.path.realpath(path.parent)) / path.name
        if path.is_relative_to("/proc"):  # an open file, which the name after the link may not be
            return _Target(path, is_special=True)
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    else:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return _Target(path, is_special=False)
    return _Target(path, not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)))


def unused_path(path: Path) -> Path:
    """The path itself if it does not exist, else the first free `stem-1.ext`, `stem-2.ext`, …

    A stem that is too long is shortened.

    >>> unused_path(Path("no-such-folder/book.keras")).name
    'book.keras'
    """
    number, candidate = 0, path
    while candidate.exists() or candidate.is_symlink():
        number += 1
        end = f"-{number}{path.suffix}"
        stem = shortened(path.stem, MOST_NAME_BYTES - len(os.fsencode(end)))
        candidate = path.with_name(stem + end)
    return candidate


def shortened(name: str, most_bytes: int) -> str:
    """The longest beginning of a file name that fits into a number of bytes.

    >>> shortened("déjà", 5)
    'déj'
    """
    encoded = os.fsencode(name)
    if len(encoded) <= most_bytes:
        return name
    return encoded[:most_bytes].decode(errors="ignore")


def renamed_to(path: Path) -> Path | None:
    """Where `atomic_write` with `keep` will move the file at `path`; None if there is none."""
    try:
        target, is_special = _target(path)
        if is_special or not target.is_file():
            return None
        return unused_path(target if path.is_symlink() else path)
    except OSError:
        return None  # it cannot be written, as `atomic_write` will say


def require_writable(path: Path) -> None:
    """Raise `OutputError` if `path` cannot be written; call it before long computations.

    A temporary folder is created beside it, since permissions do not tell everything.
    """
    with _translated_errors(path):
        target, is_special = _target(path)
        if is_special:
            return
        folder = (target if path.is_symlink() else path).parent
        if not folder.is_dir():
            raise OutputError(
                f"{path}: there is no folder {folder}; create it, or choose another one"
            )
        if target.is_dir():
            raise OutputError(f"{path} is a folder; expected the name of a file, such as one in it")
        try:
            with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=folder):
                pass
        except OSError as error:
            raise OutputError(
                f"{path}: nothing can be written in {folder} ({error.strerror}); choose another "
                "folder"
            ) from error


@contextmanager
def atomic_write(path: Path, *, keep: bool = False) -> Iterator[Path]:
    """Yield a temporary path on the same disk, and rename it to `path` if the block succeeds.

    If the block raises, the temporary file is removed and `path` is unchanged. A process that is
    killed leaves either the old file or the new one. A device or a pipe gets the content of the
    temporary file.

    Args:
        path: the file to write.
        keep: rename an existing file to the next `unused_path` instead of replacing it.

    Raises:
        OutputError: the folder is missing or not writable, the disk is full, or no program reads
            from the pipe.

    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic_write(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [file.name for file in folder.iterdir()]
    ['a.txt']
    """
    require_writable(path)
    with _translated_errors(path):
        target, is_special = _target(path)
        if is_special:
            with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
                temporary = Path(folder) / path.name
                yield temporary
                _copy_into(temporary, target)
            return
        _remove_abandoned(target.parent)
        # A temporary folder, because a temporary file would ignore the user's umask.
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=target.parent) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            if keep and target.exists():
                _keep(target)
            temporary.replace(target)


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        reason = error.strerror or str(error)
        if error.errno == errno.ENAMETOOLONG:
            reason += "; choose a shorter name"
        elif error.errno == errno.ENOENT and not _current_folder_exists():
            reason = "the current folder was deleted; change to another one"
        raise OutputError(
            f"{shown(path)} cannot be written: {reason}; an existing file is kept"
        ) from error


def _current_folder_exists() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def _keep(path: Path) -> None:
    """Give a file another name; it also has its old one, until that is replaced."""
    while True:
        other = unused_path(path)
        try:
            os.link(path, other)
            return
        except FileExistsError:
            continue  # another process has just taken the name
        except OSError:  # the file system has no hard links
            path.rename(other)
            return


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary folders of processes that were killed."""
    for left in folder.glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > SECONDS_OF_A_WRITE:
                shutil.rmtree(left, ignore_errors=True)


def _copy_into(source: Path, special: Path) -> None:
    with source.open("rb") as file, os.fdopen(_open_special(special), "wb") as output:
        shutil.copyfileobj(file, output)


def _open_special(path: Path) -> int:
    """Open a device, a pipe or an open file of a process for writing.

    Raises:
        OutputError: no program reads from the pipe.
    """
    if path.parent == Path(f"/proc/{os.getpid()}/fd"):
        return os.dup(int(path.name))  # at its position; opening the file again would start at 0
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > deadline:
                raise OutputError(
                    f"{path} is a pipe, and no program has read from it for "
                    f"{SECONDS_TO_WAIT:.0f} s; start the program first, or name a file"
                ) from error
            time.sleep(0.05)
    os.set_blocking(descriptor, True)
    return descriptor
