"""Dynamic evaluation (Krause et al. 2018): a model learns from a text while it reads it.

The text is read in segments. Every segment is first scored, with what has been learned from those
before it; then, with its tokens known,

- the network takes a step down the gradient g of its own loss, with every weight scaled by the
  root mean square of its gradients so far (RMSprop, Tieleman and Hinton 2012): in segment k

      m ← β m + (1 - β) g²
      θ ← θ - rate g / (√(m / (1 - β^k)) + ε) + decay (θ_0 - θ)

- the weights of the mixture take a step down the gradient of the mixture's loss, which is
  Σ_w p(w) f(w) - f(x_t) at every token;
- the n-grams of the segment are counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seqgen.adaptation.gradient import DifferentiableNetwork
from seqgen.adaptation.mixture import AdaptiveMixture
from seqgen.config import ModelConfig
from seqgen.mixing.mixture import Mixture
from seqgen.types import Floats, Ids
from seqgen.utils.softmax import log_softmax, softmax

SEGMENT = 32  # tokens
BETA, EPSILON = 0.99, 1e-8

Numbers = npt.NDArray[np.float64]


class Losses(NamedTuple):
    """The losses of tokens `(N,)`, in nats."""

    model: Numbers  # of the mixture, if there is one
    network: Numbers  # of the network alone


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
        self.mixture = None if mixture is None else AdaptiveMixture(mixture, learns=rate > 0)
        self._state = self.network.initial_state()
        self._squares = [np.zeros_like(array) for array in self.network.parameters]
        self._steps = 0

    def warm_up(self, ids: Ids) -> None:
        """Read tokens without learning from them."""
        if len(ids):
            _, self._state, _ = self.network.forward(ids, self._state)
            if self.mixture is not None:
                self.mixture.warm_up(ids)

    def read(self, ids: Ids) -> Losses:
        """Score a segment, then learn from it.

        Args:
            ids: `(T + 1,)`; the first one is the last one of the segment before, or the last one
                before the text, and is not scored.

        Returns:
            The losses of the others, `(T,)`.
        """
        inputs, targets = ids[:-1], ids[1:]
        places = np.arange(len(targets))
        logits, self._state, tape = self.network.forward(inputs, self._state)
        network = 0 - log_softmax(logits.astype(np.float64))[places, targets]
        model = network if self.mixture is None else self.mixture.read(inputs, targets, logits)
        if self.rate:
            d_logits = softmax(logits)
            d_logits[places, targets] -= 1
            self._descend(self.network.gradients(tape, d_logits / len(targets)))
        return Losses(model, network)

    def _descend(self, gradients: list[Floats]) -> None:
        """One step down a gradient, see the top of this file."""
        self._steps += 1
        scale = np.float32(1 / (1 - BETA**self._steps))
        parameters = self.network.parameters
        for array, gradient, square in zip(parameters, gradients, self._squares, strict=True):
            square *= np.float32(BETA)
            square += np.float32(1 - BETA) * np.square(gradient)
            array -= np.float32(self.rate) * gradient / (np.sqrt(scale * square) + EPSILON)
