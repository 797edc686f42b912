"""Pictures for tests: stripes and discs, which a network learns in seconds."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]


def stripes(count: int, width: int = 6, height: int = 5, seed: int = 0) -> Pixels:
    """Pictures `(N, H, W)` whose rows are equal: black, grey and white columns."""
    random = np.random.default_rng(seed)
    rows = random.choice(np.array([0, 128, 255], np.uint8), (count, 1, width))
    return np.repeat(rows, height, axis=1)


def write_folder(folder: Path, pictures: Pixels, suffix: str = ".png") -> Path:
    """Write a file per picture."""
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{number}{suffix}")
    return folder


def png_header(width: int, height: int) -> bytes:
    """A PNG of which only the header is right."""
    import struct
    import zlib

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
