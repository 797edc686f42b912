"""Classifies texts or series with a trained model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from seqgen.errors import ConfigError, ModelFileError
from seqgen.tasks.base import TaskModel
from seqgen.tasks.labels.encoding import Encoding, split_text
from seqgen.tasks.labels.examples import Content
from seqgen.types import Array, Floats


class Prediction(NamedTuple):
    """The label of a sequence."""

    label: str  # the most probable one
    probabilities: dict[str, float]  # of every label, the most probable one first


class Course(NamedTuple):
    """How the probabilities moved along a sequence."""

    steps: list[str]  # the tokens; of a series the numbers of the steps
    labels: list[str]
    probabilities: Floats  # (T, K), after every step


class Classifier:
    """The public methods of a `seqgen.Model` of sequences with labels.

    Args:
        model: the model.

    Raises:
        ModelFileError: its labels are not those of its network.
    """

    def __init__(self, model: TaskModel) -> None:
        data = model.data
        details = data.corpus["details"]
        self._labels: list[str] = details["labels"]
        self._encoding = Encoding.from_json(details["encoding"], data.vocabulary)
        reads_series = data.model_config.inputs == "numbers"
        if (
            len(self._labels) != data.model_config.outputs
            or reads_series != self._encoding.of_series
        ):
            raise ModelFileError(
                f"expected a network of {len(self._labels)} labels, got one of "
                f"{data.model_config.outputs}; train the model again"
            )
        self._engine = model.sequence_engine

    def classify(self, *contents: Content) -> list[Prediction]:
        """The labels of texts, or of series `(T,)` or `(T, D)`.

        Raises:
            ConfigError: one is empty, or of another kind or number of channels than the model's.
        """
        encoded = [self._encoded(content) for content in contents]
        return [self._prediction(row) for row in self._engine.probabilities(encoded)]

    @property
    def of_series(self) -> bool:
        """Whether it classifies series, not texts."""
        return self._encoding.of_series

    def explain(self, content: Content) -> Course:
        """The probabilities after every step of a sequence; errors as for `classify`."""
        encoded = self._encoded(content)
        if isinstance(content, str):
            steps = split_text(content, self._encoding.tokens)[: len(encoded)]
        else:
            steps = [str(number) for number in range(1, len(encoded) + 1)]
        return Course(steps, self._labels, self._engine.course(encoded))

    def _encoded(self, content: Content) -> Array:
        encoding = self._encoding
        if isinstance(content, str) == encoding.of_series:
            expected, got = ("series", "a text") if encoding.of_series else ("a text", "a series")
            raise ConfigError(f"expected {expected}, like the model, got {got}; give another one")
        if isinstance(content, str):
            if not content.strip():
                raise ConfigError("expected a text to classify, got an empty one; give another one")
            return encoding.encode(content.strip())
        series = np.asarray(content, float)
        series = series[:, None] if series.ndim == 1 else series
        channels = len(encoding.vocabulary)
        if series.ndim != 2 or series.shape[1] != channels:
            raise ConfigError(
                f"expected a series of shape (T, {channels}), got shape {series.shape}; the model "
                f"has {channels} channels"
            )
        if np.isnan(series).all() or np.isinf(series).any():
            raise ConfigError(
                "expected a series of finite numbers, got none, or an infinite one; correct it"
            )
        return encoding.encode(series)

    def _prediction(self, row: Floats) -> Prediction:
        order = np.argsort(-row, kind="stable")
        probabilities = {self._labels[i]: float(row[i]) for i in order}
        return Prediction(self._labels[order[0]], probabilities)
