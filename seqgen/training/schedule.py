"""How far a training run is, by the clock or by steps, and the learning rate that follows."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from seqgen.config import TrainConfig

WARM_UP = 0.02  # share of the run in which the learning rate rises
SECONDS_TO_SAVE = 1.0
TOLERANCE = 0.05
LAST = 0.01  # share of the highest learning rate that the run ends with


@dataclass
class Schedule:
    """Either `seconds` or `steps` is the length of the run.

    The clock runs from `started`, but the fraction from `stepping`, when the first step is done:
    starting and compiling teach nothing, and the warm-up must not be over before it begins.

    >>> schedule = Schedule(steps=100)
    >>> schedule.fraction(25)
    0.25
    """

    seconds: float | None = None
    steps: int | None = None
    started: float = field(default_factory=time.monotonic)
    stepping: float = 0.0  # seconds at the beginning,
    reserved: float = 0.0  # and at the end, that belong to other work than steps

    @classmethod
    def of_run(cls, config: TrainConfig, tokens: int, started: float | None = None) -> Schedule:
        """As long as the configuration says.

        Args:
            config: has minutes or epochs.
            tokens: of an epoch.
            started: `time.monotonic()` when the run began, if that was before now.
        """
        began = time.monotonic() if started is None else started
        if config.minutes is not None:
            return cls(60 * config.minutes, started=began, reserved=SECONDS_TO_SAVE)
        assert config.epochs is not None
        steps = math.ceil(config.epochs * tokens / (config.batch_size * config.window))
        return cls(steps=steps, started=began)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.started

    @property
    def is_overrun(self) -> bool:
        """Whether the run took longer than it should, by more than the promised twentieth."""
        return self.seconds is not None and self.elapsed > (1 + TOLERANCE) * self.seconds

    def fraction(self, step: int, ahead: float = 0.0) -> float:
        """The share of the run that is done, from 0 to 1; by the clock, so many seconds ahead."""
        if self.seconds is not None:
            elapsed, ending = self.elapsed + ahead, self.seconds - self.reserved
            if elapsed >= ending:
                return 1.0
            return max(elapsed - self.stepping, 0.0) / (ending - self.stepping)
        assert self.steps is not None
        return min(step / self.steps, 1.0)

    def seconds_left(self, step: int) -> float:
        """An estimate, exact where the run's length is in seconds."""
        if self.seconds is not None:
            return max(self.seconds - self.elapsed, 0.0)
        fraction = self.fraction(step)
        return self.elapsed * (1 - fraction) / fraction if fraction else math.inf

    def state_dict(self) -> dict[str, float]:
        """What `load_state_dict` needs."""
        return {
            "elapsed": self.elapsed,
            "stepping": self.stepping,
            "reserved": self.reserved,
        }

    def load_state_dict(self, place: dict[str, float]) -> None:
        """Go on from another schedule's `state_dict`, as if no time had passed since."""
        self.started = time.monotonic() - place["elapsed"]
        self.stepping, self.reserved = place["stepping"], place["reserved"]


def learning_rate_share(fraction: float) -> float:
    """The learning rate, as a share of its highest, when a fraction of the run is done.

    It rises in a straight line, then falls along half a cosine (Loshchilov and Hutter 2017).

    >>> [round(learning_rate_share(each), 2) for each in (0.01, 0.02, 0.51, 1)]
    [0.5, 1.0, 0.51, 0.01]
    """
    if fraction < WARM_UP:
        return max(fraction / WARM_UP, LAST)
    falling = (fraction - WARM_UP) / (1 - WARM_UP)
    return LAST + (1 - LAST) * (1 + math.cos(math.pi * falling)) / 2
