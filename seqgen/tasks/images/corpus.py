"""Files of pictures → a corpus of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.corpus import sources as sources_module
from seqgen.corpus.corpus import Corpus, split_position
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.tasks.images.augmentation import Variants
from seqgen.tasks.images.colours import MOST_COLOURS, are_grey, fitted, nearest
from seqgen.tasks.images.files import FileResult, results
from seqgen.tasks.images.grid import Grid, Pixels
from seqgen.types import Json

DEFAULT_SIZE = (16, 16)
MOST_SIDE = 128  # pixels of a side: a picture of more takes too many tokens to learn
LARGEST_KEPT = 32  # side of pictures that by default are not scaled, if all have the same size
MOST_REASONS = 3  # listed for files that are skipped
MOST_PIXELS = 1 << 30  # of all pictures, scaled

Positions = npt.NDArray[np.int64]


def read(
    sources: Sequence[Source],
    *,
    image_size: str | None = None,
    levels: int | None = None,
    palette: int | None = None,
    colours: Sequence[str] | None = None,
    augment: bool = False,
    validation: float = 0.1,
    progress: bool = False,
    **origin: Any,
) -> Corpus:
    """Encode pictures: row by row, a token per pixel; see `seqgen.tasks.images.grid`.

    Pictures are shuffled, always in the same way. Those that are equal after scaling are
    neighbours, and on the same side of the split.

    Args:
        sources: PNG, JPEG, GIF or BMP files, and .npz files with arrays of pictures.
        image_size: such as `16x16`, width times height; by default that of the pictures if all have
            the same one up to 32x32, else 16x16.
        levels: number of grey levels, fitted to the training part; by default all that occur if
            these are at most 32, else 16.
        palette: number of colours, fitted to the training part, instead of grey levels.
        colours: colours of a trained model, as `#rrggbb`, instead of fitted ones.
        augment: train on variants of the pictures, see `seqgen.tasks.images.augmentation`.
        validation: fraction of the tokens that is held out at the end.
        progress: draw a progress bar on stderr if reading takes long.
        origin: fields of `Corpus` that are passed to it unchanged: `name` and others.

    Raises:
        CorpusError: fewer than two pictures can be used.
        ConfigError: an option is out of its range.
    """
    size = None if image_size is None else parse_size(image_size)
    _require_colours(levels, palette, colours)
    grey = are_grey(colours) if colours else palette is None
    notes: list[str] = []
    if size is None:
        size = _default_size(results(sources, progress=progress))
    found = [*results(sources, size, grey=grey, progress=progress)]
    pictures, families = _ordered(_usable(found, notes))
    _require_several(pictures, origin)
    width, height = size
    length = (width + 1) * height
    bounds = np.arange(len(pictures) + 1, dtype=np.int64) * length
    cuts = bounds[np.flatnonzero(np.diff(families, prepend=-1, append=-1))]
    training = split_position(int(bounds[-1]), _share(validation), cuts) // length
    if not colours:
        colours = fitted(pictures[: training or None], levels or palette)
    notes += _notes(found, size, len(pictures) - int(families[-1]) - 1)
    grid = Grid(width, height, tuple(colours))
    options: Json = {"image_size": f"{width}x{height}", "colours": list(grid.colours)}
    return Corpus(
        task="images",
        vocabulary=grid.vocabulary,
        ids=grid.encode(nearest(pictures, grid.colours)).ravel(),
        bounds=bounds,
        validation=validation,
        sha256=sources_module.sha256(sources),
        options=options | {"augment": True} if augment else options,
        variants=Variants(grid) if augment else None,
        notes=tuple(notes),
        cuts=cuts,
        network={"lags": grid.lags},
        details={"pictures": len(pictures)},
        **origin,
    )


def parse_size(text: str) -> tuple[int, int]:
    """Width and height.

    Raises:
        ConfigError: the text is not a size, or a side is out of range.

    >>> parse_size("16x24")
    (16, 24)
    """
    match = re.fullmatch(r"(\d{1,9})[x×](\d{1,9})", str(text).strip().lower())  # noqa: RUF001
    sides = tuple(map(int, match.groups())) if match else ()
    if len(sides) != 2 or not all(1 <= side <= MOST_SIDE for side in sides):
        raise ConfigError(
            f"image_size: expected a width and a height from 1 to {MOST_SIDE}, such as 16x16, got "
            f"{text!r}"
        )
    return sides


def _require_colours(
    levels: int | None, palette: int | None, colours: Sequence[str] | None
) -> None:
    """Raise `ConfigError` if the options of colours are out of range, or exclude each other."""
    if levels is not None and palette is not None:
        raise ConfigError("levels: expected either levels or palette, got both; leave one out")
    for name, count in (("levels", levels), ("palette", palette)):
        if count is None:
            continue
        if isinstance(count, bool) or not isinstance(count, int) or not 2 <= count <= MOST_COLOURS:
            raise ConfigError(
                f"{name}: expected a whole number from 2 to {MOST_COLOURS}, got {count!r}"
            )
        if colours and (len(colours) > count or (name == "levels" and not are_grey(colours))):
            raise ConfigError(
                f"{name}: the colours of the model are {describe(colours)}, got {count}; leave "
                "this option out"
            )


def _default_size(found: Iterable[FileResult]) -> tuple[int, int]:
    """The size of all pictures if they are small and of one size; reads only until it is known."""
    common: tuple[int, int] | None = None
    for one in found:
        if not one.facts:
            continue
        size = one.facts["width"], one.facts["height"]
        common = common or size
        if size != common or max(size) > LARGEST_KEPT:
            return DEFAULT_SIZE
    return common or DEFAULT_SIZE


def _usable(found: Sequence[FileResult], notes: list[str]) -> Pixels:
    """All pictures `(N, H, W, C)`; `notes` gets those about the files that are skipped."""
    arrays = [one.pixels for one in found if one.pixels is not None]
    reasons = [f"{one.label} {one.reason}" for one in found if one.reason]
    if not arrays:
        listed = "; ".join(reasons[:MOST_REASONS]) or "there are no files"
        raise CorpusError(f"no pictures to learn from: {listed}")
    if sum(array.size for array in arrays) > MOST_PIXELS:
        raise CorpusError(
            f"expected at most {MOST_PIXELS:,} pixels in all, got more; use fewer pictures, or a "
            "smaller --image-size"
        )
    if reasons:
        more = "; seqgen inspect says why" if len(reasons) > MOST_REASONS else ""
        notes += [f"skipped {reason}" for reason in reasons[:MOST_REASONS]]
        notes.append(f"skipped {len(reasons):,} of {len(found):,} files{more}")
    return np.concatenate(arrays)


def _ordered(pictures: Pixels) -> tuple[Pixels, Positions]:
    """The pictures in the order of the corpus, and the number `(N,)` of each different one."""
    numbers: dict[bytes, int] = {}
    family = np.array([numbers.setdefault(picture.tobytes(), len(numbers)) for picture in pictures])
    shuffled = np.random.default_rng(0).permutation(len(numbers))[family]
    order = np.argsort(shuffled, kind="stable")
    return pictures[order], shuffled[order]


def _require_several(pictures: Pixels, origin: Json) -> None:
    if len(pictures) < 2:
        raise CorpusError(
            f"{origin.get('name', 'images')}: expected at least two pictures, got {len(pictures)}; "
            "add pictures"
        )


def _share(validation: float) -> float:
    """The fraction that is held out; `Corpus` refuses those that are out of range."""
    return validation if 0 <= validation <= 0.5 else 0


def _notes(found: Sequence[FileResult], size: tuple[int, int], repeated: int) -> list[str]:
    """Notes for the user about pictures that were changed, or occur several times."""
    width, height = size
    counts = {
        f"were scaled and cropped to {width}x{height}": sum(
            one.facts["pictures"]
            for one in found
            if one.facts and (one.facts["width"], one.facts["height"]) != size
        ),
        "have several frames, of which the first is used": sum(
            one.facts["frames"] > 1 for one in found if one.facts
        ),
        "are equal to another one": repeated,
    }
    total = sum(one.facts["pictures"] for one in found if one.facts)
    return [f"{count:,} of {total:,} pictures {what}" for what, count in counts.items() if count]


def describe(colours: Sequence[str]) -> str:
    """The number of colours, in words.

    >>> describe(["#000000", "#ffffff"]), describe(["#ff0000", "#00ff00"])
    ('2 grey levels', '2 colours')
    """
    return f"{len(colours)} {'grey levels' if are_grey(colours) else 'colours'}"
