"""Corpora that are read for a trained model: in its encoding and its vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.vocabularies import in_vocabulary
from seqgen.errors import ConfigError
from seqgen.model_file import ModelData
from seqgen.tasks import base
from seqgen.tasks.load import load_corpus
from seqgen.types import Json


class Given(NamedTuple):
    """A corpus in the vocabulary of a model."""

    corpus: Corpus
    notes: list[str]  # messages to the user


def read_options(model_data: ModelData, validation: float) -> Json:
    """The options of `load_corpus` with which the training corpus was read."""
    options = {k: v for k, v in model_data.corpus["options"].items() if k != "shuffled"}
    return {"task": model_data.task, "validation": validation, **options}


def read_corpora(
    model_data: ModelData, corpora: Sequence[str | Path], encoding: str | None = None
) -> Given:
    """Read corpora, of which nothing is held out.

    Args:
        model_data: the model.
        corpora: paths or names.
        encoding: the encoding that the user gave; None for that of the training corpus.

    Raises:
        CorpusError: they cannot be read, or none of their tokens are in the model's vocabulary.
        ConfigError: they have another task, or another encoding.
    """
    named = catalogue.read_catalogue().get(str(corpora[0]))
    if named is not None and named.task != model_data.task:
        raise ConfigError(
            f"{corpora[0]}: expected a corpus of {model_data.task}, like the model, got one of "
            f"{named.task}; choose another corpus"
        )
    options = read_options(model_data, 0)
    task = base.get(model_data.task)
    return _converted(model_data, load_corpus(*corpora, **task.scoring_options(options, encoding)))


def read_text(model_data: ModelData, text: str) -> Given:
    """Read the content of a file that is text, such as a melody in ABC notation.

    Raises:
        CorpusError: it holds nothing that the model can read.
        ConfigError: it has another encoding than the model.
    """
    options, task = read_options(model_data, 0), base.get(model_data.task)
    source, options = task.in_memory(text, task.scoring_options(options, None))
    del options["task"]
    return _converted(model_data, task.read([source], name="text", **options))


def _converted(model_data: ModelData, corpus: Corpus) -> Given:
    task, vocabulary = base.get(model_data.task), model_data.vocabulary
    expected, found = map(task.encoding, (model_data.corpus, corpus.metadata()))
    if expected != found:
        raise ConfigError(
            f"{corpus.name}: expected a corpus encoded like the training corpus, {expected}, got "
            f"{found}; choose another corpus or encoding"
        )
    corpus, unknown = in_vocabulary(vocabulary, corpus)
    notes = [*corpus.messages]
    if unknown:
        treatment = "left out" if vocabulary.unknown_id is None else "read as <unk>"
        notes.append(f"{unknown:,} {task.token_name}s that the model has never seen: {treatment}")
    return Given(corpus, notes)
