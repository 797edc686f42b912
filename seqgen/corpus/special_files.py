"""Pipes, terminals and devices, which are read once and may never end."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path
from typing import BinaryIO

from seqgen.errors import CorpusError

MOST_BYTES = 1 << 30  # of a stream, which is read into memory
SECONDS_TO_WAIT = 10.0  # for a program that writes to a pipe


def is_special(path: Path) -> bool:
    """Whether a path is neither a regular file nor a folder.

    Raises:
        OSError: the path does not exist.

    >>> is_special(Path("/dev/null"))
    True
    """
    mode = path.stat().st_mode
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def read_special(path: Path, label: str) -> bytes:
    """Read a pipe or a terminal to its end.

    Args:
        path: a special file.
        label: names it in messages.

    Raises:
        CorpusError: no program writes to the pipe, it holds more than `MOST_BYTES`, or the file is
            a device.
        OSError: it cannot be opened or read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_ISFIFO(path.stat().st_mode):
            _wait_for_writer(descriptor, label)
        elif not os.isatty(descriptor):
            raise CorpusError(f"{label} is a device; expected a file or a pipe, name one")
        os.set_blocking(descriptor, True)
        return read_stream(file, label)


def _wait_for_writer(descriptor: int, label: str) -> None:
    """Wait until a pipe has data, or has been closed by its writer.

    A program that has opened the pipe may take its time.
    """
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if poll.poll(1000 * SECONDS_TO_WAIT):
        return
    try:
        os.read(descriptor, 1)  # nothing: no program has the pipe open for writing
    except BlockingIOError:
        poll.poll()
        return
    raise CorpusError(
        f"{label} is a pipe, and no program has written to it for {SECONDS_TO_WAIT:.0f} s; start "
        "the program first, or give a file"
    )


def read_stream(file: BinaryIO, label: str) -> bytes:
    """Read a stream to its end.

    Raises:
        CorpusError: it is longer than `MOST_BYTES`.

    >>> import io
    >>> read_stream(io.BytesIO(b"ab"), "note")
    b'ab'
    """
    data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise CorpusError(
            f"{label}: expected at most {MOST_BYTES:,} bytes from a pipe, got more; write them to "
            "a file, and give that"
        )
    return data
