"""What a training run tells of itself while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How a run stands after a step; losses are nats per token."""

    fraction: float
    step: int
    tokens_seen: int
    seconds: float
    seconds_left: float
    tokens_per_second: float
    training_loss: float
    validation_loss: float | None


class Callback:
    """What happens while a run goes on; override what you need."""

    def on_step(self, progress: Progress) -> None:
        """After each step."""

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """After each validation; `sample()` is text that the model writes as it is now."""

    def on_message(self, message: str) -> None:
        """When there is something to tell that does not end the run."""


class Callbacks(Callback):
    """Several as one."""

    def __init__(self, *callbacks: Callback) -> None:
        self.callbacks = callbacks

    def on_step(self, progress: Progress) -> None:
        """Tell all."""
        for each in self.callbacks:
            each.on_step(progress)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Tell all."""
        for each in self.callbacks:
            each.on_validation(progress, sample)

    def on_message(self, message: str) -> None:
        """Tell all."""
        for each in self.callbacks:
            each.on_message(message)
