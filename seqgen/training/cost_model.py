"""How long it takes to train on a token, as a function of the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from seqgen.cells import base as cells
from seqgen.config import ModelConfig


@dataclass(frozen=True)
class CostModel:
    """The seconds of training per token on one machine.

        cost = a · (layers + V / 3500) + b · products
        products = gates · units² · (2 · layers - 1) + units · V

    `V` is the size of the vocabulary. The products are those of a token with the recurrent kernels,
    the input kernels of the second and later layers, and the output layer. (The first layer looks
    its input up in a table.) The first term is all that does not grow with the number of units:
    operations on single elements, the softmax among them, and the time to start operations.

    The default values are those of an average machine.

    >>> round(1 / CostModel().seconds_per_token(ModelConfig(units=256), 65), -3)
    40000.0
    """

    a: float = 11e-6  # seconds
    b: float = 5e-11  # seconds per product

    def _terms(self, config: ModelConfig, vocabulary_size: int) -> tuple[float, float]:
        """Both terms of the cost, in seconds."""
        gates, layers = cells.get(config.cell).gates, config.directions * config.layers
        products = gates * config.units**2 * (2 * layers - config.directions)
        outputs = vocabulary_size if config.pooling == "none" else 0  # or once in a sequence
        products += config.units * outputs
        return self.a * (layers + outputs / 3500), self.b * products

    def seconds_per_token(self, config: ModelConfig, vocabulary_size: int) -> float:
        """The cost of a network."""
        return sum(self._terms(config, vocabulary_size))

    def scaled(self, factor: float) -> CostModel:
        """The model of a machine that takes `factor` times as long.

        >>> CostModel(1, 2).scaled(3)
        CostModel(a=3, b=6)
        """
        return CostModel(factor * self.a, factor * self.b)

    def fit(self, measured: Sequence[tuple[ModelConfig, float]], vocabulary_size: int) -> CostModel:
        """The model with the smallest relative errors for measured costs.

        If these do not determine positive `a` and `b`, which one size never does, it is this
        model scaled to them.

        Args:
            measured: networks, and their seconds per token; at least one.
            vocabulary_size: the size of their vocabulary.

        >>> machine = CostModel(a=2e-6, b=1e-11)
        >>> sizes = [ModelConfig(units=units) for units in (128, 256)]
        >>> measured = [(size, machine.seconds_per_token(size, 65)) for size in sizes]
        >>> fitted = CostModel().fit(measured, 65)
        >>> round(fitted.a / machine.a, 6), round(fitted.b / machine.b, 6)
        (1.0, 1.0)
        """
        seconds = np.array([cost for _, cost in measured])
        terms = np.array([self._terms(config, vocabulary_size) for config, _ in measured])
        factors, _, rank, _ = np.linalg.lstsq(
            terms / seconds[:, None], np.ones(len(seconds)), rcond=None
        )
        if rank == 2 and factors.min() > 0:
            return replace(self, a=self.a * float(factors[0]), b=self.b * float(factors[1]))
        return self.scaled(math.exp(np.log(seconds / terms.sum(axis=1)).mean()))


AVERAGE = CostModel()
