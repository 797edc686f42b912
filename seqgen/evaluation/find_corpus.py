"""Finds the corpus on which a model was trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.vocabularies import in_vocabulary
from seqgen.errors import ConfigError, CorpusError
from seqgen.model import Model
from seqgen.tasks.given import read_options
from seqgen.tasks.load import load_corpus


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
    options = read_options(model.data, metadata["split"]["validation"])
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
