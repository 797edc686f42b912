import numpy as np
import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.training import calibration
from seqgen.training.calibration import time_steps
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock

CORPUS = Corpus("ab", "text", Vocabulary(tuple("abcdefgh")), np.arange(1_000_000) % 8)


def test_the_fastest_timing_counts_and_compiling_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A step takes 0.1 s, the first one 5 s; other work takes 3 s of the second timing."""
    clock = Clock()
    per_timing = round(calibration.SECONDS / 0.1)
    durations = iter([5.0, *per_timing * [0.1], 3.0, *per_timing * [0.1], *20 * [0.1]])
    monkeypatch.setattr(
        RunState, "advance", lambda *_: setattr(clock, "now", clock.now + next(durations))
    )
    config = TrainConfig(epochs=1, batch_size=8, window=16)
    timing = time_steps(RunSetup(CORPUS, ModelConfig(units=4), config, clock=clock))
    assert timing.start == 5
    assert timing.per_token == pytest.approx(0.1 / (8 * 16))
