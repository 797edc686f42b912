from pathlib import Path

import pytest

from seqgen.network.backend import tf
from seqgen.training.callbacks import Progress
from seqgen.training.tensorboard import TensorBoard


def test_a_full_disk_does_not_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        message = "{{node}} file; No space left on device\nat …"
        raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(tf.summary, "create_file_writer", full)
    messages: list[str] = []
    board = TensorBoard(tmp_path, messages.append)
    progress = Progress(0.5, 20, 100, 1.0, 1.0, 100.0, 2.0, 2.0)
    for _ in range(2):
        board.on_step(progress)
        board.on_validation(progress, lambda: "sample")
    assert messages == [
        f"TensorBoard log stopped: {tmp_path} cannot be written: No space left on device"
    ]
