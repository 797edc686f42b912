"""Dynamic evaluation (Krause et al. 2018): a model learns from a text while it reads it.

The text is read in segments. Every segment is first scored, with what has been learned from those
before it; then, with its tokens known,

- the network takes a step down the gradient of its own loss, θ ← θ - rate / T Σ_t ∂loss_t / ∂θ;
- the weights of the mixture take a step down the gradient of the mixture's loss, which is
  Σ_w p(w) f(w) - f(x_t) at every token;
- the n-grams of the segment are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.adaptation.gradient import DifferentiableNetwork
from seqgen.adaptation.mixture import AdaptiveMixture
from seqgen.config import ModelConfig
from seqgen.mixing.mixture import Mixture
from seqgen.types import Floats, Ids
from seqgen.utils.softmax import log_softmax, softmax

SEGMENT = 32  # tokens, T

Numbers = npt.NDArray[np.float64]


class Losses(NamedTuple):
    """The losses of tokens `(N,)`, in nats."""

    model: Numbers  # of the mixture, if there is one
    network: Numbers  # of the network alone

    @classmethod
    def joined(cls, parts: Iterable[Losses]) -> Losses:
        """The losses of successive parts of a text."""
        model, network = map(np.concatenate, zip(*parts, strict=True))
        return cls(model, network)


class AdaptiveReader:
    """Scores successive segments of one stream, and learns from each after it has been scored.

    Args:
        config: of the network, which has a gradient.
        weights: of the network, in Keras's order; they are unchanged.
        mixture: of the model, if it has one; it is unchanged.
        rate: of the network; 0 learns nothing, in the mixture neither.
    """

    def __init__(
        self, config: ModelConfig, weights: list[Floats], mixture: Mixture | None, rate: float
    ) -> None:
        self.network, self.rate = DifferentiableNetwork(config, weights), rate
        self.mixture = None if mixture is None else AdaptiveMixture(mixture)
        self._state = self.network.initial_state()

    def warm_up(self, ids: Ids) -> None:
        """Read tokens without learning from them."""
        if len(ids):
            _, self._state, _ = self.network.forward(ids, self._state)
            if self.mixture is not None:
                self.mixture.warm_up(ids)

    def read(self, ids: Ids, *, learns: bool = True) -> Losses:
        """Score a segment, then learn from it.

        Args:
            ids: `(T + 1,)`; the first one is the last one of the segment before, or the last one
                before the text, and is not scored.
            learns: otherwise it is only scored.

        Returns:
            The losses of the others, `(T,)`.
        """
        inputs, targets = ids[:-1], ids[1:]
        learns, places = learns and self.rate > 0, np.arange(len(targets))
        logits, self._state, tape = self.network.forward(inputs, self._state)
        network = 0 - log_softmax(logits.astype(np.float64))[places, targets]
        model = network
        if self.mixture is not None:
            model = self.mixture.read(inputs, targets, logits, learns=learns)
        if learns:
            d_logits = softmax(logits)
            d_logits[places, targets] -= 1
            gradients = self.network.gradients(tape, d_logits)
            for array, gradient in zip(self.network.parameters, gradients, strict=True):
                array -= np.float32(self.rate / SEGMENT) * gradient
        return Losses(model, network)


def segments(ids: Ids, first: int) -> Iterator[Ids]:
    """The segments of the tokens from position `first` on, each after the token before it.

    >>> [segment.tolist() for segment in segments(np.arange(40), first=6)][1]
    [37, 38, 39]
    """
    for start in range(first - 1, len(ids) - 1, SEGMENT):
        yield ids[start : start + SEGMENT + 1]
