"""Scores of classification and their baselines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.padding import padded
from seqgen.evaluation.baselines import logistic_regression, majority, warped_distances
from seqgen.evaluation.classification import scores
from tests.conftest import require


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 9))
def test_the_scores_are_those_of_scikit_learn(classes: int, count: int, seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(classes), count)
    targets = random.integers(0, classes, count)
    found, predicted = scores(probabilities, targets), probabilities.argmax(axis=1)
    labels = range(classes)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(targets, predicted))
    expected = metrics.log_loss(targets, probabilities, labels=labels)
    assert found["log_loss"] == pytest.approx(expected, rel=1e-6)
    assert (
        found["confusion"] == metrics.confusion_matrix(targets, predicted, labels=labels).tolist()
    )
    there = sorted(set(targets.tolist()))
    expected = metrics.f1_score(targets, predicted, average="macro", labels=there, zero_division=0)
    assert found["macro_f1"] == pytest.approx(expected)


def slow_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Dynamic time warping as its definition says it."""
    table = np.full((len(a) + 1, len(b) + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            least = min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
            table[i, j] = ((a[i - 1] - b[j - 1]) ** 2).sum() + least
    return float(table[-1, -1])


@given(st.integers(1, 8), st.lists(st.integers(1, 8), min_size=1, max_size=5), st.integers(0, 99))
def test_distances_are_those_of_dynamic_time_warping(
    steps: int, lengths: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    sequence = random.normal(size=(steps, 2))
    training = [random.normal(size=(length, 2)) for length in lengths]
    found = warped_distances(sequence, padded(training), np.array(lengths))
    np.testing.assert_allclose(found, [slow_distance(sequence, each) for each in training])


def test_logistic_regression_learns_from_n_grams() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError:
        require(False, "needs scikit-learn: pip install 'seqgen[labels]'")
    training = ["good film", "good book", "bad film", "bad book"] * 3
    classes = np.array([2, 2, 0, 0] * 3)
    found = logistic_regression(training, classes, 3, ["a good day", "a bad day"])
    assert found.argmax(axis=1).tolist() == [2, 0] and not found[:, 1].any()
    many = [f"w{number % 12}z {number % 7}" for number in range(120)]
    found = logistic_regression(many, np.arange(120) % 12, 12, ["w3z 9"])
    assert found.argmax() == 3 and found.sum() == pytest.approx(1)
    assert majority(training, classes, 3, ["x"])[0].tolist() == [0.5, 0, 0.5]
