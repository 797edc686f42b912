"""Evaluation of a model: its loss on a corpus, and that of n-grams for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqgen.adaptation.adapt import adaptive_losses
from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, CorpusError
from seqgen.evaluation import classification, ngrams
from seqgen.evaluation import loss as scoring
from seqgen.evaluation.find_corpus import training_corpus
from seqgen.model import Model
from seqgen.tasks.given import read_corpora
from seqgen.types import Ids, Json


@dataclass
class Evaluation:
    """The result of `evaluate`."""

    scores: Json  # plain data, as `seqgen evaluate --json` prints it
    notes: list[str]  # messages to the user
    own: Corpus | None = None  # the training corpus of the model; None if it is not found

    def add_samples(self, model: Model, count: int, options: Json) -> None:
        """Measure generated samples, and compare them with the training corpus if it is found.

        Args:
            model: the model.
            count: number of texts or pieces.
            options: of generation, see `Task.sample_options`.
        """
        if self.own is None:
            self.notes.append("no samples: there is no corpus to compare them with")
            return
        measures, further = model.task.measure_samples(model, self.own, count, **options)
        self.scores |= further
        self.scores["samples"] = {"count": count, **measures}


@dataclass(frozen=True)
class _Target:
    """The ids to score."""

    name: str
    ids: Ids  # (N,), in the vocabulary of the model
    first: int  # position of the first scored id; those before it are context


def evaluate(
    model: Model,
    corpora: Sequence[str | Path] = (),
    *,
    folder: Path,
    encoding: str | None = None,
    adapt: bool = False,
    progress: bool = False,
    **options: object,
) -> Evaluation:
    """Compute the loss of a model on a corpus, and that of n-grams for comparison.

    For a model that predicts classes, the scores of `seqgen.evaluation.classification`.

    Args:
        model: the model.
        corpora: paths or names of the corpus to score; by default, the held-out part of the
            corpus on which the model was trained.
        folder: of the model file, in which the training corpus is also searched for.
        encoding: of `corpora`; by default that of the training corpus.
        adapt: also score a copy of the model that learns from the corpus while it reads it.
        progress: draw a progress bar on stderr.
        options: of reading labelled sequences, such as `label_column`.

    Raises:
        CorpusError: the corpus is not found, none of its tokens are in the model's vocabulary, or
            nothing was held out of the training corpus.
        ConfigError: the corpus has another task or another encoding, or a model of this kind
            cannot adapt.
    """
    if adapt:
        model.require_adaptable()
    notes: list[str] = []
    own: Corpus | None = None
    try:
        own = training_corpus(model, folder, corpora)
    except CorpusError as error:
        if not corpora:
            raise CorpusError(f"{error}; give a corpus to score") from error
        notes.append(f"no baseline for comparison: {error}")
    if model.data.model_config.predicts_class:
        given = _labelled(model, corpora, {"encoding": encoding, **options}, notes)
        return Evaluation(classification.evaluate(model, own, given, notes), notes)
    for name, value in options.items():
        if value is not None:
            raise ConfigError(
                f"{name}: expected a model of labels, got one of {model.data.task}; leave it out"
            )
    if corpora:
        target = _given_corpus(model, corpora, encoding, own, notes)
    else:
        assert own is not None
        target = _held_out(model, own, notes)
    losses = scoring.losses(model.engine, target.ids, target.first, progress=progress)
    scored = np.asarray(target.ids[target.first :])
    scores = {"corpus": target.name, **_scores(model, scored, float(losses.sum()))}
    if model.data.mixture is not None:
        alone = scoring.losses(model.network_engine, target.ids, target.first, progress=progress)
        scores["network"] = _per_unit(_scores(model, scored, float(alone.sum())))
    if adapt:
        scores["adaptive"] = _adaptive(model, target, scored, progress)
    scores["baseline"] = None if own is None else _baseline(model, own, scored)
    return Evaluation(scores, notes, own)


def _held_out(model: Model, own: Corpus, notes: list[str]) -> _Target:
    """The held-out part of the training corpus, with the training part as context."""
    if own.training_length != model.data.corpus["split"]["training_tokens"]:
        notes.append(
            "this version of seqgen splits the corpus differently: the model was trained on some "
            "of the tokens that are now held out"
        )
    if own.training_length == len(own.ids):
        raise CorpusError(f"{own.name}: nothing was held out; give a corpus to score")
    return _Target(f"held-out part of {own.name}", own.ids, own.training_length)


def _given_corpus(
    model: Model,
    corpora: Sequence[str | Path],
    encoding: str | None,
    own: Corpus | None,
    notes: list[str],
) -> _Target:
    """The corpus that the user gave, with the ids that generation starts with as context."""
    corpus, found_notes = read_corpora(model.data, corpora, encoding)
    notes += found_notes
    if own is not None and corpus.sha256 == own.sha256:
        notes.append(
            "this is the training corpus; leave CORPUS out to score only its held-out part"
        )
    opening = model.task.opening(model.data.vocabulary)
    return _Target(corpus.name, np.concatenate((opening, corpus.ids)), len(opening))


def _labelled(
    model: Model, corpora: Sequence[str | Path], options: Json, notes: list[str]
) -> Corpus | None:
    """The labelled sequences that the user gave, if any."""
    if not corpora:
        return None
    spec = catalogue.find(corpora)
    given = {name: value for name, value in options.items() if value is not None}
    metadata, vocabulary = model.data.corpus, model.data.vocabulary
    corpus = model.task.read_like(spec.sources, metadata, vocabulary, given, name=spec.name)
    notes += corpus.messages
    return corpus


def _scores(model: Model, ids: Ids, nats: float) -> Json:
    """The loss per token and per unit of the task.

    Args:
        model: the model.
        ids: `(N,)`, the scored ids.
        nats: the sum of their losses.
    """
    per_token = nats / len(ids)
    scores: Json = {
        "tokens": len(ids),
        "nats_per_token": per_token,
        "bits_per_token": per_token / math.log(2),
        "perplexity": math.exp(per_token),
    }
    units = model.task.score_units(model.data.corpus, model.data.vocabulary, ids)
    for unit, count in units.items():
        scores |= {
            f"{unit}s": count,
            f"nats_per_{unit}": nats / max(count, 1),
            f"bits_per_{unit}": nats / max(count, 1) / math.log(2),
        }
    return scores


def _adaptive(model: Model, target: _Target, scored: Ids, progress: bool) -> Json:
    """The scores of a model that learns from every segment after it has been scored."""
    losses = adaptive_losses(model.adaptable, target.ids, target.first, progress=progress)
    scores = _per_unit(_scores(model, scored, float(losses.model.sum())))
    if model.data.mixture is not None:
        scores["network"] = _per_unit(_scores(model, scored, float(losses.network.sum())))
    return scores


def _baseline(model: Model, own: Corpus, scored: Ids) -> Json:
    """The scores of the baseline of the task, estimated on the training part of the corpus.

    By default these are n-grams. Their order is the best one on the held-out part; if there is
    none, on the scored ids.
    """
    if baseline := model.task.baseline(own, scored):
        return {"model": baseline.name, **_per_unit(_scores(model, scored, baseline.nats))}
    size, held_out = len(own.vocabulary), own.validation_ids
    losses = ngrams.cached_losses(own.training_ids, scored, size)  # by order
    by_order = losses
    if len(held_out) and not np.array_equal(held_out, scored):
        by_order = ngrams.cached_losses(own.training_ids, held_out, size)
    best = int(np.argmin(by_order))
    return {"order": best + 1, **_per_unit(_scores(model, scored, losses[best] * len(scored)))}


def _per_unit(scores: Json) -> Json:
    """The losses per token and per unit among scores."""
    return {k: v for k, v in scores.items() if k.startswith(("nats_per_", "bits_per_"))}
