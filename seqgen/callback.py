"""What a training run tells of itself while it goes on."""

from __future__ import annotations

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

    def on_validation(self, progress: Progress) -> None:
        """After each validation."""

    def on_message(self, message: str) -> None:
        """When there is something to tell that does not end the run."""
