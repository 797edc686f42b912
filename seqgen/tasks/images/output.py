"""Write generated pictures: one PNG, a contact sheet of several, or a numbered folder."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from seqgen.copying.report import report
from seqgen.errors import OutputError
from seqgen.tasks.images.copying import PixelCodes
from seqgen.tasks.images.generate import Picture, PictureGenerator
from seqgen.tasks.images.metadata import grid_of
from seqgen.tasks.output import print_json, print_result, say_if_renamed
from seqgen.tasks.requests import GenerationRequest
from seqgen.utils.atomic_files import atomic_write, require_writable, unused_path

if TYPE_CHECKING:
    from PIL.Image import Image

    from seqgen.tasks.base import TaskModel

REQUEST = {"primer": "--primer", "primer_rows": "--primer-rows"}
SUFFIX = ".png"
TILE = 64  # least pixels of the longer side of a picture on a sheet, which is enlarged to that
GAP = 1 / 16  # between the pictures of a sheet, as a share of the longer side
BACKGROUND = (128, 128, 192)  # of a sheet; no level of grey
MOST_SIDE = 30_000  # pixels of a sheet
MOST_ON_A_SHEET = 10_000


def write_pictures(model: TaskModel, request: GenerationRequest) -> None:
    """Write new pictures to files, and the names of the files to stdout.

    Args:
        model: a `seqgen.Model` of images.
        request: its output is the path of a PNG file or of a folder, or None for a new name in the
            working folder; its options are those of `PictureGenerator.pictures`. JSON holds tokens
            and log-probabilities.

    Raises:
        OutputError: a file cannot be written, its name has another suffix than `.png`, or the
            sheet would be too large.
    """
    paths = picture_paths(model.data.corpus["name"], request.output, request.count)
    for folder in {path.parent for path in paths}:  # before anything is generated
        require_writable(folder / paths[0].name if folder.is_dir() else folder)
    one_each = len(paths) == request.count  # otherwise all are on one sheet
    columns = 1 if one_each else _columns(model, request)
    found = PictureGenerator(model).pictures(
        request.count, scored=request.as_json, **request.options
    )
    pictures = []
    for number, picture in enumerate(found):
        pictures.append(picture)
        path = paths[min(number, len(paths) - 1)]
        if one_each:
            _write(picture.image(), path, request)
        if request.as_json:
            facts = {"seed": request.options["seed"], "item": number + 1}
            print_json(_facts(picture, path) | facts)
        elif one_each:
            print_result(path)
    if not one_each:
        _write(sheet(pictures, columns), paths[0], request)
        if not request.as_json:
            print_result(paths[0])
    codes = PixelCodes(model.data.vocabulary)
    for line in report(model.data.indexes, codes, [picture.longest_copy for picture in pictures]):
        request.say(line)


def _columns(model: TaskModel, request: GenerationRequest) -> int:
    """The pictures in a row of the sheet: all of them if they complete the same primer.

    Raises:
        OutputError: the sheet would be too large. This is known before anything is generated.
    """
    completes_primer = "primer" in request.options
    columns = request.count if completes_primer else math.ceil(math.sqrt(request.count))
    grid = grid_of(model.data.corpus)
    layout_of(grid.width, grid.height, request.count, columns)
    return columns


def _facts(picture: Picture, path: Path) -> dict[str, object]:
    return {
        "file": str(path),
        "tokens": picture.tokens,
        "log_probabilities": picture.log_probabilities,
        "longest_copy": picture.longest_copy,
    }


def _write(image: Image, path: Path, request: GenerationRequest) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent}: cannot be created: {error.strerror}") from error
    say_if_renamed(path, request.say)
    with atomic_write(path, keep=True) as temporary:
        image.save(temporary, "PNG")


def picture_paths(name: str, output: str | None, count: int) -> list[Path]:
    """The paths that pictures are written to; one for several pictures is that of a sheet.

    Args:
        name: name of the corpus, used for new files.
        output: a file that ends in `.png`, or a folder, which ends in a slash or exists already;
            None for a new file.
        count: number of pictures.
    """
    if output is None:
        path = unused_path(Path(f"{name}{SUFFIX}"))
    else:
        path = Path(output)
        if output.endswith(("/", os.sep)) or path.is_dir():
            digits = len(str(count))
            names = (f"{name}-{number:0{digits}}{SUFFIX}" for number in range(1, count + 1))
            return [unused_path(path / own_name) for own_name in names]
    if path.suffix.lower() != SUFFIX:
        raise OutputError(
            f"{path}: expected a name that ends in {SUFFIX}, or, of a folder, in a slash: {path}/, "
            f"got {path.suffix!r}"
        )
    if count > MOST_ON_A_SHEET:
        raise OutputError(
            f"{path}: expected at most {MOST_ON_A_SHEET:,} pictures on a sheet, got {count:,}; "
            "name a folder, which ends in a slash"
        )
    require_writable(path)
    return [path]


class Layout(NamedTuple):
    """Where the pictures of a contact sheet are. Lengths are in pixels of the sheet."""

    scale: int  # by which pictures are enlarged
    gap: int  # between them
    steps: tuple[int, int]  # from a picture to the next one in the row, and in the column
    size: tuple[int, int]  # width and height of the sheet


def layout_of(width: int, height: int, count: int, columns: int) -> Layout:
    """The layout of a contact sheet.

    Args:
        width: of a picture, in its pixels.
        height: of a picture.
        count: number of pictures.
        columns: pictures in a row.

    Raises:
        OutputError: the sheet is too large.

    >>> layout_of(8, 8, count=3, columns=2)
    Layout(scale=8, gap=4, steps=(68, 68), size=(140, 140))
    """
    longer = max(width, height)
    scale = max(TILE // longer, 1)
    gap = max(round(GAP * scale * longer), 1)
    steps = width * scale + gap, height * scale + gap
    size = columns * steps[0] + gap, math.ceil(count / columns) * steps[1] + gap
    if max(size) > MOST_SIDE:
        raise OutputError(
            f"a sheet of {size[0]:,} x {size[1]:,} pixels is too large; generate fewer pictures, "
            "or name a folder, which ends in a slash"
        )
    return Layout(scale, gap, steps, size)


def sheet(pictures: Sequence[Picture], columns: int) -> Image:
    """A contact sheet: pictures row by row, enlarged by a whole number, with gaps between them.

    Args:
        pictures: of the same size.
        columns: pictures in a row.

    Raises:
        OutputError: the sheet is too large.
    """
    from PIL import Image

    height, width, _ = pictures[0].pixels.shape
    scale, gap, steps, size = layout_of(width, height, len(pictures), columns)
    result = Image.new("RGB", size, BACKGROUND)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        enlarged = picture.pixels.repeat(scale, axis=0).repeat(scale, axis=1)
        result.paste(Image.fromarray(enlarged), (gap + column * steps[0], gap + row * steps[1]))
    return result
