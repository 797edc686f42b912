"""Pictures ↔ tokens: row by row, a token per pixel.

A token of a pixel is its colour, such as `#ff8000`. Before every row but the first there is a token
with the number of the row, and after the last pixel the end token:

    pixels of row 1  <row 2>  pixels of row 2  …  <row H>  pixels of row H  <end>

So the network knows the row, and has to count the pixels of one row only. It also reads pixels
above the next one again, see `seqgen.corpus.lags`. Both together were best (`benchmarks/LOG.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqgen.types import Ids, Mask
from seqgen.vocabulary import END, Vocabulary

ROW = "<row "  # how the number of a row begins

Pixels = npt.NDArray[np.uint8]  # indices of colours (…, H, W), or values (…, H, W, C)


@dataclass(frozen=True)
class Grid:
    """The size and the colours of all pictures of a model.

    >>> grid = Grid(2, 2, ("#000000", "#ffffff"))
    >>> grid.vocabulary.decode(grid.encode(np.array([[0, 1], [1, 1]])))
    ['#000000', '#ffffff', '<row 2>', '#ffffff', '#ffffff', '<end>']
    """

    width: int
    height: int
    colours: tuple[str, ...]  # as `#rrggbb`

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The end token, the colours, and the numbers of the rows from 2."""
        rows = (f"{ROW}{number}>" for number in range(2, self.height + 1))
        return Vocabulary((END, *self.colours, *rows))

    @property
    def lags(self) -> list[int]:
        """Steps back to the pixels above the next one, above left, above right, and two above.

        >>> Grid(8, 8, ()).lags
        [8, 9, 7, 17]
        """
        step = self.width + 1  # tokens from a row to the next
        return [lag for lag in (step - 1, step, step - 2, 2 * step - 1) if lag > 0]

    @property
    def pixels(self) -> int:
        """Number of pixels of a picture."""
        return self.width * self.height

    @property
    def length(self) -> int:
        """Number of tokens of a picture, the end token included."""
        return (self.width + 1) * self.height

    def encode(self, indices: Pixels) -> Ids:
        """Indices of colours `(…, H, W)` → ids `(…, L)`, the end token last.

        The vocabulary begins with the end token, so a colour's id is its index plus one.
        """
        shape = indices.shape[:-2]
        ids = np.zeros((*shape, self.height, self.width + 1), self.vocabulary.dtype)
        ids[..., :-1] = indices
        ids[..., :-1] += 1
        ids[..., :-1, -1] = 1 + len(self.colours) + np.arange(self.height - 1)
        return ids.reshape(*shape, self.length)

    def decode(self, ids: Ids) -> Pixels:
        """The inverse of `encode`; the end token may be missing."""
        whole = np.zeros((*ids.shape[:-1], self.length), int)
        whole[..., : ids.shape[-1]] = ids
        rows = whole.reshape(*ids.shape[:-1], self.height, self.width + 1)
        return (rows[..., :-1] - 1).astype(np.uint8)

    def is_pixel(self, ids: Ids) -> Mask:
        """Which ids are pixels."""
        return (ids > 0) & (ids <= len(self.colours))


class GridConstraint:
    """A constraint of decoding: pixels in rows, and after the last one the end.

    Args:
        grid: of the picture.
        position: number of tokens that the picture has already.

    >>> grid = Grid(1, 2, ("#000000", "#ffffff"))
    >>> constraint = GridConstraint(grid)
    >>> constraint.allowed().tolist()  # <end>, two colours, <row 2>
    [False, True, True, False]
    >>> constraint.feed(1)
    >>> constraint.allowed().tolist(), constraint.is_finished
    ([False, False, False, True], False)
    """

    def __init__(self, grid: Grid, position: int = 0) -> None:
        self.grid = grid
        self.position = position
        size = len(grid.vocabulary)
        self._pixels: Mask = grid.is_pixel(np.arange(size))

    @property
    def is_finished(self) -> bool:
        """Whether the picture has all pixels."""
        return self.position >= self.grid.length - 1

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next."""
        row, column = divmod(self.position, self.grid.width + 1)
        if column < self.grid.width:
            return self._pixels
        mask = np.zeros(len(self._pixels), bool)
        mask[1 + len(self.grid.colours) + row] = True
        return mask

    def feed(self, token_id: int) -> None:
        """Count the next token."""
        self.position += 1
