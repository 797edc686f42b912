"""The contract of a task, and the registry of tasks.

A task is a kind of sequence: how files become tokens, and how tokens become output. Everything
that depends on the kind is a method of `Task`; the shared core calls these methods and never asks
which task it runs. A new kind is one package that implements `Task` and calls `register`.
"""

from __future__ import annotations

import importlib
import inspect
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqgen.errors import ConfigError

if TYPE_CHECKING:
    from seqgen.copying.codes import CopyCodes
    from seqgen.corpus.corpus import Corpus
    from seqgen.corpus.sources import Source
    from seqgen.sampling.config import SampleConfig
    from seqgen.types import Ids
    from seqgen.vocabulary import Vocabulary

# Task → the module and class that implement it, imported on first use, so that help is instant.
_TASKS: dict[str, str | Task] = {
    "text": "seqgen.tasks.text.task:TextTask",
    "music": "seqgen.tasks.music.task:MusicTask",
}
FALLBACK = next(iter(_TASKS))  # what sources are that no other task detects

Metadata = Mapping[str, Any]  # `Corpus.metadata`, as a model file holds it


class Task(ABC):
    """What the shared core needs to know of a kind of sequence."""

    name: str  # in files and on the command line
    token_name: str  # in the singular, such as "character"
    copy_unit: str  # what copies are counted in, in the plural
    generation_options: Mapping[str, str] = {}  # parameter → option of `seqgen generate`

    def detect(self, source: Source) -> bool:
        """Whether a source looks like a file of this task, judged by its name and first bytes."""
        return False

    @abstractmethod
    def read(self, sources: Sequence[Source], *, name: str, **options: Any) -> Corpus:
        """Encode sources; every option is a keyword-only parameter.

        Raises:
            CorpusError: there is nothing to learn from.
            ConfigError: an option is out of its range.
        """

    def read_options(self) -> set[str]:
        """The names of the options of `read`."""
        parameters = inspect.signature(self.read).parameters.values()
        return {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} - {"name"}

    def copy_codes(self, vocabulary: Vocabulary) -> CopyCodes:
        """What two sequences must share to be copies; equal tokens unless overridden."""
        from seqgen.copying.codes import TokenCodes

        return TokenCodes(vocabulary, self.copy_unit)

    @abstractmethod
    def generator(self, model: Any) -> Any:
        """An object whose methods write new sequences with a `seqgen.Model`.

        The methods that `Model` offers (`texts`, `stream`, `generate`, `pieces`, `compose`) call
        the methods of the same name here.
        """

    @abstractmethod
    def write(
        self,
        model: Any,
        *,
        output: str | None,
        count: int,
        as_json: bool,
        options: dict[str, Any],
        say: Callable[[str], None],
    ) -> None:
        """Write new sequences, as `seqgen generate` does.

        Args:
            model: a `seqgen.Model`.
            output: what the user named after `-o`, or None.
            count: number of sequences.
            as_json: write a line of JSON for each sequence to stdout.
            options: options of the command, with the seed, None left out.
            say: tells the user something that is no result.
        """

    def preview(self, model: Any) -> str:
        """A short sample as text, shown during training."""
        return ""

    def score_units(self, metadata: Metadata, vocabulary: Vocabulary, ids: Ids) -> dict[str, float]:
        """Units besides tokens that losses are given per, and how many of them `ids` hold.

        Losses of different encodings compare per unit, not per token. The first is the main one.
        """
        return {}

    def summarise(self, metadata: Metadata) -> str:
        """One line on a corpus besides its number of tokens; empty if there is nothing to add."""
        return ""

    def encoding(self, metadata: Metadata) -> dict[str, Any]:
        """What two corpora must have in common for their tokens to mean the same."""
        return {}

    def corpus_options(self, metadata: Metadata) -> dict[str, Any]:
        """Options of `read` that give a corpus a trained model can be trained on further."""
        return {}

    def scoring_options(self, options: dict[str, Any], encoding: str | None) -> dict[str, Any]:
        """Options of `read` for a corpus that is only scored.

        Args:
            options: those that the model's own corpus was read with.
            encoding: what the user asked for, if anything.
        """
        return options if encoding is None else {**options, "encoding": encoding}

    def opening(self, vocabulary: Vocabulary) -> Ids:
        """Ids `(N,)`, at least one, that the network reads before the first token of an output."""
        import numpy as np

        return np.array([vocabulary.end_id or 0])

    def sample_options(self, model: Any, **options: Any) -> dict[str, Any]:
        """Options of generation for samples that are measured, with defaults filled in.

        Args:
            model: a `seqgen.Model`.
            options: `length`, `bars`, `temperature` and `seed`, None where not given.

        Raises:
            ConfigError: an option of another task, or a number out of its range.
        """
        return {name: value for name, value in options.items() if value is not None}

    def measure_samples(
        self, model: Any, corpus: Corpus, count: int, **options: Any
    ) -> tuple[dict[str, dict[str, float | None]], dict[str, Any]]:
        """Measures of new outputs beside the same measures of the corpus.

        Returns:
            Measure → group (`samples`, `held_out`, …) → value, and further scores.
        """
        return {}, {}


def register(name: str, task: str | Task) -> None:
    """Add a task.

    Args:
        name: `task.name`.
        task: the task, or `"module:Class"`, imported on first use.
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
    """The task of that name.

    Raises:
        ConfigError: there is none.

    >>> get("text").token_name
    'character'
    """
    task = _TASKS.get(name)
    if task is None:
        raise ConfigError(f"task: expected one of {', '.join(_TASKS)}, got {name!r}")
    if isinstance(task, str):
        module, _, attribute = task.partition(":")
        task = _TASKS[name] = getattr(importlib.import_module(module), attribute)()
    return task


def require_own_options(name: str, options: Iterable[str]) -> None:
    """Raise `ConfigError` for an option of generation that only another task has.

    >>> require_own_options("text", ["seed", "prompt"])
    """
    from seqgen.sampling.config import option_names

    # What all tasks have; each task says itself how long an output is.
    shared = set(option_names()) - {"length"}
    strange = set(options) - shared - get(name).generation_options.keys()
    for other in names() if strange else ():  # the others are imported only to name one of them
        foreign = get(other).generation_options
        for option in sorted(strange & foreign.keys()):
            raise ConfigError(f"{foreign[option]} is for models of {other}; this one is of {name}")


def new_seed() -> int:
    """A seed to draw with where the user gave none."""
    return secrets.randbelow(2**31)


def sample_config(
    length: int, temperature: float | None, seed: int | None, options: Mapping[str, Any]
) -> SampleConfig:
    """The `SampleConfig` that the options of a generator stand for.

    Raises:
        ConfigError: an option is unknown, out of its range, or excludes another one.

    >>> sample_config(10, None, 1, {"top_k": 3}).filters
    {'top_k': 3}
    """
    from seqgen.sampling.config import SampleConfig

    options = dict(options)
    if temperature is not None:
        if options.get("temperature_schedule"):
            raise ConfigError(
                "temperature: expected one temperature or a schedule of them, got both"
            )
        options["temperature"] = temperature
    seed = new_seed() if seed is None else seed
    return SampleConfig(**{"length": length, "seed": seed, **options})
