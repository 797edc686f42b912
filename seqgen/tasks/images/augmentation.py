"""Variants of pictures: turned, scaled, slanted and moved a little.

A network that reads few pictures often soon knows them by heart. If it reads another variant of a
picture every time, it learns what they have in common (Simard, Steinkraus and Platt 2003).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from seqgen.tasks.images.colours import are_grey, nearest, values
from seqgen.tasks.images.grid import Grid, Pixels
from seqgen.types import Ids

UNCHANGED = 0.3  # share of the pictures that are read as they are
# The largest changes, drawn uniformly up to both sides.
TURN = math.radians(8)
SCALE, SLANT = 0.08, 0.08  # of the width and the height
MOVE = 0.05  # of the sides


class Variants:
    """Draws a variant of a picture; what is outside of it continues the pixels of its edge.

    Args:
        grid: of the pictures.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        colours = values(grid.colours)
        self._channels = 1 if are_grey(grid.colours) else 3
        self._values = colours[:, 0] if self._channels == 1 else colours

    def __call__(self, ids: Ids, random: np.random.Generator) -> Ids:
        """The ids `(L,)` of a picture, end token included → those of a variant."""
        if random.random() < UNCHANGED:
            return ids
        return self._grid.encode(self._warped(self._values[self._grid.decode(ids)], random))

    def _warped(self, pixels: Pixels, random: np.random.Generator) -> Pixels:
        """Values `(H, W)` or `(H, W, 3)` → indices of colours `(H, W)`."""
        from PIL import Image

        height, width = self._grid.height, self._grid.width
        margins = [(side, side) for side in (height, width)]
        padded = np.pad(pixels, (*margins, (0, 0))[: pixels.ndim], mode="edge")
        warped = Image.fromarray(padded).transform(
            (width, height),
            Image.Transform.AFFINE,
            _transform(width, height, random),
            Image.Resampling.BICUBIC,
        )
        found = np.asarray(warped).reshape(height, width, self._channels)
        return nearest(found, self._grid.colours)


def _transform(
    width: int, height: int, random: np.random.Generator
) -> tuple[float, float, float, float, float, float]:
    """A random affine map from a place in the variant to one in the padded picture."""
    angle = random.uniform(-TURN, TURN)
    wider, higher = random.uniform(1 - SCALE, 1 + SCALE, 2)
    slant = random.uniform(-SLANT, SLANT)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix: npt.NDArray[np.float64] = turn @ np.array([[wider, slant], [0, higher]])
    size = np.array([width, height])
    moved = random.uniform(-MOVE, MOVE, 2) * size
    offset = 1.5 * size + moved - matrix @ (size / 2)  # the centres are at the same place
    (a, b), (d, e) = matrix
    return a, b, offset[0], d, e, offset[1]
