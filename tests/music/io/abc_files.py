"""ABC for tests: a tune as it is read."""

from seqgen.music.io.read import read
from seqgen.music.io.result import ReadResult

HEAD = "X:1\nT:A Tune\nM:4/4\nL:1/4\n"


def result(body: str, head: str = HEAD + "K:C\n") -> ReadResult:
    """The result of reading a file."""
    return read("tune.abc", (head + body).encode())


def notes(body: str, head: str = HEAD + "K:C\n") -> list[tuple[int, int, int]]:
    """The start, duration and pitch of every note of the only tune."""
    (piece,) = result(body, head).pieces
    return [note[:3] for note in piece.notes]
