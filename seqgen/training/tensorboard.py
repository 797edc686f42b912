"""A callback that logs a run for TensorBoard."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from seqgen.errors import ConfigError, OutputError
from seqgen.network.backend import tf
from seqgen.training.callbacks import Callback, Progress
from seqgen.utils.atomic_files import require_writable

STEPS_BETWEEN = 20


class TensorBoard(Callback):
    """Writes losses, speed and samples into a folder that `tensorboard --logdir` shows.

    Args:
        folder: created if it does not exist.
        on_failure: called with a message if a later write fails; the run continues.

    Raises:
        OutputError: the folder cannot be created or written.
        ConfigError: the package tensorboard is not installed.
    """

    def __init__(
        self, folder: Path, on_failure: Callable[[str], None] = lambda message: None
    ) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ConfigError(
                "tensorboard: the package is not installed; pip install 'seqgen[tensorboard]'"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be created: {error}; name another") from error
        require_writable(folder / "events")
        self.folder = folder
        self.on_failure = on_failure
        self.has_failed = False

    @cached_property
    def writer(self) -> tf.summary.SummaryWriter:
        """Created on the first write: the run configures TensorFlow's threads, which it can do only
        before the first operation."""
        return tf.summary.create_file_writer(str(self.folder))

    def _write(self, step: int, write: Callable[[], None]) -> None:
        if self.has_failed:
            return
        try:
            with self.writer.as_default(step=step):
                write()
        except tf.errors.OpError as error:
            self.has_failed = True
            reason = f"{error.message}".partition("\n")[0].rpartition("; ")[2]
            self.on_failure(f"TensorBoard log stopped: {self.folder} cannot be written: {reason}")

    def on_step(self, progress: Progress) -> None:
        """Write the training loss and the speed, every `STEPS_BETWEEN` steps."""

        def write() -> None:
            tf.summary.scalar("training_loss", progress.training_loss)
            tf.summary.scalar("tokens_per_second", progress.tokens_per_second)

        if progress.step % STEPS_BETWEEN == 0:
            self._write(progress.step, write)

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        """Write the validation loss and a sample."""

        def write() -> None:
            tf.summary.scalar("validation_loss", progress.validation_loss)
            tf.summary.text("sample", sample())
            self.writer.flush()

        self._write(progress.step, write)
