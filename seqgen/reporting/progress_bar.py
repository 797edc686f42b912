"""The progress of a training run on stderr: a progress bar, and a line per validation."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from types import TracebackType

from tqdm import tqdm

from seqgen.errors import one_line
from seqgen.reporting.summaries import losses
from seqgen.training.callbacks import Callback, Progress

LINE_INTERVAL = 0.05  # fraction of a run; a small corpus is validated more often


def minutes(seconds: float) -> str:
    """A duration as minutes and seconds; `?` if it is not finite.

    >>> minutes(185.4)
    '3:05'
    """
    if not math.isfinite(seconds):
        return "?"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def indented(text: str) -> str:
    """A sample with a margin that sets it apart from messages.

    >>> print(indented("To be,\\nor not"))
      | To be,
      | or not
    """
    return "\n".join(f"  | {line}" for line in text.splitlines() if line.strip())


class ProgressBar(Callback):
    """Shows the progress of a run on stderr: a bar if it is a terminal, and a line per validation.

    Args:
        token: the name of one token, `Task.token_name`.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.last_line = 0.0  # fraction of the run at the last printed validation
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
        """Update the bar."""
        if progress.fraction < self.last_line:  # another run has started
            self.last_line = 0.0
        nats = progress.training_loss
        text = (  # at most 80 columns
            f"{minutes(progress.seconds_left)} left, "
            f"{progress.tokens_per_second:,.0f} {self.token}s/s, "
            f"{nats:.2f} nats ({nats / math.log(2):.2f} bits)"
        )
        if progress.validation_loss is not None:
            text += f", held out {progress.validation_loss:.2f}"
        self.bar.set_description_str(text, refresh=False)
        self.bar.update(progress.fraction - self.bar.n)

    def on_message(self, message: str) -> None:
        """Print a line above the bar."""
        self.bar.write(one_line(message), file=sys.stderr)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Print the losses and a sample, at most every `LINE_INTERVAL` of the run."""
        if progress.fraction - self.last_line < LINE_INTERVAL and progress.fraction < 1:
            return
        self.last_line = progress.fraction
        assert progress.validation_loss is not None
        self.bar.write(
            f"{minutes(progress.seconds)}  {progress.fraction:4.0%}  "
            f"{losses('training', progress.training_loss)}, "
            f"{losses('validation', progress.validation_loss)}",
            file=sys.stderr,
        )
        if text := indented(sample()):
            self.bar.write(text, file=sys.stderr)
