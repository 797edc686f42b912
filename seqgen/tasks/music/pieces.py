"""Generation of pieces with a `seqgen.Model` of music."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from seqgen.mixing.engine import with_strength
from seqgen.music.piece import Piece
from seqgen.tasks.base import TaskModel
from seqgen.tasks.music.generate import Composition, MusicGenerator
from seqgen.tasks.music.request import REQUESTED, parse_request
from seqgen.tasks.sampling_options import sample_config


class Pieces:
    """Generates pieces with a trained model.

    Args:
        model: a `seqgen.Model` of music.
    """

    def __init__(self, model: TaskModel) -> None:
        self.model = model

    def pieces(
        self,
        count: int = 1,
        *,
        temperature: float | None = None,
        seed: int | None = None,
        scored: bool = False,
        **options: Any,
    ) -> Iterator[Composition]:
        """Yield new pieces of music, and how they were generated.

        Args:
            count: number of pieces. A piece does not depend on the number of pieces.
            temperature: 0 always chooses the most likely token, 1 samples from the model's
                distribution; 0.8 by default.
            seed: the same seed gives the same pieces on the same machine.
            scored: store the log-probability of every token.
            options: `bars`, `key`, `meter`, `tempo`, `pitch_range`, `instrument`, `primer` and
                `echo`, see `seqgen.tasks.music.request.parse_request`; and the other fields of
                `SampleConfig`: `top_k`, `top_p`, `min_p`, `beam` …

        Raises:
            MusicError: a value cannot be parsed, or a primer cannot be read.
            VocabularyError: the model does not know the key, the meter or the primer.
            ConfigError: an option is unknown or out of its range, or options exclude each other.
        """
        data = self.model.data
        requested = {name: options.pop(name) for name in options.keys() & REQUESTED}
        config = sample_config(0, temperature, seed, options)
        engine = with_strength(self.model.engine, config.repeat_strength)
        generator = MusicGenerator(engine, data.vocabulary, data.corpus, data.indexes)
        request = parse_request(**requested)
        compositions = generator.compose(request, config, count=count, scored=scored)
        for number, composition in enumerate(compositions, 1):
            name = f"{config.seed}" if number == 1 else f"{config.seed}-{number}"
            piece = replace(composition.piece, title=f"{data.corpus['name']} {name}")
            yield replace(composition, piece=piece)

    def compose(self, **options: Any) -> Piece:
        """Return one new piece of music; options as for `pieces`."""
        return next(self.pieces(**options)).piece
