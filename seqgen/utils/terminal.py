"""A stderr that never raises."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import BinaryIO


class ForgivingStream(io.TextIOWrapper):
    """A text stream for messages, which are lost if they cannot be written.

    A terminal may have been closed, and a disk may be full: neither should end a training run.
    Characters that the encoding lacks are escaped.

    >>> with open("/dev/full", "wb", buffering=0) as full:
    ...     ForgivingStream(full, "ascii").write("lost\\n")
    5
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__(
            file, encoding, errors="backslashreplace", line_buffering=True, write_through=True
        )

    def write(self, text: str) -> int:
        """Write a text, if possible; its length in any case."""
        with suppress(OSError, ValueError):  # `ValueError`: the stream is closed
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream, if possible."""
        with suppress(OSError, ValueError):
            super().flush()
