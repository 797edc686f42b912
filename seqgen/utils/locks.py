"""Locks, so that two processes do not write the same file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from seqgen.errors import OutputError
from seqgen.utils.cache import cache_folder

try:
    import fcntl
except ImportError:  # Windows; there are no locks
    fcntl = None  # type: ignore[assignment]


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the lock of an output file inside the block; it ends with the process at the latest.

    The lock is a file in the cache folder, so that nothing is left beside the output. Without a
    cache folder, or on Windows, there are no locks.

    Raises:
        OutputError: another process holds it.

    >>> import tempfile
    >>> with lock(Path(tempfile.mkdtemp()) / "book.keras"):
    ...     pass
    """
    name = sha256(os.fsencode(os.path.realpath(path))).hexdigest()
    lock_path = cache_folder() / "locks" / name
    file = _acquired(lock_path, path)
    try:
        yield
    finally:
        if file is not None:
            with suppress(OSError):
                lock_path.unlink()
            os.close(file)


def _acquired(lock_path: Path, path: Path) -> int | None:
    """The descriptor of a lock file that this process holds; None if there are no locks."""
    if fcntl is None:
        return None
    while True:
        try:
            lock_path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(lock_path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            process = os.read(file, 20).decode(errors="replace") or "?"
            os.close(file)
            raise OutputError(
                f"{path} is being written by another process ({process}); wait for it, or name "
                "another file with -o"
            ) from error
        except OSError:  # the file system has no locks
            os.close(file)
            return None
        if os.fstat(file).st_nlink:  # else it was removed by the process that held it before
            os.truncate(file, 0)
            os.write(file, str(os.getpid()).encode())
            return file
        os.close(file)
