"""The task `text`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.sampling.config import SampleConfig
from seqgen.tasks.base import Metadata, Task, TaskModel
from seqgen.tasks.requests import GenerationRequest, Inspection
from seqgen.tasks.sampling_options import require_own_options
from seqgen.tasks.text import corpus
from seqgen.tasks.text.generate import UNIT, TextGenerator
from seqgen.tasks.text.prompt import encode_prompt
from seqgen.types import Ids, Json
from seqgen.utils.schema import check_at, flag, integer, record, require, text
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from seqgen.tasks.text.samples import Table

PREVIEW_LENGTH = 160  # characters of the sample shown during training
MEASURED_LENGTH = 1000  # characters of a text that is measured
OPTIONS = record(  # of `read`, in a model file
    {}, {"encoding": text(100), "lines": flag, "min_count": integer(1), "shuffled": flag}
)


class TextTask(Task):
    """Sequences of characters: continuous text, or pieces of one line."""

    name = "text"
    token_name = "character"
    copy_unit = UNIT
    is_adaptable = True
    generation_options = {  # noqa: RUF012
        "prompt": "--prompt",
        "prompt_file": "--prompt-file",
        "length": "--length",
        "stop": "--stop",
        "ban": "--ban",
        "allow": "--allow",
        "skip_unknown": "--skip-unknown",
    }

    read = staticmethod(corpus.read)

    def inspect(
        self, sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
    ) -> list[Inspection]:
        """See `seqgen.tasks.text.inspection.inspect`."""
        from seqgen.tasks.text import inspection

        return inspection.inspect(sources, encoding=encoding, progress=progress)

    def generator(self, model: TaskModel) -> TextGenerator:
        """The generator of texts of a `seqgen.Model`."""
        data = model.data
        return TextGenerator(model.engine, data.vocabulary, data.indexes, model.context)

    def write(self, model: TaskModel, request: GenerationRequest) -> None:
        """Write texts to stdout or to a file, see `seqgen.tasks.text.output.write_texts`."""
        from seqgen.tasks.text.output import write_texts

        write_texts(self.generator(model), request)

    def preview(self, model: TaskModel, seed: int = 0) -> str:
        """A short text."""
        return self.generator(model).generate(length=PREVIEW_LENGTH, seed=seed)

    def opening(self, vocabulary: Vocabulary) -> Ids:
        """The end token of the previous line, or a newline."""
        return encode_prompt(vocabulary, "")[1]

    def require_valid(self, metadata: Metadata, vocabulary: Vocabulary) -> None:
        """Check that the tokens are characters, and the options those of `read`."""
        options = metadata.get("options", {})
        check_at("corpus.options", OPTIONS, options)
        special = {END, UNKNOWN}
        for i, token in enumerate(vocabulary.tokens):
            ok = token in special or (len(token) == 1 and not "\ud800" <= token <= "\udfff")
            require(ok, "a character", token, f"vocabulary[{i}]")
        require(bool(vocabulary.ids.keys() - special), "a character", [], "vocabulary")
        if "lines" in options:
            has_end = vocabulary.end_id is not None
            place = "corpus.options.lines"
            require(options["lines"] == has_end, str(has_end).lower(), options["lines"], place)

    def scoring_options(self, options: Json, encoding: str | None) -> Json:
        """Keep rare characters: the model may have learned them."""
        return {**super().scoring_options(options, encoding), "min_count": 1}

    def in_memory(self, text: str, options: Json) -> tuple[Source, Json]:
        """Replace the encoding of the training corpus."""
        return super().in_memory(text, {**options, "encoding": "utf-8"})

    def sample_options(self, model: TaskModel, options: Json) -> Json:
        """Options of `TextGenerator.texts`; a model of lines needs no length."""
        require_own_options(self.name, options)
        SampleConfig(**options)
        needs_length = model.data.vocabulary.end_id is None
        return {"length": MEASURED_LENGTH, **options} if needs_length else options

    def measure_samples(
        self, model: TaskModel, corpus: Corpus, count: int, **options: Any
    ) -> tuple[Table, Json]:
        """See `seqgen.tasks.text.samples.measure`."""
        from seqgen.tasks.text import samples

        return samples.measure(self.generator(model), corpus, count, **options), {}
