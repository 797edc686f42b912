"""Measures of generated pictures, compared with those of the corpus."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np

from seqgen.copying.report import longest_copy
from seqgen.corpus.corpus import Corpus
from seqgen.tasks.base import TaskModel
from seqgen.tasks.images.colours import LUMA, values
from seqgen.tasks.images.copying import PixelCodes
from seqgen.tasks.images.generate import PictureGenerator
from seqgen.tasks.images.grid import Grid, Pixels
from seqgen.tasks.images.metadata import grid_of

Table = dict[str, dict[str, float | None]]  # measure → group → value


def measure(model: TaskModel, corpus: Corpus, count: int, **options: Any) -> Table:
    """Measure generated pictures, and held-out and training pictures for comparison.

    Args:
        model: a `seqgen.Model` of images.
        corpus: the training corpus.
        count: number of pictures to generate.
        options: of `PictureGenerator.pictures`.

    Returns:
        Measure → group (`samples`, `held_out`, `corpus`) → value. `detail` is the mean difference
        of neighbouring pixels, from 0 to 1; `distinct` the share of different pictures; copies are
        runs of pixels of the training part.
    """
    grid = grid_of(model.data.corpus)
    training, held_out = pictures_of(corpus, grid)
    new = [*PictureGenerator(model).pictures(count, **options)]
    palette = values(grid.colours)
    groups = {
        "samples": np.stack([picture.pixels for picture in new]),
        "held_out": palette[held_out[:count]],
        "corpus": palette[training],
    }
    table: Table = {
        name: {group: of(pixels) if len(pixels) else None for group, pixels in groups.items()}
        for name, of in MEASURES.items()
    }
    table |= {"longest_copy_mean": {}, "longest_copy": {}}
    codes, indexes = PixelCodes(model.data.vocabulary), model.data.indexes
    real = [np.append(0, grid.encode(picture)) for picture in held_out[:count]]
    copies = {
        "samples": [picture.longest_copy for picture in new],
        "held_out": [longest_copy(indexes, codes, ids[:-1]) for ids in real],
    }
    for group, runs in copies.items():
        found = [run for run in runs if run is not None]
        table["longest_copy_mean"][group] = mean(found) if found else None
        table["longest_copy"][group] = max(found, default=None)
    return table


def pictures_of(corpus: Corpus, grid: Grid) -> tuple[Pixels, Pixels]:
    """The training pictures and the held-out ones, `(N, H, W)` indices of colours."""
    pictures = grid.decode(np.asarray(corpus.ids).reshape(-1, grid.length))
    cut = corpus.training_length // grid.length
    return pictures[:cut], pictures[cut:]


def _brightness(pictures: Pixels) -> float:
    return float((pictures @ LUMA).mean() / 255)


def _detail(pictures: Pixels) -> float:
    luma = pictures @ LUMA
    differences = [np.abs(np.diff(luma, axis=axis)).ravel() for axis in (1, 2)]
    joined = np.concatenate(differences)
    return float(joined.mean() / 255) if len(joined) else 0.0


def _distinct(pictures: Pixels) -> float:
    return len({picture.tobytes() for picture in pictures}) / len(pictures)


MEASURES = {"brightness": _brightness, "detail": _detail, "distinct": _distinct}
