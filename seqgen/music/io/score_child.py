"""music21 in a process of its own: a damaged or hostile score makes it hang, or fills the memory.

`read_score` of `seqgen.music.io.score_reader` runs there; its result comes back as JSON.
"""

from __future__ import annotations

import json

from seqgen.errors import MusicError
from seqgen.music.io.result import ReadResult, from_json, to_json
from seqgen.utils.child import CallError, Child, serve
from seqgen.utils.schema import SchemaError

SECONDS = 4.0  # of processor time for any score
BYTES_PER_SECOND = 10_000  # of a score, for each of which there is one more; music21 is faster
CHILD = Child(__name__)


def read_in_child(name: str, data: bytes, *, expand_repeats: bool = False) -> ReadResult:
    """As `seqgen.music.io.score_reader.read_score`, within limits of time and memory.

    Raises:
        MusicError: no piece can be used, or reading takes too long or too much memory.
    """
    head = json.dumps([name, expand_repeats]).encode()
    seconds = SECONDS + len(data) / BYTES_PER_SECOND
    try:
        answer = json.loads(CHILD.call(head + b"\n" + data, seconds))
    except CallError as error:
        raise MusicError(f"cannot be read as music: the reader music21 {error}") from error
    if isinstance(answer, str):
        raise MusicError(answer)
    try:
        return from_json(answer)
    except SchemaError as error:
        raise MusicError(f"cannot be read as music: {error}") from error


def _answer(request: bytes) -> bytes:
    from seqgen.music.io.score_reader import read_score

    head, _, data = request.partition(b"\n")
    name, expand_repeats = json.loads(head)
    try:
        result = to_json(read_score(name, data, expand_repeats=expand_repeats))
    except MusicError as error:
        return json.dumps(str(error)).encode()
    except (MemoryError, RecursionError):
        return json.dumps("cannot be read as music: it needs too much memory").encode()
    return json.dumps(result).encode()


def main() -> None:
    """Answer calls of `read_in_child`."""
    import music21  # noqa: F401  (once, before the first score and its limit of time)

    serve(_answer)
