from pathlib import Path

import numpy as np
import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.training import checkpoint
from seqgen.training.callbacks import Callback, Progress
from seqgen.training.loop import train
from seqgen.training.setup import RunSetup
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock

CORPUS = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(5000) % 2)


class EverySecond(Callback):
    """A step takes a second of the clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step(self, progress: Progress) -> None:
        self.clock.now += 1.0


def test_the_first_checkpoint_comes_after_ten_seconds_then_one_every_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, times = Clock(), []
    monkeypatch.setattr(checkpoint, "save", lambda *_: times.append(clock.now))
    config = TrainConfig(epochs=1, batch_size=4, window=7)  # 161 steps
    setup = RunSetup(
        CORPUS, ModelConfig(units=4), config, checkpoint_path=tmp_path / "a", clock=clock
    )
    train(setup, EverySecond(clock))
    # The checkpoint that is due after n seconds follows the next step.
    assert times == [11.0, 72.0, 133.0]
