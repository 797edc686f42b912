"""Music as a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.mixing.repeats import Bars
from seqgen.music.io.read import SNIFFED_BYTES, is_music
from seqgen.music.signatures import TICKS_PER_WHOLE
from seqgen.music.tokens.bar_tokens import BAR
from seqgen.music.tokens.codec import Codec
from seqgen.music.tokens.melody import DURATIONS
from seqgen.music.tokens.polyphony import SHIFTS
from seqgen.sampling.config import SampleConfig
from seqgen.tasks.base import Metadata, Task, TaskModel, require_no_encoding
from seqgen.tasks.music import corpus, inspection, samples
from seqgen.tasks.music.copying import StepCodes
from seqgen.tasks.music.metadata import require_valid
from seqgen.tasks.music.output import REQUEST, write_pieces
from seqgen.tasks.music.pieces import Pieces
from seqgen.tasks.music.request import MusicRequest
from seqgen.tasks.requests import GenerationRequest, Inspection
from seqgen.tasks.sampling_options import require_own_options
from seqgen.types import Ids, Json
from seqgen.vocabulary import Vocabulary

PREVIEW_BARS = 8
MEASURED_BARS = 16  # of a piece that is generated to be measured
KEYS = {"c": "in C", "augment": "in all keys", "none": "in their own keys"}


class MusicTask(Task):
    """Sequences of notes: a melody, or several voices."""

    name = "music"
    token_name = "token"
    copy_unit = StepCodes.unit
    is_adaptable = True
    generation_options = REQUEST

    def detect(self, source: Source) -> bool:
        """Whether the name or the first bytes are those of a MIDI file or a score."""
        return is_music(source.label, source.head(SNIFFED_BYTES))

    read = staticmethod(corpus.read)

    def inspect(
        self, sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
    ) -> list[Inspection]:
        """See `seqgen.tasks.music.inspection.inspect`."""
        require_no_encoding(self.name, encoding)
        return inspection.inspect(sources, progress=progress)

    def copy_codes(self, vocabulary: Vocabulary) -> StepCodes:
        """Return codes of the steps from note to note, the same in every key."""
        return StepCodes(vocabulary)

    def bars(self, vocabulary: Vocabulary) -> Bars:
        """Return how durations and shifts move through a bar, and that "bar" starts the next."""
        ticks = {**DURATIONS.ticks, **SHIFTS.ticks}
        tokens = vocabulary.tokens
        return Bars(
            np.array([ticks.get(token, 0) for token in tokens], np.int32),
            np.array([token == BAR for token in tokens]),
        )

    def generator(self, model: TaskModel) -> Pieces:
        """Return what `Model.pieces` and `Model.compose` call."""
        return Pieces(model)

    def write(self, model: TaskModel, request: GenerationRequest) -> None:
        """Write pieces to files, see `seqgen.tasks.music.output.write_pieces`."""
        write_pieces(Pieces(model), request)

    def preview(self, model: TaskModel, seed: int = 0) -> str:
        """Return a few new bars as ABC."""
        from seqgen.music.io.abc_writer import abc_lines

        return abc_lines(Pieces(model).compose(bars=PREVIEW_BARS, seed=seed))

    def score_units(self, metadata: Metadata, vocabulary: Vocabulary, ids: Ids) -> dict[str, float]:
        """Return the number of notes and of quarters (called beats)."""
        codec = Codec(**metadata["details"]["codec"])
        starts = np.array([codec.starts_note(token) for token in vocabulary.tokens])
        ends = np.flatnonzero(ids == vocabulary.end_id)
        bounds = [0, *(int(end) + 1 for end in ends)]
        texts = [vocabulary.decode(ids[start : end - 1]) for start, end in pairwise(bounds)]
        ticks = sum(codec.decode(text).length for text in texts)
        return {"note": int(starts[ids].sum()), "beat": 4 * ticks / TICKS_PER_WHOLE}

    def require_valid(self, metadata: Metadata, vocabulary: Vocabulary) -> None:
        """Check the tokens, and everything that generation reads of `options` and `details`."""
        require_valid(metadata, vocabulary)

    def summarise(self, metadata: Metadata) -> str:
        """Describe the corpus: pieces, notes, encoding and keys."""
        details, options = metadata.get("details"), metadata.get("options")
        if not details or not options:
            return ""
        return (
            f"{details['pieces']:,} pieces, {details['notes']:,} notes; "
            f"{options['encoding']} encoding, learned {KEYS[options['transpose']]}"
        )

    def encoding(self, metadata: Metadata) -> Json:
        """Return the options of the codec: `encoding`, `joint` and `velocity`."""
        return dict(metadata["details"]["codec"])

    def corpus_options(self, metadata: Metadata) -> Json:
        """Return the options that give the same encoding and keys."""
        return {name: metadata["options"][name] for name in ("encoding", "transpose", "velocity")}

    def scoring_options(self, options: Json, encoding: str | None) -> Json:
        """Return the options for scoring: all pieces, every piece in one key only."""
        require_no_encoding(self.name, encoding)
        options = {name: value for name, value in options.items() if name != "voices"}
        if options["transpose"] == "augment":
            options["transpose"] = "none"
        return options

    def in_memory(self, text: str, options: Json) -> tuple[Source, Json]:
        """Return a source of ABC notation."""
        source, options = super().in_memory(text, options)
        return replace(source, label="text.abc"), options

    def sample_options(self, model: TaskModel, options: Json) -> Json:
        """Return the options for pieces that are measured, by default 16 bars."""
        require_own_options(self.name, options)
        bars = options.get("bars", MEASURED_BARS)
        SampleConfig(**{name: value for name, value in options.items() if name != "bars"})
        MusicRequest(bars=bars)
        return {**options, "bars": bars}

    def measure_samples(
        self, model: TaskModel, corpus: Corpus, count: int, **options: Any
    ) -> tuple[dict[str, dict[str, float | None]], Json]:
        """Measure generated pieces, see `seqgen.tasks.music.samples.measure`."""
        table, histograms = samples.measure(Pieces(model), corpus, count, **options)
        return table, {"histograms": histograms}
