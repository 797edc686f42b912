"""When a training run is validated, on how much, and the weights that did best."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from seqgen.errors import TrainingError
from seqgen.training import distributed
from seqgen.training.schedule import Schedule
from seqgen.training.validation import STREAMS, WINDOW, Validation
from seqgen.types import Floats

VALIDATIONS = 10  # in a run, at least
MOST_VALIDATIONS = 100  # in a run of many epochs
REST = 50  # times as long as a validation took is the least until the next one of its epoch
SHARE = 0.004  # of a run's time that one validation may take,
LAST_SHARE = 0.03  # and the last one, which scores the best weights
COST = 1 / 3  # of validating a token, over training on it: there is no backward pass
STATE = ("loss", "speed", "scored_tokens", "step", "fraction", "ended", "took")


class BestWeights:
    """Keeps the weights of the validation with the lowest loss.

    All validations of a run score the same first part of the held-out tokens, so that they
    compare; the best weights are scored on the whole, as far as the time allows.

    Args:
        network: what is trained.
        validation: scores it; None where nothing is held out.
        schedule: how long the run is; its `reserved` seconds are set here.
        tokens_per_step: of training.
        tokens_per_epoch: of the training part.
    """

    def __init__(
        self,
        network: Any,
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
        self.loss: float | None = None  # the last one, nats per token
        self.best: tuple[float, list[Floats]] | None = None
        self.sound: list[Floats] = []  # a minute old at most, kept until there are best ones
        self.speed = 0.0  # of validation, tokens per second
        self.scored_tokens = 0  # by each validation
        self.step = 0  # of the last validation,
        self.fraction = 0.0  # how far the run was,
        self.ended = 0.0  # when it ended,
        self.took = 0.0  # and how long it took, in seconds

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs, but for the weights."""
        return {name: getattr(self, name) for name in STATE} | {
            "best_loss": self.best[0] if self.best else None
        }

    def load_state_dict(self, place: dict[str, Any], weights: list[Floats]) -> None:
        """Go on from another run's `state_dict`, with its best weights."""
        for name in STATE:
            setattr(self, name, place[name])
        self.best = None if place["best_loss"] is None else (place["best_loss"], weights)

    def keep_sound(self) -> None:
        """Keep the weights as they are, for a run that goes wrong before there are best ones."""
        weights = self.network.get_weights()
        if self.best is None and are_finite(weights):
            self.sound = weights

    @property
    def has_any(self) -> bool:
        """Whether there is something to keep of a run that goes wrong."""
        return self.best is not None or bool(self.sound)

    def result(self, *, sound: bool) -> list[Floats]:
        """The weights that a run ends with: the best ones; where nothing was held out, the last.

        Args:
            sound: whether the run has not gone wrong.

        Raises:
            TrainingError: there are none without a NaN.
        """
        if self.best is not None:
            return self.best[1]
        last: list[Floats] = self.network.get_weights()
        weights = last if sound and are_finite(last) else self.sound
        if not weights:
            raise TrainingError("the weights are no numbers any more; choose a lower learning rate")
        return weights

    def is_due(self, step: int) -> bool:
        """Ten times in a run, and after every epoch, so that a small corpus that is soon learned
        by heart is caught while the network still gets better."""
        fraction = self.schedule.fraction(step)
        if fraction == 1 or self.validation is None:
            return False  # the last one follows anyway
        if self.schedule.steps is not None:  # the clock must not decide what a seed gives
            epochs = int(self.schedule.steps / self.steps_per_epoch)
            validations = min(max(epochs, VALIDATIONS), MOST_VALIDATIONS)
            return fraction >= self.fraction + 1 / validations
        if math.floor(fraction * VALIDATIONS) > math.floor(self.fraction * VALIDATIONS):
            return True
        rested = self.schedule.elapsed - self.ended >= REST * self.took
        return rested and step - self.step >= self.steps_per_epoch

    def validate(self, step: int) -> None:
        """Score the network as it is, and keep its weights if they are the best so far."""
        assert self.validation is not None
        began = self.schedule.elapsed
        self.loss = self.validation.loss(self.scored_tokens)
        if math.isfinite(self.loss) and (self.best is None or self.loss < self.best[0]):
            self.best = (self.loss, self.network.get_weights())
        self.step, self.fraction = step, self.schedule.fraction(step)
        self.ended = self.schedule.elapsed
        self.took = self.ended - began

    def final_score(self, step: int, *, thorough: bool) -> tuple[float, int] | None:
        """The best weights' loss, and on how many tokens.

        Args:
            thorough: score them on as many as the time allows, unless Ctrl-C is pressed.
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
        return loss, scored

    def measure(self) -> None:
        """Decide, once and before the first step, how much each validation scores, and reserve
        time for the last one."""
        if self.validation is None:
            return
        if self.schedule.seconds is not None:
            self.validation.loss(1)  # compiles, so that the second call measures
            self.validation.loss(STREAMS * WINDOW)
            self.speed = distributed.broadcast_from_chief(self.validation.tokens_per_second)
        self.scored_tokens = self._affordable(SHARE, self.schedule.steps or 0)
        if self.schedule.seconds is not None:
            last = self._affordable(LAST_SHARE, 0)
            scored = self.scored_tokens + (last if last > self.scored_tokens else 0)
            self.schedule.reserved += scored / self.speed

    def _affordable(self, share: float, steps: int) -> int:
        """How many validation tokens can be scored in that share of the run.

        Counted in epochs, the last one may cost a third of what the steps did.
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
    """Whether all are numbers."""
    return all(np.isfinite(each).all() for each in weights)
