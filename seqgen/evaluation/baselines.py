"""Baselines of classification: the majority class, logistic regression and nearest neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.corpus.corpus import Corpus
from seqgen.corpus.padding import padded
from seqgen.types import Array, Floats

ORDERS = (1, 5)  # of the n-grams of a text, shortest and longest
C = 10.0  # of the logistic regression: the inverse of the strength of its regularisation
MOST_ITERATIONS = 200
MOST_FEATURES = 1 << 18
FEW_CLASSES = 10  # up to which one model is fitted for all classes; otherwise one for every class
EPOCHS = 8  # of the descent with which that is fitted
CERTAIN = 0.95  # probability that nearest neighbours give to their class

Classes = npt.NDArray[np.integer]
Sequences = Sequence[Any]  # texts, or series (T, D)
# Training sequences, their classes, the number of classes and sequences → probabilities (N, K)
Baseline = Callable[[Sequences, Classes, int, Sequences], Floats]


def of(corpus: Corpus) -> dict[str, Baseline]:
    """The baselines of a corpus, by name: for texts, or for series."""
    if corpus.ids.ndim > 1:
        return {"majority": majority, "1-NN with dynamic time warping": nearest_neighbour}
    name = "logistic regression on 1- to 5-grams of characters"
    return {"majority": majority, name: logistic_regression}


def sequences_of(corpus: Corpus, first: int, end: int) -> Sequences:
    """What the baselines read of the pieces `first` to `end`."""
    if corpus.ids.ndim > 1:
        return [corpus.piece(number) for number in range(first, end)]
    return corpus.texts[first:end]


def majority(training: Sequences, classes: Classes, count: int, sequences: Sequences) -> Floats:
    """The shares of the classes, whatever the sequence is.

    >>> majority([], np.array([0, 1, 1, 1]), 2, [np.zeros(1)])
    array([[0.25, 0.75]])
    """
    shares = np.bincount(classes, minlength=count) / len(classes)
    return np.tile(shares, (len(sequences), 1))


def logistic_regression(
    training: Sequences, classes: Classes, count: int, sequences: Sequences
) -> Floats:
    """Logistic regression on the tf-idf of n-grams of characters (scikit-learn).

    Raises:
        ImportError: scikit-learn is not installed.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression, SGDClassifier

    vectorizer = TfidfVectorizer(
        analyzer="char", ngram_range=ORDERS, sublinear_tf=True, max_features=MOST_FEATURES,
        dtype=np.float32,
    )  # fmt: skip
    features = vectorizer.fit_transform(training)
    if count <= FEW_CLASSES:
        model = LogisticRegression(C=C, max_iter=MOST_ITERATIONS)
    else:  # the solver of one model of all classes would take gigabytes
        model = SGDClassifier(
            loss="log_loss", alpha=1 / (C * len(training)), max_iter=EPOCHS, tol=None,
            random_state=0,
        )  # fmt: skip
    fitted = model.fit(features, classes)
    found = fitted.predict_proba(vectorizer.transform(sequences))
    probabilities = np.zeros((len(sequences), count))
    probabilities[:, fitted.classes_] = found
    return probabilities


def nearest_neighbour(
    training: Sequences, classes: Classes, count: int, sequences: Sequences
) -> Floats:
    """The class of the training series with the smallest distance under dynamic time warping.

    >>> a, b = np.zeros((3, 1)), np.ones((4, 1))
    >>> nearest_neighbour([a, b], np.array([0, 1]), 2, [np.array([[0.9], [1.0]])])
    array([[0.05, 0.95]])
    """
    lengths = np.array([len(each) for each in training])
    series = padded(training).astype(float)  # (N, S, D)
    result = np.full((len(sequences), count), (1 - CERTAIN) / max(count - 1, 1))
    for row, sequence in zip(result, sequences, strict=True):
        row[classes[warped_distances(sequence, series, lengths).argmin()]] = CERTAIN
    return result


def warped_distances(
    sequence: Array, training: Floats, lengths: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Distances `(N,)` under dynamic time warping (Sakoe and Chiba 1978), without a window.

        D[i, j] = |a_i - b_j|^2 + min(D[i-1, j], D[i, j-1], D[i-1, j-1])

    Cells of an anti-diagonal do not depend on each other, so they are computed at once, for all
    training series.

    Args:
        sequence: `(T, D)`.
        training: `(N, S, D)`, padded at the end.
        lengths: of the training series, `(N,)`.

    >>> training = np.array([[[0.0], [1], [9]], [[0], [0], [2]]])
    >>> warped_distances(np.array([[0.0], [1]]), training, np.array([2, 3]))
    array([0., 1.])
    """
    steps, (count, longest, _) = len(sequence), training.shape
    last = np.full((count, steps + 1), np.inf)  # D[i, diagonal - i], i from 0
    before = last.copy()
    before[:, 0] = 0.0  # D[0, 0]
    found = np.full(count, np.inf)
    for diagonal in range(2, steps + longest + 1):
        i = np.arange(max(1, diagonal - longest), min(steps, diagonal - 1) + 1)
        j = diagonal - i
        costs = ((sequence[i - 1] - training[:, j - 1]) ** 2).sum(axis=2)  # (N, cells)
        now = np.full_like(last, np.inf)
        least = np.minimum(np.minimum(last[:, i - 1], last[:, i]), before[:, i - 1])
        now[:, i] = costs + least
        ends = lengths == diagonal - steps
        found[ends] = now[ends, steps]
        before, last = last, now
    return found
