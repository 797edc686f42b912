"""The baseline: a causal context model, which counts pixels given those around them.

The contexts are the pixels left, above, above right and above left of a pixel, more of them from
order to order; outside of the picture is a value of its own. As the n-grams of text, orders are
interpolated with the smoothing of Witten and Bell (1991):

    P(x | c) = (n(c, x) + t(c) P(x | c')) / (n(c) + t(c))

where n counts occurrences in the training part, t(c) is the number of different pixels that occur
in context c, and c' is c without its last pixel.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.tasks.images.grid import Pixels

MOST_PIXELS = 2_000_000  # of the training part that are counted
NEIGHBOURS = {  # name → (row, column), relative to the pixel
    "left": (0, -1),
    "above": (-1, 0),
    "above right": (-1, 1),
    "above left": (-1, -1),
}

Keys = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float64]


class _Order(NamedTuple):
    """The contexts of an order, as numbers, and the probabilities given them."""

    counted: Keys  # contexts of the training part (N,)
    scored: Keys  # contexts of the scored pixels (M,)
    probabilities: Probabilities  # of the scored pixels (M,)

    @property
    def loss(self) -> float:
        """The loss in nats per pixel."""
        return float(-np.log(self.probabilities).mean())


class _ContextModel:
    """Pictures to count and pictures to score; arguments as for `losses`."""

    def __init__(self, training: Pixels, scored: Pixels, colours: int) -> None:
        self._training = training[-(MOST_PIXELS // training[0].size) :]
        self._scored = scored
        self._colours = colours
        self._pixels = self._training.ravel().astype(np.int64)
        self._targets = scored.ravel().astype(np.int64)

    def histogram(self) -> _Order:
        """The order without contexts."""
        uniform = np.full(len(self._targets), 1 / self._colours)
        return self._order(np.zeros_like(self._pixels), np.zeros_like(self._targets), uniform)

    def extended(self, lower: _Order, name: str) -> _Order:
        """The order that has one more neighbour than another one."""
        size = self._colours + 1
        return self._order(
            lower.counted * size + _neighbour(self._training, name, self._colours),
            lower.scored * size + _neighbour(self._scored, name, self._colours),
            lower.probabilities,
        )

    def _order(self, counted: Keys, scored: Keys, lower: Probabilities) -> _Order:
        pairs = (counted, self._pixels), (scored, self._targets)
        return _Order(counted, scored, _interpolated(lower, *pairs, self._colours))


def best_order(training: Pixels, held_out: Pixels, colours: int) -> tuple[str, ...]:
    """The contexts, in the order of interpolation.

    The next context is the neighbour that lowers the loss on held-out pictures most, as long as one
    lowers it. On `digits` this finds the best of all orders.

    Args:
        training: indices of colours `(N, H, W)`; the last `MOST_PIXELS` are counted.
        held_out: `(M, H, W)`.
        colours: their number.
    """
    model = _ContextModel(training, held_out, colours)
    names: tuple[str, ...] = ()
    best = model.histogram()
    while left := [name for name in NEIGHBOURS if name not in names]:
        longer = {name: model.extended(best, name) for name in left}
        name = min(left, key=lambda name: longer[name].loss)
        if longer[name].loss >= best.loss:
            break
        names, best = (*names, name), longer[name]
    return names


def losses(training: Pixels, scored: Pixels, colours: int, order: tuple[str, ...]) -> list[float]:
    """The losses in nats per pixel, with none, one, … of the contexts.

    Args:
        training: indices of colours `(N, H, W)`; the last `MOST_PIXELS` are counted.
        scored: `(M, H, W)`.
        colours: their number.
        order: names of neighbours.

    >>> stripes = np.tile(np.array([0, 1], np.uint8), (50, 4, 4))
    >>> [round(loss, 2) for loss in losses(stripes, stripes, 2, ("left",))]
    [0.69, 0.0]
    """
    model = _ContextModel(training, scored, colours)
    orders = [model.histogram()]
    for name in order:
        orders.append(model.extended(orders[-1], name))
    return [found.loss for found in orders]


def _neighbour(pictures: Pixels, name: str, outside: int) -> Keys:
    """The value of a neighbour of every pixel, `(N H W,)`."""
    _, height, width = pictures.shape
    row, column = NEIGHBOURS[name]
    padded = np.pad(pictures.astype(np.int64), ((0, 0), (1, 0), (1, 1)), constant_values=outside)
    return padded[:, 1 + row : 1 + row + height, 1 + column : 1 + column + width].ravel()


def _interpolated(
    lower: Probabilities, counted: tuple[Keys, Keys], scored: tuple[Keys, Keys], colours: int
) -> Probabilities:
    """The probabilities of one order, from those of the order below.

    Args:
        lower: `(M,)`.
        counted: contexts and pixels `(N,)`.
        scored: contexts and pixels `(M,)`.
        colours: number of different pixels.
    """
    contexts, pixels = counted
    pairs, pair_counts = np.unique(contexts * colours + pixels, return_counts=True)
    known, totals = np.unique(contexts, return_counts=True)
    _, kinds = np.unique(pairs // colours, return_counts=True)  # of the same contexts
    count = _looked_up(scored[0] * colours + scored[1], pairs, pair_counts)
    total, kind = (_looked_up(scored[0], known, values) for values in (totals, kinds))
    return np.where(total > 0, (count + kind * lower) / np.maximum(total + kind, 1), lower)


def _looked_up(keys: Keys, table: Keys, values: Keys) -> Keys:
    """The value of each key; 0 for keys that are not in the sorted table."""
    positions = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return np.where(table[positions] == keys, values[positions], 0)
