"""Training a finished model further, on another corpus with other tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.model_file import ModelData
from seqgen.tasks import base as tasks
from seqgen.types import Floats, Json
from seqgen.vocabulary import Vocabulary

LEARNING_RATE = 2e-3  # a third of a new model's, so that less is forgotten


def options(model_data: ModelData, explicit_options: Mapping[str, object]) -> Json:
    """Add the options that the model determines: those of its network, except dropout.

    Raises:
        ConfigError: the explicit options are those of another network.
    """
    config = model_data.model_config
    network = {**config.to_json(), "ngrams": config.ngrams}
    differing = [
        f"{name} {network[name]}, not {explicit_options[name]}"
        for name in network.keys() & explicit_options.keys() - {"dropout"}
        if explicit_options[name] != network[name]
    ]
    if differing:
        raise ConfigError(
            f"the model to train further has {'; '.join(sorted(differing))}: leave out "
            "that option, or train a new model"
        )
    return {**network, "learning_rate": LEARNING_RATE, **explicit_options}


def require_same_encoding(model_data: ModelData, corpus: Corpus) -> None:
    """Raise `ConfigError` unless the corpus has the task and the encoding of the model."""
    if model_data.task != corpus.task:
        raise ConfigError(
            f"expected a corpus of {model_data.task}, as the model to train further, "
            f"got one of {corpus.task}; train a new model, or set --task"
        )
    task = tasks.get(model_data.task)

    def properties(metadata: Json) -> Json:
        return {**task.corpus_options(metadata), **task.encoding(metadata)}

    old, new = properties(model_data.corpus), properties(corpus.metadata())
    differing = [f"{name} {old[name]}, not {new[name]}" for name in old if old[name] != new[name]]
    if differing:
        raise ConfigError(
            f"the model to train further was trained with {'; '.join(differing)}; "
            "set the same, or train a new model"
        )


def fingerprint(model_data: ModelData) -> str:
    """A hash of a model's vocabulary and weights, which tells it from other models."""
    digest = hashlib.sha256(repr(model_data.vocabulary.tokens).encode())
    for array in model_data.weights:
        digest.update(array.tobytes())
    return digest.hexdigest()


def extended_vocabulary(old: Vocabulary, corpus: Vocabulary) -> Vocabulary:
    """The tokens of the corpus, with their ids, then those that only the model has.

    >>> extended_vocabulary(Vocabulary(("a", "b")), Vocabulary(("b", "c"))).tokens
    ('b', 'c', 'a')

    Raises:
        ConfigError: only one of them has an end token.
    """
    if (old.end_id is None) != (corpus.end_id is None):
        trained, here = ("with", "without") if corpus.end_id is None else ("without", "with")
        raise ConfigError(
            f"the model was trained {trained} --lines, this run is {here}; train both the same way"
        )
    return Vocabulary((*corpus.tokens, *(token for token in old.tokens if token not in corpus.ids)))


def extended_weights(model_data: ModelData, vocabulary: Vocabulary) -> list[Floats]:
    """The weights of a model for an extended vocabulary.

    The weights of a new token are the mean of those of all others; its bias is the smallest one.
    """
    embeddings, *recurrent, kernel, bias = model_data.weights
    old = model_data.vocabulary.ids
    rows = np.array([old.get(token, len(old)) for token in vocabulary.tokens])  # len(old): new
    if model_data.model_config.inputs == "numbers":
        return model_data.weights
    count = 1 + len(model_data.model_config.lags)  # of the token, and of each lag
    *parts, ngrams = np.split(embeddings, len(old) * np.arange(1, count + 1))
    embeddings = np.vstack([np.vstack((part, part.mean(0)))[rows] for part in parts])
    if len(ngrams) and vocabulary.tokens != model_data.vocabulary.tokens:
        ngrams = np.broadcast_to(ngrams.mean(0), ngrams.shape)  # their hashes follow the ids
    embeddings = np.vstack((embeddings, ngrams))
    if model_data.model_config.predicts_class:
        return [embeddings, *recurrent, kernel, bias]
    return [
        embeddings,
        *recurrent,
        np.column_stack((kernel, kernel.mean(1)))[:, rows],
        np.append(bias, bias.min())[rows],
    ]
