"""The baseline: a causal context model, which counts pixels given those around them.

The contexts are the pixels left, above, above right and above left of a pixel, more of them from
order to order; outside of the picture is a value of its own. As the n-grams of text, orders are
interpolated with the smoothing of Witten and Bell (1991):

    P(x | c) = (n(c, x) + t(c) P(x | c')) / (n(c) + t(c))

where n counts occurrences in the training part, t(c) is the number of different pixels that occur
in context c, and c' is c without its last pixel.
"""

from __future__ import annotations

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


def best_order(training: Pixels, held_out: Pixels, colours: int) -> tuple[str, ...]:
    """The contexts, in the order of interpolation.

    The next context is the neighbour that lowers the loss on held-out pictures most, as long as one
    lowers it. On `digits` this finds the best of all orders.

    Args:
        training: indices of colours `(N, H, W)`.
        held_out: `(M, H, W)`.
        colours: their number.
    """
    order: tuple[str, ...] = ()
    (best,) = losses(training, held_out, colours, order)
    while len(order) < len(NEIGHBOURS):
        scores = {
            name: losses(training, held_out, colours, (*order, name))[-1]
            for name in NEIGHBOURS
            if name not in order
        }
        name = min(scores, key=scores.__getitem__)
        if scores[name] >= best:
            break
        order, best = (*order, name), scores[name]
    return order


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
    training = training[-(MOST_PIXELS // training[0].size) :]
    pixels, targets = training.ravel().astype(np.int64), scored.ravel().astype(np.int64)
    contexts = np.zeros(len(pixels), np.int64)
    scored_contexts = np.zeros(len(targets), np.int64)
    probabilities = np.full(len(targets), 1 / colours)
    result = []
    for name in (None, *order):
        if name is not None:
            contexts = contexts * (colours + 1) + _neighbour(training, name, colours)
            scored_contexts = scored_contexts * (colours + 1) + _neighbour(scored, name, colours)
        probabilities = _interpolated(
            probabilities, (contexts, pixels), (scored_contexts, targets), colours
        )
        result.append(float(-np.log(probabilities).mean()))
    return result


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
