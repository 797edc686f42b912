"""Files of pictures → arrays, through `decoder` in a process with limits of time and memory."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks.images.grid import Pixels
from seqgen.types import Json
from seqgen.utils.child import CallError, Child, serve

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")  # BMP's could start a text
SECONDS = 10.0  # of processor time for any file
BYTES_PER_SECOND = 1_000_000  # of a file, for each of which there is one more
CHILD = Child(__name__)
SMALLEST = (1, 1)  # to which pictures are scaled of which only the facts are used
MOST_BYTES = 1 << 30  # of a file


class FileResult(NamedTuple):
    """What was read from a file."""

    label: str
    facts: Json = {}  # noqa: RUF012  # of `decoder.Decoded`; empty if it cannot be used
    pixels: Pixels | None = None  # (N, H, W, C); None if it cannot be used
    reason: str = ""  # why it cannot be used


def looks_like_picture(source: Source) -> bool:
    """Whether the name or the first bytes are those of a picture, or of an array of pictures."""
    suffix = Path(source.label).suffix.lower()
    if suffix in SUFFIXES:
        return True
    head = source.head(8)
    if suffix == ".npz" or head[:4] == b"PK\3\4":
        return _holds_pictures(source)
    return head.startswith(SIGNATURES)


def _holds_pictures(source: Source) -> bool:
    """Whether an .npz file has bytes or booleans `(N, H, W)`, or any numbers `(N, H, W, 3)`.

    Other numbers `(N, H, W)` may be series; `--task images` reads them as pictures.
    """
    from seqgen.tasks.images.decoder import headers, is_pictures

    try:
        with source.open() as file:
            found = headers(file).values()
    except Exception:  # damaged, or another archive
        return False
    return any(
        is_pictures(shape, dtype) and (len(shape) == 4 or dtype in (np.uint8, np.bool_))
        for shape, dtype in found
    )


def results(
    sources: Sequence[Source],
    size: tuple[int, int] = SMALLEST,
    *,
    grey: bool = False,
    progress: bool = False,
) -> Iterator[FileResult]:
    """Yield what is read from every source, in order.

    Args:
        sources: the files.
        size: width and height to scale and crop to.
        grey: one channel of grey levels instead of three of RGB.
        progress: draw a progress bar on stderr.
    """
    from tqdm import tqdm

    for source in tqdm(
        sources, "reading", file=sys.stderr, leave=False, disable=not progress, unit="", delay=1
    ):
        yield result(source, size, grey=grey)


def result(source: Source, size: tuple[int, int] = SMALLEST, *, grey: bool = False) -> FileResult:
    """What is read from one source; arguments as for `results`."""
    try:
        with source.open() as file:
            data = file.read(MOST_BYTES + 1)
        facts, pixels = _decoded(data, size, grey)
    except (OSError, CorpusError) as error:
        return FileResult(source.label, reason=str(error).removeprefix(f"{source.label} "))
    return FileResult(source.label, facts, pixels)


def _decoded(data: bytes, size: tuple[int, int], grey: bool) -> tuple[Json, Pixels]:
    """As `decoder.decode`, in the other process."""
    if not data:
        raise CorpusError("is empty")
    if len(data) > MOST_BYTES:
        raise CorpusError(f"has more than {MOST_BYTES:,} bytes")
    head = json.dumps([size, grey]).encode()
    try:
        answer = CHILD.call(head + b"\n" + data, SECONDS + len(data) / BYTES_PER_SECOND)
    except CallError as error:
        raise CorpusError(f"cannot be read: the reader Pillow {error}") from error
    head, _, pixels = answer.partition(b"\n")
    facts, shape = json.loads(head)
    if isinstance(facts, str):
        raise CorpusError(facts)
    return facts, np.frombuffer(pixels, np.uint8).reshape(shape)


def _answer(request: bytes) -> bytes:
    from seqgen.tasks.images.decoder import decode

    head, _, data = request.partition(b"\n")
    size, grey = json.loads(head)
    try:
        facts, pixels = decode(data, tuple(size), grey=grey)
    except CorpusError as error:
        return json.dumps([str(error), None]).encode()
    return json.dumps([facts, pixels.shape]).encode() + b"\n" + pixels.tobytes()


def main() -> None:
    """Answer calls of `_decoded`."""
    import PIL.Image  # once, before the first picture and its limit of time

    PIL.Image.init()
    serve(_answer)
