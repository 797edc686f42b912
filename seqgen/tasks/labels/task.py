"""The task `labels`: a sequence in, a label out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError
from seqgen.tasks.base import Metadata, Task, TaskModel
from seqgen.tasks.labels import corpus
from seqgen.tasks.labels.classifier import Classifier
from seqgen.tasks.labels.encoding import NUMBERS, TOKENS
from seqgen.tasks.labels.files import is_examples
from seqgen.tasks.labels.inputs import classified
from seqgen.tasks.requests import ClassificationRequest, Classified, GenerationRequest, Inspection
from seqgen.types import Json
from seqgen.utils import schema
from seqgen.vocabulary import PADDING, UNKNOWN, Vocabulary

_NAME = schema.optional(schema.text(10_000))
_CHANNELS = schema.sequence(schema.number(-1e30, 1e30), 100_000)
OPTIONS = schema.record(  # of `read`, in a model file
    {},
    {
        "text_column": _NAME,
        "label_column": _NAME,
        "tokens": schema.choice(TOKENS),
        "encoding": schema.text(100),
        "min_count": schema.integer(1),
        "max_length": schema.integer(1, corpus.MOST_STEPS),
        "class_weights": schema.flag,
    },
)
DETAILS = schema.record(
    {
        "labels": schema.sequence(schema.text(10_000, least=1), corpus.MOST_LABELS, least=2),
        "pieces": schema.integer(1),
        "encoding": schema.record(
            {
                "tokens": schema.choice((*TOKENS, NUMBERS)),
                "max_length": schema.integer(1, corpus.MOST_STEPS),
                "mean": _CHANNELS,
                "scale": _CHANNELS,
            }
        ),
    }
)


class LabelsTask(Task):
    """Texts or series with labels."""

    name = "labels"
    token_name = "step"
    copy_unit = ""  # nothing is generated
    target_name = "sequence"

    read = staticmethod(corpus.read)
    read_like = staticmethod(corpus.read_like)

    def detect(self, source: Source) -> bool:
        """Whether it is a table with usual names of columns, or a file of series."""
        return is_examples(source)

    def inspect(
        self, sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
    ) -> list[Inspection]:
        """The sequences and labels of every file, see `seqgen.tasks.labels.inspection.inspect`."""
        from seqgen.tasks.labels import inspection

        return inspection.inspect(sources, encoding)

    def generator(self, model: TaskModel) -> Classifier:
        """What `Model.classify` and `Model.explain` call."""
        return Classifier(model)

    def write(self, model: TaskModel, request: GenerationRequest) -> NoReturn:
        """Raise `ConfigError`: nothing can be generated."""
        raise ConfigError(
            "expected a model that generates, got one that classifies; use seqgen classify"
        )

    def classify(self, model: TaskModel, request: ClassificationRequest) -> Iterator[Classified]:
        """Label texts, or the rows of files, see `seqgen.tasks.labels.inputs.classified`."""
        return classified(Classifier(model), request)

    def summarise(self, metadata: Metadata) -> str:
        """The number of sequences, and the labels."""
        details = metadata["details"]
        labels = details["labels"]
        shown = ", ".join(labels[:10]) + (", …" if len(labels) > 10 else "")
        return f"{details['pieces']:,} sequences, {len(labels)} labels: {shown}"

    def require_valid(self, metadata: Metadata, vocabulary: Vocabulary) -> None:
        """Check the options, the labels and the encoding."""
        for name, check in (("options", OPTIONS), ("details", DETAILS)):
            schema.check_at(f"corpus.{name}", check, metadata.get(name, {}))
        details = metadata["details"]
        labels, encoding = details["labels"], details["encoding"]
        schema.require(len(set(labels)) == len(labels), "distinct labels", labels, "corpus.details")
        if encoding["tokens"] == NUMBERS:
            for name in ("mean", "scale"):
                ok = len(encoding[name]) == len(vocabulary) and 0.0 not in encoding["scale"]
                expected = f"{len(vocabulary)} numbers"
                schema.require(ok, expected, encoding[name], f"corpus.details.encoding.{name}")
        else:
            ok = vocabulary.tokens[:1] == (PADDING,) and UNKNOWN in vocabulary.ids
            schema.require(ok, f"{PADDING} and {UNKNOWN}", vocabulary.tokens[:2], "vocabulary")
            schema.require(not encoding["mean"], "no numbers", encoding["mean"], "mean")

    def encoding(self, metadata: Metadata) -> Json:
        """The labels and the tokens."""
        details = metadata["details"]
        return {"labels": details["labels"], "tokens": details["encoding"]["tokens"]}

    def corpus_options(self, metadata: Metadata) -> Json:
        """Options that give the same tokens."""
        return {name: metadata["options"][name] for name in ("tokens", "max_length")}
