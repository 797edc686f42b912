"""A trained network → new pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seqgen.copying import report as copy_report
from seqgen.copying.guard import guards
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.mixing.engine import with_strength
from seqgen.sampling import beam_search, decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import GeneratedSequence
from seqgen.sampling.sampler import Sampler
from seqgen.tasks.base import TaskModel
from seqgen.tasks.images.colours import are_grey, nearest, values
from seqgen.tasks.images.copying import PixelCodes
from seqgen.tasks.images.files import result
from seqgen.tasks.images.grid import Grid, GridConstraint, Pixels
from seqgen.tasks.images.metadata import grid_of
from seqgen.tasks.sampling_options import sample_config
from seqgen.types import Ids

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, eq=False)
class Picture:
    """A new picture, and how it was generated."""

    pixels: Pixels  # RGB (H, W, 3)
    tokens: list[str]  # without those of the primer
    log_probabilities: list[float]  # one for each token, if they were requested
    longest_copy: int | None  # pixels of the longest run from the corpus; None without an index

    def image(self) -> Image:
        """The picture as a Pillow image of width times height pixels."""
        from PIL import Image

        return Image.fromarray(self.pixels)


class PictureGenerator:
    """Generates pictures with a trained model.

    Args:
        model: a `seqgen.Model` of images.
    """

    def __init__(self, model: TaskModel) -> None:
        self._model = model
        self._grid = grid_of(model.data.corpus)
        self._vocabulary = model.data.vocabulary
        self._codes = PixelCodes(self._vocabulary)

    def pictures(
        self,
        count: int = 1,
        *,
        primer: str | Path | None = None,
        primer_rows: int | None = None,
        temperature: float | None = None,
        seed: int | None = None,
        scored: bool = False,
        **sampling: object,
    ) -> Iterator[Picture]:
        """Yield new pictures, all of the size of the model.

        Args:
            count: number of pictures. A picture does not depend on the number of pictures.
            primer: file of a picture whose upper part is completed.
            primer_rows: number of its rows that are kept; by default all of them if it has fewer
                than the model's pictures, in the same width, and half of them otherwise.
            temperature: 0 always chooses the most likely pixel, 1 samples from the model's
                distribution; 0.8 by default.
            seed: the same seed gives the same pictures on the same machine.
            scored: store the log-probability of every token.
            sampling: the other fields of `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …

        Raises:
            CorpusError: the primer cannot be read.
            ConfigError: an option is out of range, options exclude each other, or `max_copy`
                leaves no pixel.
        """
        config = sample_config(self._grid.length, temperature, seed, sampling)
        upper = upper_part(self._grid, primer, primer_rows)
        prompt = self._prompt(upper)
        outputs = [self._output(config, item, prompt, scored) for item in range(count)]
        engine = with_strength(self._model.engine, config.repeat_strength)
        state = decode.read(engine, prompt)
        if config.beam is not None:
            found = beam_search.search(engine, state, outputs[0], config.beam, count)
            yield from (self._picture(prompt, output) for output in found)
            return
        recent = prompt[1:].tolist()
        for items, rows in decode.batches(count, engine):
            states = decode.gather(engine, state, [0] * rows)
            batch = [outputs[item] for item in items]
            for _ in decode.generate(engine, states, Sampler(config), batch, recent):
                pass
            yield from (self._picture(prompt, output) for output in batch)

    def _prompt(self, upper: Pixels) -> Ids:
        """The end token of the picture before, and the tokens of the rows that are kept."""
        end = np.array([self._vocabulary.end_id])
        kept = len(upper) * (self._grid.width + 1)
        whole = np.zeros((self._grid.height, self._grid.width), np.uint8)
        whole[: len(upper)] = upper
        return np.concatenate((end, self._grid.encode(whole)[:kept])).astype(int)

    def _output(
        self, config: SampleConfig, item: int, prompt: Ids, scored: bool
    ) -> GeneratedSequence:
        data, end_id = self._model.data, self._vocabulary.end_id
        grid_constraint = GridConstraint(self._grid, len(prompt) - 1)
        copy_guards = guards(data.indexes, self._codes, config, prompt, end_id)
        return GeneratedSequence(
            config,
            item,
            end_id=end_id,
            may_be_empty=False,
            constraints=[grid_constraint, *copy_guards],
            scored=scored,
        )

    def _picture(self, prompt: Ids, output: GeneratedSequence) -> Picture:
        if output.is_stuck:
            raise ConfigError(
                "max_copy: every possible next pixel would continue a copy; allow longer copies, "
                "or choose another seed"
            )
        ids = np.array([*prompt, *output.ids], int)
        indices = self._grid.decode(ids[1:])
        return Picture(
            values(self._grid.colours)[indices],
            self._vocabulary.decode(output.ids),
            output.log_probabilities,
            copy_report.longest_copy(self._model.data.indexes, self._codes, ids),
        )


def upper_part(grid: Grid, primer: str | Path | None, rows: int | None) -> Pixels:
    """The rows `(R, W)` of a picture that are kept, as indices of colours.

    Args:
        grid: of the model.
        primer: file of a picture; None for no rows.
        rows: number of rows; None for all of a picture that has fewer of them than those of the
            model when it is scaled to their width, and for half of another one.

    Raises:
        CorpusError: the picture cannot be read.
        ConfigError: `rows` is out of range, or there is no picture.
    """
    if rows is not None and primer is None:
        raise ConfigError("primer_rows: expected a primer too, got none; add one")
    if primer is None:
        return np.zeros((0, grid.width), np.uint8)
    source = Source(str(primer), Path(primer))
    width, height = _size_of(source)
    scaled = max(round(height * grid.width / width), 1)
    is_part = scaled < grid.height
    target = scaled if is_part else grid.height
    kept = rows if rows is not None else target if is_part else grid.height // 2
    if not 0 <= kept < grid.height or kept > target:
        most = min(target, grid.height - 1)
        raise ConfigError(f"primer_rows: expected a whole number from 0 to {most}, got {rows}")
    grey = are_grey(grid.colours)
    pixels = result(source, (grid.width, target), grey=grey).pixels
    assert pixels is not None
    return nearest(pixels[0], grid.colours)[:kept]


def _size_of(source: Source) -> tuple[int, int]:
    """The width and height of a picture."""
    found = result(source)
    reason = found.reason
    if not reason and found.facts["pictures"] != 1:
        reason = f"holds {found.facts['pictures']:,} pictures"
    if reason:
        advice = "" if ";" in reason else "; give a file with one picture"
        raise CorpusError(f"primer: {source.label} {reason}{advice}")
    return found.facts["width"], found.facts["height"]
