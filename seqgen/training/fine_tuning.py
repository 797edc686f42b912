"""A finished model as the beginning of a run on new text, with new characters."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.model_file import ModelData
from seqgen.tasks import base as tasks
from seqgen.types import Floats
from seqgen.vocabulary import Vocabulary

LEARNING_RATE = 2e-3  # a third of a new model's: what the model knows should last


def options(model_data: ModelData, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run that begins with a model: its network is what it is, but for dropout.

    Raises:
        ConfigError: the given ones ask for another network.
    """
    network = model_data.model_config.to_json()
    differing = [
        f"{name} {network[name]}, not {given[name]}"
        for name in network.keys() & given.keys() - {"dropout"}
        if given[name] != network[name]
    ]
    if differing:
        raise ConfigError(
            f"the model to begin with has {'; '.join(sorted(differing))}: leave that option away, "
            "or train a new model"
        )
    return {**network, "learning_rate": LEARNING_RATE, **given}


def require_same_kind(model_data: ModelData, corpus: Corpus) -> None:
    """Raise `ConfigError` unless the corpus is written in the tokens that the model knows."""
    if model_data.task != corpus.task:
        raise ConfigError(
            f"the model to begin with is one of {model_data.task}, "
            f"this corpus is one of {corpus.task}"
        )
    task = tasks.get(model_data.task)
    was, now = (
        {**task.corpus_options(each), **task.encoding(each)}
        for each in (model_data.corpus, corpus.metadata())
    )
    differing = [f"{name} {was[name]}, not {now[name]}" for name in was if was[name] != now[name]]
    if differing:
        raise ConfigError(f"the model to begin with has learned with {'; '.join(differing)}")


def fingerprint(model_data: ModelData) -> str:
    """Tells one model from another: a hash of its vocabulary and weights."""
    digest = hashlib.sha256(repr(model_data.vocabulary.tokens).encode())
    for each in model_data.weights:
        digest.update(each.tobytes())
    return digest.hexdigest()


def grown_vocabulary(old: Vocabulary, corpus: Vocabulary) -> Vocabulary:
    """The corpus's tokens with the ids that they have there, then those that only the model knows.

    >>> grown_vocabulary(Vocabulary(("a", "b")), Vocabulary(("b", "c"))).tokens
    ('b', 'c', 'a')

    Raises:
        ConfigError: one of the two is of lines, the other is not.
    """
    if (old.end_id is None) != (corpus.end_id is None):
        was, now = ("with", "without") if corpus.end_id is None else ("without", "with")
        raise ConfigError(
            f"the model was trained {was} --lines, this run is {now}; expected both alike"
        )
    return Vocabulary((*corpus.tokens, *(each for each in old.tokens if each not in corpus.ids)))


def grown_weights(model_data: ModelData, vocabulary: Vocabulary) -> list[Floats]:
    """A model's weights for a vocabulary that holds all of its tokens, and others.

    A new token begins as the mean of the others, and as unlikely as the unlikeliest of them.
    """
    embeddings, *recurrent, kernel, bias = model_data.weights
    old = model_data.vocabulary.ids
    places = np.array([old.get(token, len(old)) for token in vocabulary.tokens])
    return [
        np.vstack((embeddings, embeddings.mean(0)))[places],
        *recurrent,
        np.column_stack((kernel, kernel.mean(1)))[:, places],
        np.append(bias, bias.min())[places],
    ]
