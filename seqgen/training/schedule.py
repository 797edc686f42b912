"""The progress of a training run, by the clock or by steps, and the learning rate."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from seqgen.config import TrainConfig

WARM_UP = 0.02  # fraction of the run in which the learning rate rises
SECONDS_TO_SAVE = 1.0
TOLERANCE = 0.05  # fraction by which a run may exceed its length
FINAL = 0.01  # learning rate at the end of the run, as a fraction of the highest


@dataclass
class Schedule:
    """Measures progress; the length of the run is either `seconds` or `steps`.

    The length counts from `started`. The fraction of the run counts from the end of the first step:
    otherwise starting and compiling could use up the warm-up of the learning rate.

    >>> schedule = Schedule(steps=100)
    >>> schedule.fraction(25)
    0.25
    """

    seconds: float | None = None
    steps: int | None = None
    started: float = field(default_factory=time.monotonic)
    clock: Callable[[], float] = time.monotonic  # returns seconds
    stepping: float = 0.0  # seconds from the start of the run to the end of its first step
    reserved: float = 0.0  # seconds at the end of the run for scoring and saving

    @classmethod
    def of_run(
        cls,
        config: TrainConfig,
        tokens: int,
        tokens_per_step: int,
        started: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Schedule:
        """The schedule of a run.

        Args:
            config: sets minutes or epochs.
            tokens: length of an epoch.
            tokens_per_step: tokens in a batch.
            started: `clock()` when the run began; now by default.
            clock: tells the time in seconds.
        """
        began = clock() if started is None else started
        if config.minutes is not None:
            return cls(60 * config.minutes, None, began, clock, reserved=SECONDS_TO_SAVE)
        assert config.epochs is not None
        steps = math.ceil(config.epochs * tokens / tokens_per_step)
        return cls(steps=steps, started=began, clock=clock)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self.clock() - self.started

    @property
    def is_overrun(self) -> bool:
        """Whether the run exceeded its length by more than `TOLERANCE`."""
        return self.seconds is not None and self.elapsed > (1 + TOLERANCE) * self.seconds

    def start_steps(self) -> None:
        """Measure the fraction of the run from now on."""
        self.stepping = self.elapsed

    def reserve(self, seconds: float) -> None:
        """Reserve more time at the end of the run, if its length is in seconds."""
        self.reserved += seconds

    def fraction(self, step: int, ahead: float = 0.0) -> float:
        """The completed fraction of the run, from 0 to 1.

        Args:
            step: number of steps taken.
            ahead: look this many seconds into the future, if the run's length is in seconds.
        """
        if self.seconds is not None:
            elapsed, end = self.elapsed + ahead, self.seconds - self.reserved
            if elapsed >= end:
                return 1.0
            return max(elapsed - self.stepping, 0.0) / (end - self.stepping)
        assert self.steps is not None
        return min(step / self.steps, 1.0)

    def seconds_left(self, step: int) -> float:
        """The remaining time; an estimate if the length is in steps."""
        if self.seconds is not None:
            return max(self.seconds - self.elapsed, 0.0)
        fraction = self.fraction(step)
        return self.elapsed * (1 - fraction) / fraction if fraction else math.inf

    def state_dict(self) -> dict[str, float]:
        """Plain data for `load_state_dict`."""
        return {
            "elapsed": self.elapsed,
            "stepping": self.stepping,
            "reserved": self.reserved,
        }

    def load_state_dict(self, saved: dict[str, float]) -> None:
        """Continue from the `state_dict` of another schedule, as if no time had passed since."""
        self.started = self.clock() - saved["elapsed"]
        self.stepping, self.reserved = saved["stepping"], saved["reserved"]


def learning_rate_share(fraction: float) -> float:
    """The learning rate as a share of the highest one, at a fraction of the run.

    It rises linearly, then falls along half a cosine (Loshchilov and Hutter 2017).

    >>> [round(learning_rate_share(fraction), 2) for fraction in (0.01, 0.02, 0.51, 1)]
    [0.5, 1.0, 0.51, 0.01]
    """
    if fraction < WARM_UP:
        return max(fraction / WARM_UP, FINAL)
    falling = (fraction - WARM_UP) / (1 - WARM_UP)
    return FINAL + (1 - FINAL) * (1 + math.cos(math.pi * falling)) / 2
