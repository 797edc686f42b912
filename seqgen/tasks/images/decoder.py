"""Pictures in files → arrays of one size. Runs in a process of its own, see `files`.

Pillow decodes pictures; it is in C, and its input is a stranger's file. The size of a picture is
checked in its header, before memory is asked for its pixels.
"""

from __future__ import annotations

import io
import math
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.errors import CorpusError, reason
from seqgen.tasks.images.grid import Pixels
from seqgen.types import Json

FORMATS = ("PNG", "JPEG", "GIF", "BMP")
MOST_PIXELS = 50_000_000  # of a picture
MOST_VALUES = 1 << 28  # of an array of pictures
ZIP = b"PK\3\4"  # how an .npz file starts
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "F")


class Decoded(NamedTuple):
    """What is known of a file, and its pictures."""

    facts: Json  # format, width, height, pictures, grey; of a GIF also its frames
    pixels: Pixels  # (N, H, W, C)


def decode(data: bytes, size: tuple[int, int], *, grey: bool) -> Decoded:
    """Decode all pictures of a file.

    Args:
        data: PNG, JPEG, GIF or BMP, or an .npz file with arrays of pictures.
        size: width and height to scale and crop to.
        grey: one channel of grey levels instead of three of RGB.

    Raises:
        CorpusError: the reason why the file cannot be used.
    """
    try:
        return _arrays(data, size, grey) if data[:4] == ZIP else _picture(data, size, grey)
    except CorpusError:
        raise
    except MemoryError:
        raise CorpusError("needs too much memory") from None
    except Exception as error:  # damaged files raise errors of many types
        raise CorpusError(f"is damaged: {reason(error)}") from error


def _picture(data: bytes, size: tuple[int, int], grey: bool) -> Decoded:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # `_require_small` says it better
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise CorpusError(f"is no picture in {', '.join(FORMATS)} or .npz format") from None
    _require_small(*image.size)
    facts = {
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "pictures": 1,
        "grey": image.mode in GREY_MODES,
        "frames": getattr(image, "n_frames", 1) if image.format == "GIF" else 1,
    }
    return Decoded(facts, _fitted(image, size, grey)[None])


def _require_small(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise CorpusError(
            f"has {width:,} x {height:,} pixels; expected at most {MOST_PIXELS:,} in all; "
            "scale it down"
        )


def _fitted(image: Any, size: tuple[int, int], grey: bool) -> Pixels:
    """Scale a picture until it covers the size, and crop what is left over on both sides.

    What is transparent becomes white.
    """
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow clips to 8
        levels = np.asarray(image).astype(np.int64) >> 8
        image = Image.fromarray(levels.clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("L" if grey else "RGB")
    if image.size != size:
        image = ImageOps.fit(image, size, Image.Resampling.BOX)
    return np.asarray(image).reshape(size[1], size[0], -1)


def _arrays(data: bytes, size: tuple[int, int], grey: bool) -> Decoded:
    """The arrays `(N, H, W)` or `(N, H, W, 3)` of an .npz file; others are ignored."""
    found = headers(io.BytesIO(data))
    shapes = [shape for shape, dtype in found.values() if is_pictures(shape, dtype)]
    if not shapes:
        raise CorpusError("holds no array of pictures, N x H x W or N x H x W x 3")
    if len({shape[1:] for shape in shapes}) > 1:
        raise CorpusError("holds arrays of pictures of several sizes; leave one of them")
    if sum(math.prod(shape) for shape in shapes) > MOST_VALUES:
        raise CorpusError(f"holds more than {MOST_VALUES:,} values; leave some out")
    height, width = shapes[0][1:3]
    _require_small(width, height)
    facts = {
        "format": "NPZ",
        "width": width,
        "height": height,
        "pictures": sum(shape[0] for shape in shapes),
        "grey": len(shapes[0]) == 3,
        "frames": 1,
    }
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        read = [arrays[name] for name, header in found.items() if is_pictures(*header)]
    pictures = np.concatenate([_as_bytes(array) for array in read])
    return Decoded(facts, _all_fitted(pictures, size, grey))


def headers(source: BinaryIO) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """The shape and type of every array in an .npz file, without reading the arrays."""
    import zipfile

    found = {}
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            if not name.endswith(".npy"):
                continue
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }[version]
                shape, _, dtype = read(file)
                found[name.removesuffix(".npy")] = shape, dtype
    return found


def is_pictures(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether an array holds pictures: `(N, H, W)` or `(N, H, W, 3)`, of numbers.

    >>> is_pictures((10, 8, 8), np.dtype(np.uint8)), is_pictures((10, 64), np.dtype(np.uint8))
    (True, False)
    """
    has_shape = len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)
    return has_shape and min(shape) > 0 and dtype.kind in "buif"


def _as_bytes(array: npt.NDArray[Any]) -> Pixels:
    """Values from 0 to 255: true is 255, and floats are from 0 to 1."""
    kind = array.dtype.kind
    if kind == "b":
        return np.where(array, 255, 0).astype(np.uint8)
    most = 1 if kind == "f" else 255
    least, largest = array.min(), array.max()
    if not (least >= 0 and largest <= most):  # also if they are NaN
        raise CorpusError(
            f"holds values from {least:g} to {largest:g}; expected "
            f"{'floats from 0 to 1' if kind == 'f' else 'whole numbers from 0 to 255'}"
        )
    result: Pixels = (np.rint(array * 255) if kind == "f" else array).astype(np.uint8)
    return result


def _all_fitted(pictures: Pixels, size: tuple[int, int], grey: bool) -> Pixels:
    """Pictures `(N, H, W[, 3])` of any size → `(N, H, W, C)` of one size."""
    from PIL import Image

    channels = pictures.reshape(*pictures.shape[:3], -1)
    if pictures.shape[1:3] == (size[1], size[0]) and channels.shape[3] == (1 if grey else 3):
        return channels
    return np.stack([_fitted(Image.fromarray(picture), size, grey) for picture in pictures])
