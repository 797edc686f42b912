"""A training run as a line on stderr that is redrawn, and one line for each validation."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import TracebackType

from tqdm import tqdm

from seqgen.reporting.summaries import losses
from seqgen.training.callbacks import Callback, Progress


def minutes(seconds: float) -> str:
    """Minutes and seconds; `?` where they are not known.

    >>> minutes(185.4)
    '3:05'
    """
    if not math.isfinite(seconds):
        return "?"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def indented(text: str) -> str:
    """A sample, told apart from the program's own words.

    >>> print(indented("To be,\\nor not"))
      | To be,
      | or not
    """
    return "\n".join(f"  | {line}" for line in text.splitlines() if line.strip())


LEAST_BETWEEN_LINES = 0.05  # of a run; a small corpus is validated much more often


class ProgressBar(Callback):
    """Draws on stderr: the bar on a terminal only, the validations always.

    Args:
        token: what one token is called, in the singular.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.written = 0.0  # fraction of the run at the last line
        self.bar = tqdm(
            total=1.0, file=sys.stderr, leave=False, disable=None, dynamic_ncols=True,
            bar_format="{percentage:3.0f}% |{bar}| {desc}",
        )  # fmt: skip

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.bar.close()

    def on_step(self, progress: Progress) -> None:
        """Draw the bar."""
        if progress.fraction < self.written:  # another run has begun
            self.written = 0.0
        nats = progress.training_loss
        text = (  # like the line below, short enough for a terminal of 80 columns
            f"{minutes(progress.seconds_left)} left, "
            f"{progress.tokens_per_second:,.0f} {self.token}s/s, "
            f"{nats:.2f} nats ({nats / math.log(2):.2f} bits)"
        )
        if progress.validation_loss is not None:
            text += f", held out {progress.validation_loss:.2f}"
        self.bar.set_description_str(text, refresh=False)
        self.bar.update(progress.fraction - self.bar.n)

    def on_message(self, message: str) -> None:
        """Write a line that stays."""
        self.bar.write(message, file=sys.stderr)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Write a line that stays, and a sample, unless the last one has just been written."""
        if progress.fraction - self.written < LEAST_BETWEEN_LINES and progress.fraction < 1:
            return
        self.written = progress.fraction
        assert progress.validation_loss is not None
        self.bar.write(
            f"{minutes(progress.seconds)}  {progress.fraction:4.0%}  "
            f"{losses('training', progress.training_loss)}, "
            f"{losses('validation', progress.validation_loss)}",
            file=sys.stderr,
        )
        if text := indented(sample()):
            self.bar.write(text, file=sys.stderr)
