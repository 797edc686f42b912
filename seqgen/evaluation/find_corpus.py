"""Finds the corpus on which a model was trained, and reads corpora in the vocabulary of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, CorpusError
from seqgen.model import Model
from seqgen.tasks.load import load_corpus
from seqgen.types import Json
from seqgen.vocabulary import Vocabulary


def training_corpus(model: Model, folder: Path, given: Sequence[str | Path] = ()) -> Corpus:
    """Find and read the corpus on which a model was trained, in the vocabulary of the model.

    It is searched for at its original path, in `folder`, and at `given`, and recognised by its
    SHA-256.

    Args:
        model: the model.
        folder: of the model file; the corpus may be in it, under its path or its file name.
        given: paths or names by which the user gave a corpus to score, which may be the same.

    Raises:
        CorpusError: the corpus is not found, or has changed.
    """
    metadata = model.data.corpus
    arguments = metadata.get("arguments") or [metadata["name"]]
    by_path = [str(folder / argument) for argument in arguments]
    by_name = [str(folder / Path(argument).name) for argument in arguments]
    candidates, reasons = [arguments, by_path, by_name], []
    options = read_options(model, metadata["split"]["validation"])
    if "-" in arguments:
        candidates, reasons = [], ["it was read from standard input"]
    given = [str(corpus) for corpus in given]
    if given and "-" not in given:
        candidates.append(given)
    for candidate in candidates:
        try:
            corpus = load_corpus(*candidate, **options)
        except (CorpusError, ConfigError) as error:
            reasons.append(str(error))
            continue
        if corpus.sha256 == metadata["sha256"]:
            return in_vocabulary(model.data.vocabulary, corpus)[0]
        if candidate is not given:
            reasons.insert(0, f"{candidate[0]} has changed since the model was trained")
    reason = reasons[0].partition(";")[0]
    raise CorpusError(f"the training corpus of the model is not found: {reason}")


def read_options(model: Model, validation: float) -> Json:
    """The options of `load_corpus` with which the training corpus was read."""
    options = {k: v for k, v in model.data.corpus["options"].items() if k != "shuffled"}
    return {"task": model.data.task, "validation": validation, **options}


def in_vocabulary(vocabulary: Vocabulary, corpus: Corpus) -> tuple[Corpus, int]:
    """Convert a corpus to another vocabulary.

    Tokens that are not in the vocabulary become `<unk>`, or are dropped if it has no `<unk>`.

    Returns:
        The corpus, and the number of tokens that are not in the vocabulary.

    Raises:
        CorpusError: no token is in the vocabulary.
    """
    if corpus.vocabulary == vocabulary:
        return corpus, 0
    missing = len(vocabulary)  # an id that is not in use
    unknown = missing if vocabulary.unknown_id is None else vocabulary.unknown_id
    tokens = corpus.vocabulary.tokens
    table = np.array([vocabulary.ids.get(token, unknown) for token in tokens], np.uint32)
    is_new = np.array([token not in vocabulary.ids for token in tokens])  # (V,)
    ids = table[corpus.ids]  # (N,)
    new_count, is_known = int(is_new[corpus.ids].sum()), ids != missing
    if not is_known.any():
        raise CorpusError(
            f"{corpus.name}: expected tokens of the model's vocabulary, got none of them; score "
            "a corpus that is similar to the training corpus"
        )
    if is_known.all():
        return replace(corpus, vocabulary=vocabulary, ids=ids), new_count
    new_positions = np.concatenate(([0], np.cumsum(is_known)))  # (N + 1,), old → new position
    bounds, cuts = (
        None if positions is None else new_positions[positions]
        for positions in (corpus.bounds, corpus.cuts)
    )
    converted = replace(corpus, vocabulary=vocabulary, ids=ids[is_known], bounds=bounds, cuts=cuts)
    return converted, new_count
