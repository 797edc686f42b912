"""Decides when and on how many tokens a run is validated, and stores the best weights."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np

from seqgen.errors import TrainingError
from seqgen.training import distributed
from seqgen.training.schedule import Schedule
from seqgen.training.validation import STREAMS, WINDOW, Validation
from seqgen.types import Floats, Json, Network

MIN_VALIDATIONS, MAX_VALIDATIONS = 10, 100  # in a run; the maximum is reached with many epochs
PAUSE = 50  # between the validations of two epochs, in multiples of the duration of a validation
LAST_SHARE = 0.03  # the same for the last validation, which scores the best weights
COST = 1 / 3  # time to validate a token / time to train on it, which includes a backward pass
# Attributes that checkpoints contain.
STATE = ("loss", "speed", "scored_tokens", "step", "fraction", "ended", "took")


class BestWeights:
    """Stores the weights that had the lowest loss in a validation.

    All validations of a run score the same first part of the held-out tokens, so that their
    losses are comparable. At the end the best weights are scored on all held-out tokens, or on as
    many as the time allows.

    Args:
        network: the network in training.
        validation: scores the network; None if nothing is held out.
        schedule: the length of the run; time for the last validation is reserved in it.
        tokens_per_step: tokens in a training batch.
        tokens_per_epoch: tokens in the training part.
    """

    def __init__(
        self,
        network: Network,
        validation: Validation | None,
        schedule: Schedule,
        tokens_per_step: int,
        tokens_per_epoch: int,
    ) -> None:
        self.network = network
        self.validation = validation
        self.schedule = schedule
        self.tokens_per_step = tokens_per_step
        self.steps_per_epoch = tokens_per_epoch / tokens_per_step
        self.loss: float | None = None  # of the last validation, nats per token
        self.best: tuple[float, list[Floats]] | None = None  # lowest loss, and its weights
        self.accuracy: float | None = None  # of the best weights, if they predict classes
        self.finite: list[Floats] = []  # recent finite weights, before the first validation
        self.speed = 0.0  # of validation, tokens per second
        self.scored_tokens = 0  # by one validation
        # Of the last validation:
        self.step = 0
        self.fraction = 0.0  # of the run
        self.ended = 0.0  # seconds since the run began
        self.took = 0.0  # seconds

    def state_dict(self) -> Json:
        """Plain data for `load_state_dict`, without the weights."""
        return {name: getattr(self, name) for name in STATE} | {
            "best_loss": self.best[0] if self.best else None
        }

    def load_state_dict(self, saved: Json, weights: list[Floats]) -> None:
        """Continue from the `state_dict` of another run, and its best weights."""
        for name in STATE:
            setattr(self, name, saved[name])
        self.best = None if saved["best_loss"] is None else (saved["best_loss"], weights)

    def store_finite(self) -> None:
        """Store the current weights, in case the run diverges before its first validation."""
        if self.best is None and are_finite(weights := self.network.get_weights()):
            self.finite = weights

    @property
    def has_any(self) -> bool:
        """Whether weights are stored that can be used if the run diverges."""
        return self.best is not None or bool(self.finite)

    def result(self, *, diverged: bool) -> list[Floats]:
        """The weights at the end of a run: the best ones, or the last if nothing is held out.

        Args:
            diverged: whether the run ended because its loss diverged.

        Raises:
            TrainingError: no finite weights are left.
        """
        if self.best is not None:
            return self.best[1]
        last: list[Floats] = self.network.get_weights()
        weights = self.finite if diverged or not are_finite(last) else last
        if not weights:
            raise TrainingError(
                "expected finite weights, got NaN or infinity; choose a lower learning rate"
            )
        return weights

    def is_due(self, step: int) -> bool:
        """Whether to validate after a step.

        Validations are due `MIN_VALIDATIONS` times in a run, and after every epoch: a network
        overfits a small corpus within a few epochs.
        """
        fraction = self.schedule.fraction(step)
        if fraction == 1 or self.validation is None:
            return False  # the last validation follows the last step
        if self.schedule.steps is not None:  # without the clock: the same seed gives the same run
            epochs = int(self.schedule.steps / self.steps_per_epoch)
            validations = min(max(epochs, MIN_VALIDATIONS), MAX_VALIDATIONS)
            return fraction >= self.fraction + 1 / validations
        if int(fraction * MIN_VALIDATIONS) > int(self.fraction * MIN_VALIDATIONS):
            return True
        has_paused = self.schedule.elapsed - self.ended >= PAUSE * self.took
        return has_paused and step - self.step >= self.steps_per_epoch

    def validate(self, step: int) -> None:
        """Score the network, and store its weights if they are the best so far."""
        assert self.validation is not None
        began = self.schedule.elapsed
        self.loss = self.validation.loss(self.scored_tokens)
        if math.isfinite(self.loss) and (self.best is None or self.loss < self.best[0]):
            self.best = (self.loss, self.network.get_weights())
            self.accuracy = self.validation.accuracy
        self.step, self.fraction = step, self.schedule.fraction(step)
        self.ended = self.schedule.elapsed
        self.took = self.ended - began

    def seconds_of_validation(self, training_speed: float) -> float:
        """About how long `validate` will take.

        Args:
            training_speed: tokens per second; used before the first validation.
        """
        if self.validation is None:
            return 0.0
        speed = self.validation.tokens_per_second or training_speed / COST
        return self.scored_tokens / speed if speed else 0.0

    def final_score(self, step: int, *, thorough: bool) -> tuple[float, int] | None:
        """The loss of the best weights, and the number of tokens it is measured on.

        Args:
            step: number of steps of the run.
            thorough: score as many tokens as the time allows. Ctrl-C skips this.

        Returns:
            None if there was no validation.
        """
        if self.validation is None or self.best is None:
            return None
        loss, weights = self.best
        scored = self.scored_tokens
        last = self._affordable(LAST_SHARE, step)
        if thorough and last > scored:
            with suppress(KeyboardInterrupt):
                self.network.set_weights(weights)
                loss, scored = self.validation.loss(last), last
                self.accuracy = self.validation.accuracy
        return loss, scored

    def details(self) -> dict[str, float]:
        """Further scores of the best weights: the accuracy, if they predict classes."""
        return {} if self.accuracy is None else {"validation_accuracy": self.accuracy}

    def measure(self) -> None:
        """Decide how many tokens a validation scores, and reserve time for the last one.

        This happens once, before the first step.
        """
        if self.validation is None:
            return
        if self.schedule.seconds is not None:
            self.validation.loss(1)  # compiles
            self.validation.loss(STREAMS * WINDOW)
            self.speed = distributed.broadcast_from_chief(self.validation.tokens_per_second)
        self.scored_tokens = self._affordable(self.validation.share, self.schedule.steps or 0)
        if self.schedule.seconds is not None:
            last = self._affordable(LAST_SHARE, 0)
            scored = self.scored_tokens + (last if last > self.scored_tokens else 0)
            self.schedule.reserve(scored / self.speed)

    def _affordable(self, share: float, steps: int) -> int:
        """The number of validation tokens that can be scored in a share of the run.

        In a run of epochs, the last validation may score as many tokens as the steps have read.
        """
        assert self.validation is not None
        if self.schedule.seconds is not None:
            affordable = share * self.schedule.seconds * self.speed
        elif share == LAST_SHARE:
            affordable = steps * self.tokens_per_step
        else:
            affordable = share * steps * self.tokens_per_step / COST
        return int(min(self.validation.tokens, max(affordable, STREAMS * WINDOW)))


def are_finite(weights: list[Floats]) -> bool:
    """Whether no weight is NaN or infinite."""
    return all(np.isfinite(array).all() for array in weights)
