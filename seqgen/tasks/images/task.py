"""Images as a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.sampling.config import SampleConfig
from seqgen.tasks.base import Metadata, Task, TaskModel, require_no_encoding
from seqgen.tasks.images import corpus
from seqgen.tasks.images.copying import UNIT, PixelCodes
from seqgen.tasks.images.files import looks_like_picture
from seqgen.tasks.images.generate import PictureGenerator
from seqgen.tasks.images.metadata import grid_of, require_valid
from seqgen.tasks.images.output import REQUEST, write_pictures
from seqgen.tasks.requests import Baseline, GenerationRequest, Inspection
from seqgen.tasks.sampling_options import require_own_options
from seqgen.types import Ids, Json
from seqgen.vocabulary import Vocabulary

SHADES = " .:-=+*#%@"  # of a preview, from dark to light
WIDEST_PREVIEW = 64  # pixels


class ImagesTask(Task):
    """Pictures, row by row: a token per pixel."""

    name = "images"
    token_name = "token"
    copy_unit = UNIT
    generation_options = REQUEST

    def detect(self, source: Source) -> bool:
        """Whether the name or the first bytes are those of a picture, or of an array of them."""
        return looks_like_picture(source)

    read = staticmethod(corpus.read)

    def inspect(
        self, sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
    ) -> list[Inspection]:
        """See `seqgen.tasks.images.inspection.inspect`."""
        from seqgen.tasks.images import inspection

        require_no_encoding(self.name, encoding)
        return inspection.inspect(sources, progress=progress)

    def copy_codes(self, vocabulary: Vocabulary) -> PixelCodes:
        """Codes of pixels; the numbers of rows have none."""
        return PixelCodes(vocabulary)

    def generator(self, model: TaskModel) -> PictureGenerator:
        """The generator of pictures of a `seqgen.Model`."""
        return PictureGenerator(model)

    def write(self, model: TaskModel, request: GenerationRequest) -> None:
        """Write pictures, see `seqgen.tasks.images.output.write_pictures`."""
        write_pictures(model, request)

    def preview(self, model: TaskModel, seed: int = 0) -> str:
        """A picture as characters; empty if it is too wide."""
        if grid_of(model.data.corpus).width > WIDEST_PREVIEW:
            return ""
        (picture,) = PictureGenerator(model).pictures(seed=seed)
        shades = (picture.pixels.mean(axis=2) / 256 * len(SHADES)).astype(int)
        return "\n".join("".join(2 * SHADES[shade] for shade in row) for row in shades)

    def score_units(self, metadata: Metadata, vocabulary: Vocabulary, ids: Ids) -> dict[str, float]:
        """The number of pixels."""
        return {"pixel": int(grid_of(metadata).is_pixel(np.asarray(ids)).sum())}

    def baseline(self, own: Corpus, scored: Ids) -> Baseline | None:
        """The best causal context model, see `seqgen.tasks.images.context_model`."""
        from seqgen.tasks.images import context_model, samples

        grid = grid_of(own.metadata())
        pictures = np.asarray(scored)
        if len(pictures) % grid.length or not len(pictures):
            return None
        training, held_out = samples.pictures_of(own, grid)
        target = grid.decode(pictures.reshape(-1, grid.length))
        colours = len(grid.colours)
        chosen_on = held_out if len(held_out) else target
        order = context_model.best_order(training, chosen_on, colours)
        nats = context_model.losses(training, target, colours, order)[-1]
        name = f"context model of the pixels {', '.join(order)}" if order else "histogram"
        return Baseline(name, nats * target.size)

    def summarise(self, metadata: Metadata) -> str:
        """The number of pictures, their size and their colours."""
        details, options = metadata.get("details"), metadata.get("options")
        if not details or not options:
            return ""
        return (
            f"{details['pictures']:,} pictures, {options['image_size']} pixels in "
            f"{corpus.describe(options['colours'])}"
        )

    def require_valid(self, metadata: Metadata, vocabulary: Vocabulary) -> None:
        """Check the tokens, and everything that generation reads of `options` and `details`."""
        require_valid(metadata, vocabulary)

    def encoding(self, metadata: Metadata) -> Json:
        """The size and the colours."""
        return {name: metadata["options"][name] for name in ("image_size", "colours")}

    def corpus_options(self, metadata: Metadata) -> Json:
        """The size and the colours."""
        return self.encoding(metadata)

    def scoring_options(self, options: Json, encoding: str | None) -> Json:
        """The same size and colours."""
        require_no_encoding(self.name, encoding)
        return options

    def sample_options(self, model: TaskModel, options: Json) -> Json:
        """Options of `PictureGenerator.pictures`."""
        require_own_options(self.name, options)
        SampleConfig(**options)
        return options

    def measure_samples(
        self, model: TaskModel, corpus: Corpus, count: int, **options: Any
    ) -> tuple[dict[str, dict[str, float | None]], Json]:
        """See `seqgen.tasks.images.samples.measure`."""
        from seqgen.tasks.images import samples

        return samples.measure(model, corpus, count, **options), {}
