"""The contract of a task, and the registry of tasks.

A task is a kind of sequence, such as text: it defines how files become tokens, and how tokens
become output. Everything that depends on the kind is a method of `Task`; the other packages call
these methods and never ask which task they run. To add a kind, write a package that implements
`Task`, and call `register`.
"""

from __future__ import annotations

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from seqgen.errors import ConfigError
from seqgen.tasks.requests import (
    Baseline,
    ClassificationRequest,
    Classified,
    GenerationRequest,
    Inspection,
)

if TYPE_CHECKING:
    from seqgen.copying.codes import CopyCodes
    from seqgen.corpus.corpus import Corpus
    from seqgen.corpus.sources import Source
    from seqgen.inference.engine import Engine
    from seqgen.inference.sequence_engine import SequenceEngine
    from seqgen.mixing.repeats import Bars
    from seqgen.model_file import ModelData
    from seqgen.types import Ids, Json
    from seqgen.vocabulary import Vocabulary

# Name → task, or the module and class that implement it, imported on first use.
_TASKS: dict[str, str | Task] = {
    "text": "seqgen.tasks.text.task:TextTask",
    "music": "seqgen.tasks.music.task:MusicTask",
    "images": "seqgen.tasks.images.task:ImagesTask",
    "labels": "seqgen.tasks.labels.task:LabelsTask",
}
FALLBACK = next(iter(_TASKS))  # the task of sources that no task detects

Metadata = Mapping[str, Any]  # `Corpus.metadata`, as a model file holds it


class TaskModel(Protocol):
    """What tasks use of a `seqgen.Model`."""

    data: ModelData
    context: Ids

    @property
    def engine(self) -> Engine: ...

    @property
    def sequence_engine(self) -> SequenceEngine: ...


class Task(ABC):
    """A kind of sequence.

    `name`, `token_name`, `copy_unit`, `read`, `generator` and `write` are required; the other
    methods have defaults.
    """

    name: str  # in model files and on the command line
    token_name: str  # singular, such as "character"
    copy_unit: str  # in which copies are counted, plural, such as "characters"; empty: none are
    target_name: str = ""  # what a loss is given per, singular; empty: a token
    is_adaptable: bool = False  # whether a model can go on learning from a text that it reads
    generation_options: Mapping[str, str] = {}  # parameter → option of `seqgen generate`

    def detect(self, source: Source) -> bool:
        """Whether a source is a file of this task, judging by its name and first bytes."""
        return False

    @abstractmethod
    def read(self, sources: Sequence[Source], **options: Any) -> Corpus:
        """Encode sources as a corpus.

        An implementation declares its options, such as `encoding`, as keyword-only parameters, and
        ends in `**origin`: fields of `Corpus` that describe where the sources come from, such as
        its name. It passes them to `Corpus` unchanged.

        Args:
            sources: files, in order.
            options: of this task, and the origin.

        Raises:
            CorpusError: the sources contain nothing to learn.
            ConfigError: an option is out of range.
        """

    def read_like(
        self,
        sources: Sequence[Source],
        metadata: Metadata,
        vocabulary: Vocabulary,
        options: Json,
        **origin: Any,
    ) -> Corpus:
        """Read sequences with classes to score them with a model, in its encoding.

        Only tasks whose pieces have classes need this method.

        Args:
            sources: the files.
            metadata: `Corpus.metadata` of the corpus on which the model was trained.
            vocabulary: of the model.
            options: of reading, those that the user gave.
            origin: fields of `Corpus`, as for `read`.

        Raises:
            CorpusError: they hold nothing that the model can score.
        """
        raise NotImplementedError

    def inspect(
        self, sources: Sequence[Source], *, encoding: str | None = None, progress: bool = False
    ) -> list[Inspection]:
        """Describe every source, or say why it cannot be used.

        Args:
            sources: files.
            encoding: the encoding that the user gave; None if there is none.
            progress: draw a progress bar on stderr.

        Raises:
            ConfigError: the task has no such encoding.
        """
        return [Inspection({"file": source.label, "kept": True}, "") for source in sources]

    def read_options(self) -> set[str]:
        """The names of the options of `read`."""
        parameters = inspect.signature(self.read).parameters.values()
        return {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}

    def copy_codes(self, vocabulary: Vocabulary) -> CopyCodes:
        """The codes in which sequences are compared to find copies; by default the tokens."""
        from seqgen.copying.codes import TokenCodes

        return TokenCodes(vocabulary, self.copy_unit)

    def bars(self, vocabulary: Vocabulary) -> Bars | None:
        """How the tokens move through bars; None if sequences are not divided into bars.

        In bars, what stood at the same place of an earlier bar predicts the next token, see
        `seqgen.mixing.repeats`.
        """
        return None

    @abstractmethod
    def generator(self, model: TaskModel) -> object:
        """An object whose public methods generate sequences with a `seqgen.Model`.

        `Model.texts`, `stream`, `generate`, `pieces` and `compose` call the methods of the same
        name of this object.
        """

    @abstractmethod
    def write(self, model: TaskModel, request: GenerationRequest) -> None:
        """Generate sequences with a `seqgen.Model` and write them, as `seqgen generate` does.

        Raises:
            ConfigError: an option is out of range, or options exclude each other.
            OutputError: a file cannot be written.
        """

    def classify(self, model: TaskModel, request: ClassificationRequest) -> Iterator[Classified]:
        """Classify sequences with a `seqgen.Model`.

        Raises:
            ConfigError: a model of this task predicts no labels, or an option is out of range.
            CorpusError: a file cannot be read, or holds nothing to classify.
        """
        raise ConfigError(
            f"expected a model of labels, got one of {self.name}, which generates; use seqgen "
            "generate"
        )

    def preview(self, model: TaskModel, seed: int = 0) -> str:
        """A short sample, as text, to show during training and on a model card."""
        return ""

    def score_units(self, metadata: Metadata, vocabulary: Vocabulary, ids: Ids) -> dict[str, float]:
        """Units besides tokens in which losses are given, such as notes.

        Losses of different encodings can be compared per unit, but not per token.

        Args:
            metadata: `Corpus.metadata`.
            vocabulary: of the ids.
            ids: `(N,)`.

        Returns:
            Unit → number of them in `ids`; the main unit first.
        """
        return {}

    def baseline(self, own: Corpus, scored: Ids) -> Baseline | None:
        """A simple model with which a score is compared; None for n-grams.

        Args:
            own: the training corpus, in the vocabulary of the model; the baseline is fitted to its
                training part.
            scored: ids `(N,)`.
        """
        return None

    def summarise(self, metadata: Metadata) -> str:
        """One line about a corpus of this task, for example its keys; empty if there is none."""
        return ""

    def require_valid(self, metadata: Metadata, vocabulary: Vocabulary) -> None:
        """Check what a model file says about its corpus, so that generation can rely on it.

        The fields that all tasks share have been checked; `options` and `details`, and whether the
        vocabulary is one of this task, have not.

        Args:
            metadata: `Corpus.metadata`, from a file that may be damaged or hostile.
            vocabulary: of the model.

        Raises:
            ValueError: it is not what `read` of this task writes; see `seqgen.utils.schema`.
        """
        return

    def encoding(self, metadata: Metadata) -> Json:
        """The properties that two corpora must share for their tokens to have the same meaning."""
        return {}

    def corpus_options(self, metadata: Metadata) -> Json:
        """Options of `read` for a corpus on which a trained model is trained further."""
        return {}

    def scoring_options(self, options: Json, encoding: str | None) -> Json:
        """Options of `read` for a corpus that is only scored.

        Args:
            options: with which the model's own corpus was read.
            encoding: the encoding that the user gave; None if there is none.
        """
        return options if encoding is None else {**options, "encoding": encoding}

    def in_memory(self, text: str, options: Json) -> tuple[Source, Json]:
        """A text as a source, and the options with which `read` reads it.

        Args:
            text: what a file of this task that is text could hold.
            options: for such a file.
        """
        from seqgen.corpus.sources import Source

        return Source("text", data=text.encode("utf-8", "replace")), options

    def opening(self, vocabulary: Vocabulary) -> Ids:
        """Ids `(N,)`, at least one, that the network reads before the first generated token."""
        import numpy as np

        return np.array([vocabulary.end_id or 0])

    def sample_options(self, model: TaskModel, options: Json) -> Json:
        """Options of generation for `measure_samples`, with defaults.

        Args:
            model: a `seqgen.Model`.
            options: those of `seqgen evaluate --samples` that were given, and a seed.

        Raises:
            ConfigError: an option belongs to another task, or is out of range.
        """
        return options

    def measure_samples(
        self, model: TaskModel, corpus: Corpus, count: int, **options: Any
    ) -> tuple[dict[str, dict[str, float | None]], Json]:
        """Measure generated sequences, and the corpus for comparison.

        Args:
            model: a `seqgen.Model`.
            corpus: the corpus on which it was trained.
            count: number of sequences to generate.
            options: from `sample_options`.

        Returns:
            Measure → group (`samples`, `held_out`, …) → value, and further scores.
        """
        return {}, {}


def require_no_encoding(task: str, encoding: str | None) -> None:
    """Raise `ConfigError` if the user gave an encoding of text for files that have none.

    >>> require_no_encoding("music", None)
    """
    if encoding is not None:
        raise ConfigError(
            f"encoding: expected none for files of {task}, got {encoding!r}; leave it out"
        )


def register(name: str, task: str | Task) -> None:
    """Add a task.

    Args:
        name: the same as `task.name`.
        task: the task, or `"module:Class"`, which is imported on first use.
    """
    _TASKS[name] = task


def unregister(name: str) -> None:
    """Remove a task."""
    _TASKS.pop(name, None)


def names() -> tuple[str, ...]:
    """The names of all tasks.

    >>> names()[:2]
    ('text', 'music')
    """
    return tuple(_TASKS)


def get(name: str) -> Task:
    """The task of a name.

    Raises:
        ConfigError: there is no such task.

    >>> get("text").token_name
    'character'
    """
    task = _TASKS.get(name)
    if task is None:
        raise ConfigError(
            f"task: expected one of {', '.join(_TASKS)}, got {name!r}; choose one of them"
        )
    if isinstance(task, str):
        module, _, attribute = task.partition(":")
        task = _TASKS[name] = getattr(importlib.import_module(module), attribute)()
    return task
