"""Callbacks that receive the progress of a training run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """The progress of a run after a step; losses are in nats per token."""

    fraction: float  # of the run, from 0 to 1
    step: int
    tokens_seen: int
    seconds: float
    seconds_left: float
    tokens_per_second: float
    training_loss: float  # smoothed
    validation_loss: float | None  # of the last validation


class Callback:
    """Base class; override the methods that you need."""

    def on_step(self, progress: Progress) -> None:
        """Called after every step."""

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Called after every validation; `sample()` generates a short sample."""

    def on_message(self, message: str) -> None:
        """Called with information for the user, such as which options were chosen."""


class Callbacks(Callback):
    """Several callbacks as one."""

    def __init__(self, *callbacks: Callback) -> None:
        self.callbacks = callbacks

    def on_step(self, progress: Progress) -> None:
        """Call all callbacks."""
        for callback in self.callbacks:
            callback.on_step(progress)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Call all callbacks."""
        for callback in self.callbacks:
            callback.on_validation(progress, sample)

    def on_message(self, message: str) -> None:
        """Call all callbacks."""
        for callback in self.callbacks:
            callback.on_message(message)
