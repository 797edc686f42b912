"""Evaluation of a model that predicts classes: its scores, and those of baselines beside them.

The baselines are fitted on the same training part, and score the same sequences.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CorpusError
from seqgen.evaluation import baselines
from seqgen.model import Model
from seqgen.types import Floats, Json

LEAST = 1e-7  # probability, so that the log loss is finite

Classes = npt.NDArray[np.integer]


def scores(probabilities: Floats, targets: Classes) -> Json:
    """Accuracy, macro F1, log loss in nats, and the confusion matrix.

    Macro F1 is the mean, over the classes that occur, of 2 p r / (p + r), with the precision p and
    the recall r.

    Args:
        probabilities: `(N, K)`.
        targets: the true classes `(N,)`.

    Returns:
        Also `confusion`, `(K, K)`: a row for every true class, a column for every predicted one.

    >>> found = scores(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    >>> found["accuracy"], round(found["macro_f1"], 3), found["confusion"]
    (0.5, 0.333, [[1, 0], [1, 0]])
    """
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    confusion = np.zeros((classes, classes), int)
    np.add.at(confusion, (targets, predicted), 1)
    right, true, found = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = 2 * right / np.maximum(true + found, 1)
    likelihoods = probabilities[np.arange(len(targets)), targets].astype(float)
    return {
        "sequences": len(targets),
        "accuracy": float((predicted == targets).mean()),
        "macro_f1": float(f1[true > 0].mean()),
        "log_loss": float(-np.log(np.clip(likelihoods, LEAST, 1)).mean()),
        "confusion": confusion.tolist(),
    }


def evaluate(
    model: Model,
    own: Corpus | None,
    given: Corpus | None,
    notes: list[str],
) -> Json:
    """Score a model on labelled sequences, and baselines for comparison.

    Args:
        model: predicts classes.
        own: its training corpus; None if it is not found, then there are no baselines.
        given: sequences to score, in the encoding of the model; None for the test part of its own
            corpus, or else for the held-out part.
        notes: receives messages to the user.

    Raises:
        CorpusError: nothing was held out.
    """
    if given is None:
        assert own is not None
        target, first, name = _own_part(own)
    else:
        target, first, name = given, 0, given.name
    assert target.targets is not None
    classes = target.targets[first:]
    end = first + len(classes)
    sequences = [target.piece(number) for number in range(first, end)]
    found = scores(model.sequence_engine.probabilities(sequences), classes)
    labels = model.data.corpus["details"]["labels"]
    compared = {}
    if own is not None:
        compared = _baselines(own, baselines.sequences_of(target, first, end), classes, notes)
    return {"corpus": name, "labels": labels, **found, "baselines": compared}


def _own_part(own: Corpus) -> tuple[Corpus, int, str]:
    """The part of the training corpus to score, its first piece, and its name."""
    if own.test is not None:
        return own.test, 0, own.test.name
    assert own.bounds is not None
    if own.training_pieces == len(own.bounds) - 1:
        raise CorpusError(f"{own.name}: nothing was held out; give a corpus to score")
    return own, own.training_pieces, f"held-out part of {own.name}"


def _baselines(
    own: Corpus, sequences: baselines.Sequences, targets: Classes, notes: list[str]
) -> dict[str, Json]:
    """Name → scores; a baseline is fitted on the training part."""
    assert own.targets is not None
    training = baselines.sequences_of(own, 0, own.training_pieces)
    classes, count = own.targets[: len(training)], len(own.details["labels"])
    found: dict[str, Json] = {}
    for name, baseline in baselines.of(own).items():
        try:
            probabilities = baseline(training, classes, count, sequences)
        except ImportError as error:
            notes.append(
                f"no {name} for comparison: {error.name} is not installed; pip install "
                "'seqgen[labels]'"
            )
            continue
        values = scores(probabilities, targets)
        found[name] = {key: values[key] for key in ("accuracy", "macro_f1", "log_loss")}
    return found
