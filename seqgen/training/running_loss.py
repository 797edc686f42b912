"""The smoothed training loss, and whether it has diverged."""

from __future__ import annotations

import math

from seqgen.errors import TrainingError

SMOOTHING = 0.98
DIVERGED = 2.0  # a loss this many times that of a uniform guess has diverged
STEPS_TO_DIVERGE = 200  # before that the loss may be high: a base model can start with a bad fit


class TrainingLoss:
    """A running mean of nats per prediction.

    Args:
        classes: number of different tokens, or of other classes that are predicted.

    >>> loss = TrainingLoss(classes=10)
    >>> loss.update(2.0, step=1)
    >>> loss.update(1.0, step=2)
    >>> loss.value
    1.5
    """

    def __init__(self, classes: int) -> None:
        self.value = math.nan
        self.uniform_loss = math.log(max(classes, 2))

    def update(self, loss: float, step: int) -> None:
        """Add the loss of a step; steps count from 1.

        Raises:
            TrainingError: the loss is not finite, or the mean has diverged.
        """
        if not math.isfinite(loss):
            raise self._error(loss, step)
        share = min(SMOOTHING, 1 - 1 / step)  # a plain mean of the first steps
        self.value = share * self.value + (1 - share) * loss if step > 1 else loss
        if step > STEPS_TO_DIVERGE and self.has_diverged(self.value):
            raise self._error(self.value, step)

    def load(self, value: float) -> None:
        """Continue from the `value` of another run."""
        self.value = value

    def has_diverged(self, loss: float) -> bool:
        """Whether a loss is far above that of a uniform guess."""
        return loss > DIVERGED * self.uniform_loss

    def _error(self, loss: float, step: int) -> TrainingError:
        return TrainingError(
            f"the training loss is {loss:.3g} after {step} steps; a uniform guess has "
            f"{self.uniform_loss:.3g}. Choose a lower learning rate or another activation"
        )
