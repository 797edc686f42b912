"""The loss of a run's steps, smoothed, and whether it still is one."""

from __future__ import annotations

import math

from seqgen.errors import TrainingError

SMOOTHING = 0.98
EXPLODED = 2.0  # times the loss of guessing blindly: more is no longer learning
STEPS_TO_EXPLODE = 200  # a model may begin as badly, on text of another kind


class TrainingLoss:
    """A running mean of nats per token.

    Args:
        vocabulary_size: tokens to guess among.

    >>> loss = TrainingLoss(vocabulary_size=10)
    >>> loss.update(2.0, step=1)
    >>> loss.update(1.0, step=2)
    >>> loss.value
    1.5
    """

    def __init__(self, vocabulary_size: int) -> None:
        self.value = math.nan
        self.uniform_loss = math.log(max(vocabulary_size, 2))

    def update(self, loss: float, step: int) -> None:
        """Take in the loss of a step, counted from 1.

        Raises:
            TrainingError: it is no number, or has been far too high for long.
        """
        if not math.isfinite(loss):
            raise self._error(loss, step)
        share = min(SMOOTHING, 1 - 1 / step)  # a plain mean to begin with
        self.value = share * self.value + (1 - share) * loss if step > 1 else loss
        if step > STEPS_TO_EXPLODE and self.has_exploded(self.value):
            raise self._error(self.value, step)

    def has_exploded(self, loss: float) -> bool:
        """Whether a model with such a loss is good for nothing."""
        return loss > EXPLODED * self.uniform_loss

    def _error(self, loss: float, step: int) -> TrainingError:
        return TrainingError(
            f"the training loss is {loss:.3g} after {step} steps, where guessing blindly has "
            f"{self.uniform_loss:.3g}; choose a lower learning rate or another activation"
        )
