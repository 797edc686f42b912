"""Measures of generated pictures, compared with those of the corpus."""

from __future__ import annotations

from statistics import mean
from typing import Any

import numpy as np

from seqgen.copying.exact import ExactCopies
from seqgen.corpus.corpus import Corpus
from seqgen.tasks.images.colours import values
from seqgen.tasks.images.generate import PictureGenerator
from seqgen.tasks.images.grid import Grid, Pixels
from seqgen.types import Hashes

Table = dict[str, dict[str, float | None]]  # measure → group → value
MOST_COMPARED = 2000  # training pictures in which copies are searched for
LUMA = np.array([0.299, 0.587, 0.114])  # of ITU-R BT.601


def measure(
    generator: PictureGenerator, grid: Grid, corpus: Corpus, count: int, **options: Any
) -> Table:
    """Measure generated pictures, and held-out and training pictures for comparison.

    Args:
        generator: generates the pictures.
        grid: of the model.
        corpus: the training corpus.
        count: number of pictures to generate.
        options: of `PictureGenerator.pictures`.

    Returns:
        Measure → group (`samples`, `held_out`, `corpus`) → value. `detail` is the mean difference
        of neighbouring pixels, from 0 to 1; `distinct` the share of different pictures.
    """
    training, held_out = pictures_of(corpus, grid)
    palette = values(grid.colours)
    new = np.stack([picture.pixels for picture in generator.pictures(count, **options)])
    real = {"held_out": held_out[:count], "corpus": training[:MOST_COMPARED]}
    groups = {"samples": new} | {name: palette[indices] for name, indices in real.items()}
    table: Table = {
        name: {group: of(pixels) if len(pixels) else None for group, pixels in groups.items()}
        for name, of in MEASURES.items()
    }
    known = ExactCopies(_codes(groups["corpus"]))
    copies = {
        group: [known.longest(codes) for codes in _codes(groups[group])]
        for group in ("samples", "held_out")
    }
    table["longest_copy_mean"] = {g: mean(runs) if runs else None for g, runs in copies.items()}
    table["longest_copy"] = {g: max(runs) if runs else None for g, runs in copies.items()}
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


def _codes(pictures: Pixels) -> list[Hashes]:
    """One number per pixel, `(H W,)` for every picture."""
    packed = pictures.astype(np.uint64) @ np.array([1 << 16, 1 << 8, 1], np.uint64)
    return list(packed.reshape(len(pictures), -1))
