"""How good a model is: its loss on a text or on music, and what n-grams reach on the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, CorpusError
from seqgen.evaluation import loss as scoring
from seqgen.evaluation import ngrams
from seqgen.model import Model
from seqgen.tasks.load import load_corpus
from seqgen.types import Ids
from seqgen.vocabulary import Vocabulary


@dataclass
class Evaluation:
    """What came of it."""

    scores: dict[str, Any]  # plain data, as `--json` prints it
    notes: list[str]  # what a person should know besides
    own: Corpus | None = None  # what the model was trained on, if it is found again

    def add_samples(self, model: Model, count: int, options: dict[str, Any]) -> None:
        """Measure what the model writes, beside what it was trained on, if that is found again.

        Args:
            model: the model.
            count: how many texts or pieces.
            options: of generation, see `Task.sample_options`.
        """
        if self.own is None:
            self.notes.append("no samples: there is no corpus to set them beside")
            return
        table, further = model.task.measure_samples(model, self.own, count, **options)
        self.scores |= further
        self.scores["samples"] = {"count": count, **table}


def training_corpus(model: Model, folder: Path, named: Sequence[str | Path] = ()) -> Corpus:
    """The corpus that a model was trained on, read again as it was then, in the model's tokens.

    Args:
        model: the model.
        folder: where it lies; what the user named may lie there too, by its path or its name.
        named: what may be it, too.

    Raises:
        CorpusError: it is not found again, or is not what it was.
    """
    facts = model.data.corpus
    arguments = facts.get("arguments") or [facts["name"]]
    beside = [str(folder / each) for each in arguments]
    moved = [str(folder / Path(each).name) for each in arguments]
    tried, reasons = [arguments, beside, moved], []
    if "-" in arguments:
        tried, reasons = [], ["it came from standard input, and is gone"]
    candidate = [str(each) for each in named]
    if candidate and "-" not in candidate:
        tried.append(candidate)
    for places in tried:
        try:
            corpus = load_corpus(*places, **_reading(model, facts["split"]["validation"]))
        except (CorpusError, ConfigError) as error:
            reasons.append(str(error))
            continue
        if corpus.sha256 == facts["sha256"]:
            return _in_tokens_of(model.data.vocabulary, corpus)[0]
        if places != candidate:
            reasons.insert(0, f"{places[0]} is not what it was when the model was trained")
    why = reasons[0].partition(";")[0]
    raise CorpusError(f"the corpus of the model is not found again: {why}")


def _reading(model: Model, validation: float) -> dict[str, Any]:
    """The options of `load_corpus` by which the model's corpus was read."""
    options = {k: v for k, v in model.data.corpus["options"].items() if k != "shuffled"}
    return {"task": model.data.task, "validation": validation, **options}


def _in_tokens_of(vocabulary: Vocabulary, corpus: Corpus) -> tuple[Corpus, int]:
    """The corpus with a model's ids, and how many of its tokens the model has never seen.

    They become the model's `<unk>`, or are left out where it has none.
    """
    if corpus.vocabulary == vocabulary:
        return corpus, 0
    nothing = len(vocabulary)
    unknown = nothing if vocabulary.unknown_id is None else vocabulary.unknown_id
    tokens = corpus.vocabulary.tokens
    table = np.array([vocabulary.ids.get(token, unknown) for token in tokens], np.uint32)
    strange = np.array([token not in vocabulary.ids for token in tokens])
    ids = table[corpus.ids]
    is_strange, kept = int(strange[corpus.ids].sum()), ids != nothing
    if not kept.any():
        raise CorpusError(f"{corpus.name}: the model knows nothing of what is in it")
    if kept.all():
        return replace(corpus, vocabulary=vocabulary, ids=ids), is_strange
    places = np.concatenate(([0], np.cumsum(kept)))
    bounds, cuts = (None if each is None else places[each] for each in (corpus.bounds, corpus.cuts))
    changed = replace(corpus, vocabulary=vocabulary, ids=ids[kept], bounds=bounds, cuts=cuts)
    return changed, is_strange


def evaluate(
    model: Model,
    corpora: Sequence[str | Path] = (),
    *,
    folder: Path,
    encoding: str | None = None,
    progress: bool = False,
) -> Evaluation:
    """Score a model, and n-grams beside it.

    Args:
        model: the model.
        corpora: what is scored, all of it; the held-out part of the model's own corpus, if nothing
            is named.
        folder: where the model lies.
        encoding: of a text that is named; as the model's own, unless given.
        progress: draw a progress bar on stderr.

    Raises:
        CorpusError: the corpus is not found, the model knows nothing of it, or nothing of its own
            was held out.
        ConfigError: it is of another task, or has other tokens than the model.
    """
    notes: list[str] = []
    own: Corpus | None = None
    try:
        own = training_corpus(model, folder, corpora)
    except CorpusError as error:
        if not corpora:
            raise CorpusError(f"{error}; name what is to be scored") from error
        notes.append(f"no n-grams beside it: {error}")
    if corpora:
        ids, first, name = _named(model, corpora, encoding, notes)
        if own is not None and name[1] == own.sha256:
            notes.append(
                "this is what the model has learned from; without CORPUS, what was held out of it "
                "is scored"
            )
        label = name[0]
    else:
        assert own is not None
        ids, first = own.ids, own.training_length
        if first != model.data.corpus["split"]["training_tokens"]:
            notes.append(
                "this seqgen holds out other parts than the one that trained the model, which has "
                "learned some of them"
            )
        label = f"held-out part of {own.name}"
        if first == len(ids):
            raise CorpusError(f"{own.name}: nothing was held out; name what is to be scored")
    losses = scoring.losses(model.engine, ids, first, progress=progress)
    scores = {"corpus": label, **_scores(model, np.asarray(ids[first:]), float(losses.sum()))}
    scores["baseline"] = None if own is None else _baseline(model, own, ids, first)
    return Evaluation(scores, notes, own)


def _named(
    model: Model, corpora: Sequence[str | Path], encoding: str | None, notes: list[str]
) -> tuple[Ids, int, tuple[str, str]]:
    """The ids of what the user named, with what generation begins with before them."""
    named = catalogue.read_catalogue().get(str(corpora[0]))
    if named is not None and named.task != model.data.task:
        raise ConfigError(f"the model is one of {model.data.task}, {corpora[0]} is {named.task}")
    options = model.task.scoring_options(_reading(model, 0), encoding)
    corpus = load_corpus(*corpora, **options)
    own, other = (model.task.encoding(each) for each in (model.data.corpus, corpus.metadata()))
    if own != other:
        raise ConfigError(
            f"{corpus.name}: expected a corpus whose tokens are those of the model ({own}); "
            f"got {other}"
        )
    corpus, unknown = _in_tokens_of(model.data.vocabulary, corpus)
    notes += corpus.notes
    if unknown:
        done = "left out" if model.data.vocabulary.unknown_id is None else "scored as <unk>"
        notes.append(f"{unknown:,} {model.task.token_name}s that the model has never seen: {done}")
    vocabulary = model.data.vocabulary
    begin = model.task.opening(vocabulary)
    return np.concatenate((begin, corpus.ids)), len(begin), (corpus.name, corpus.sha256)


def _scores(model: Model, ids: Ids, nats: float) -> dict[str, Any]:
    per_token = nats / len(ids)
    scores: dict[str, Any] = {
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


def _baseline(model: Model, own: Corpus, ids: Ids, first: int) -> dict[str, Any] | None:
    """What n-grams reach; their order is the one that is best on what was held out."""
    size, scored = len(own.vocabulary), np.asarray(ids[first:])
    losses = ngrams.cached_losses(own.training_ids, scored, size)
    held_out = own.validation_ids
    best = losses
    if len(held_out) and first != own.training_length:
        best = ngrams.cached_losses(own.training_ids, held_out, size)
    order = int(np.argmin(best))
    found = _scores(model, scored, losses[order] * len(scored))
    keys = [key for key in found if key.startswith(("nats_per_", "bits_per_"))]
    return {"order": order + 1, **{key: found[key] for key in keys}}
