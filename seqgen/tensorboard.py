"""A run's losses as TensorBoard reads them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from seqgen.backend import tf
from seqgen.callback import Callback, Progress
from seqgen.errors import ConfigError, OutputError
from seqgen.files import require_writable

STEPS_BETWEEN = 20


class TensorBoard(Callback):
    """Writes losses, speed and samples into a folder that `tensorboard --logdir` shows.

    Args:
        folder: is made if it is not there.

    Raises:
        OutputError: it cannot be made or written.
        ConfigError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ConfigError(
                "tensorboard: the package is not installed; pip install 'seqgen[tensorboard]'"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be made: {error}; name another") from error
        require_writable(folder / "events")
        self.folder = folder

    @cached_property
    def writer(self) -> Any:
        """Made when there is something to write: before the run, TensorFlow must not begin to
        work, or its threads are set for good."""
        return tf.summary.create_file_writer(str(self.folder))

    def on_step(self, progress: Progress) -> None:
        """Write the training loss, now and then."""
        if progress.step % STEPS_BETWEEN == 0:
            with self.writer.as_default(step=progress.step):
                tf.summary.scalar("training_loss", progress.training_loss)
                tf.summary.scalar("tokens_per_second", progress.tokens_per_second)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Write the validation loss and a sample."""
        with self.writer.as_default(step=progress.step):
            tf.summary.scalar("validation_loss", progress.validation_loss)
            tf.summary.text("sample", sample())
        self.writer.flush()
