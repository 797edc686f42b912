"""Random pictures and arrays of pictures, well-formed and damaged.

A file is decoded to the size that was asked for, or refused with a `CorpusError`. Its task is
detected whatever it holds.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import numpy as np
from PIL import Image

from seqgen.corpus.sources import Source
from seqgen.tasks.images.decoder import decode
from seqgen.tasks.images.files import looks_like_picture
from tests.fuzz.mutate import mutated

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF")
MODES = ("1", "L", "P", "RGB", "RGBA", "LA", "I;16", "CMYK")
TYPES = (np.uint8, np.bool_, np.float32, np.float64, np.int64, np.complex64, "U3")
SIZE = (3, 2)


def cases(seed: int) -> Iterator[bytes]:
    """Yield files without end, the same for the same seed."""
    draw = random.Random(seed)
    while True:
        data = _arrays(draw) if draw.random() < 0.3 else _picture(draw)
        for _ in range(draw.choice((0, 1, 1, 2, 4, 8))):
            data = mutated(data, draw)
        yield data


def run(data: bytes) -> None:
    """Decode a file.

    Raises:
        CorpusError: the file is refused.
        AssertionError: the pictures have another size.
    """
    looks_like_picture(Source("a.npz", data=data))
    for grey in (True, False):
        facts, pixels = decode(data, SIZE, grey=grey)
        assert pixels.shape == (facts["pictures"], SIZE[1], SIZE[0], 1 if grey else 3)
        assert pixels.dtype == np.uint8


def _picture(draw: random.Random) -> bytes:
    size = (draw.choice((1, 3, 8, 40)), draw.choice((1, 2, 8, 50)))
    image = Image.new("RGB", size)
    image.frombytes(draw.randbytes(3 * size[0] * size[1]))
    mode = draw.choice(MODES)
    image = Image.new(mode, size) if mode == "I;16" else image.convert(mode)
    content = io.BytesIO()
    try:
        image.save(content, draw.choice(FORMATS))
    except (OSError, ValueError):  # the format lacks the mode
        content = io.BytesIO()
        image.convert("RGB").save(content, "PNG")
    return content.getvalue()


def _arrays(draw: random.Random) -> bytes:
    arrays = {}
    for name in ("images", "labels", "more")[: draw.choice((1, 2, 3))]:
        shape = [draw.choice((0, 1, 3, 5)) for _ in range(draw.choice((1, 3, 3, 4)))]
        values = np.frombuffer(draw.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)
        arrays[name] = values.astype(draw.choice(TYPES))
    content = io.BytesIO()
    draw.choice((np.savez, np.savez_compressed))(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()
