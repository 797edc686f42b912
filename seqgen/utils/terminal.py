"""Output for people: lines without control characters, and a stderr that never raises."""

from __future__ import annotations

import io
import unicodedata
from contextlib import suppress
from typing import BinaryIO

ESCAPED = ("Cc", "Zl", "Zp")  # categories of control characters and of line separators


def one_line(text: str) -> str:
    r"""A text with its control characters escaped: a file name may have newlines, or worse.

    >>> one_line("two\nlines")
    'two\\nlines'
    """
    return "".join(
        repr(character)[1:-1] if unicodedata.category(character) in ESCAPED else character
        for character in text
    )


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
