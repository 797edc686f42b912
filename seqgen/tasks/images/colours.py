"""The colours of a model: fitted to pictures, and the nearest of them for every pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqgen.tasks.images.grid import Pixels

MOST_COLOURS = 256
DEFAULT, MOST_BY_DEFAULT = 16, 32  # colours, if the user sets no number
SAMPLE = 1 << 22  # pixels to which colours are fitted
CHUNK = 1 << 20  # pixels whose nearest colours are searched for at once
LUMA = (0.299, 0.587, 0.114)  # of ITU-R BT.601, as Pillow converts colours to grey
FEW = 1 << 12  # different colours whose distances are computed at once


def fitted(pictures: Pixels, count: int | None = None) -> tuple[str, ...]:
    """Fit colours to pictures: all of theirs if these are few, else by median cut and k-means.

    Args:
        pictures: `(N, H, W, C)`, with one channel (grey) or three.
        count: the largest number of colours, from 2 to 256; by default all that occur if these are
            at most 32, else 16.

    Returns:
        The colours as `#rrggbb`, from dark to light.

    >>> fitted(np.array([0, 128, 255], np.uint8).reshape(1, 1, 3, 1))
    ('#000000', '#808080', '#ffffff')
    """
    from PIL import Image

    channels = pictures.shape[-1]
    pixels = pictures.reshape(-1, channels)
    pixels = pixels[:: -(-len(pixels) // SAMPLE)]
    rgb = np.broadcast_to(pixels, (len(pixels), 3))
    found = np.unique(_packed(rgb))
    count = count or (MOST_BY_DEFAULT if len(found) <= MOST_BY_DEFAULT else DEFAULT)
    if len(found) > count:
        image = Image.fromarray(np.ascontiguousarray(rgb)[None])
        # Median cut (Heckbert 1982), and then k-means until no pixel changes its colour.
        few = image.quantize(count, Image.Quantize.MEDIANCUT, kmeans=1, dither=Image.Dither.NONE)
        palette = np.array(few.getpalette(), np.uint8).reshape(-1, 3)
        found = np.unique(_packed(palette[np.unique(np.asarray(few))]))
    names = [f"#{colour:06x}" for colour in found.tolist()]
    return tuple(sorted(names, key=lambda name: (_brightness(name), name)))


def nearest(pictures: Pixels, colours: Sequence[str]) -> Pixels:
    """The index of the nearest colour of every pixel, by the squared distance in RGB.

    Args:
        pictures: `(…, H, W, C)`, with one channel or three.
        colours: as `#rrggbb`.

    Returns:
        `(…, H, W)`.

    >>> nearest(np.array([[[10], [200]]], np.uint8), ("#000000", "#ffffff"))
    array([[0, 1]], dtype=uint8)
    """
    palette = values(colours).astype(np.int32)  # (K, 3)
    if pictures.shape[-1] == 1:
        greys = np.arange(256, dtype=np.int32)[:, None]
        return _nearest(np.broadcast_to(greys, (256, 3)), palette)[pictures[..., 0]]
    packed = _packed(pictures).ravel()
    result = np.empty(len(packed), np.uint8)
    for first in range(0, len(packed), CHUNK):
        found, inverse = np.unique(packed[first : first + CHUNK], return_inverse=True)
        result[first : first + CHUNK] = _nearest(_unpacked(found), palette)[inverse]
    return result.reshape(pictures.shape[:-1])


def _nearest(rgb: npt.NDArray[np.int32], palette: npt.NDArray[np.int32]) -> Pixels:
    """The index `(N,)` of the nearest colour of the palette `(K, 3)`, for values `(N, 3)`."""
    result = np.empty(len(rgb), np.uint8)
    for first in range(0, len(rgb), FEW):
        distances = ((rgb[first : first + FEW, None] - palette) ** 2).sum(axis=2)  # (FEW, K)
        result[first : first + FEW] = distances.argmin(axis=1)
    return result


def values(colours: Sequence[str]) -> Pixels:
    """The values `(K, 3)` of colours.

    >>> values(["#ff8000"])
    array([[255, 128,   0]], dtype=uint8)
    """
    return np.array([list(bytes.fromhex(name[1:])) for name in colours], np.uint8)


def are_grey(colours: Sequence[str]) -> bool:
    """Whether all colours are levels of grey."""
    return bool((np.ptp(values(colours), axis=1) == 0).all())


def _packed(rgb: Pixels) -> npt.NDArray[np.int32]:
    """Values `(…, 3)` → one number each."""
    red, green, blue = (rgb[..., i].astype(np.int32) for i in range(3))
    return red << 16 | green << 8 | blue


def _unpacked(numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    return np.stack((numbers >> 16, numbers >> 8 & 255, numbers & 255), axis=-1)


def _brightness(colour: str) -> float:
    channels = bytes.fromhex(colour[1:])
    return sum(weight * value for weight, value in zip(LUMA, channels, strict=True))
