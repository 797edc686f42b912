from pathlib import Path

import numpy as np
import pytest

from seqgen.corpus.corpus import Corpus
from seqgen.training import calibration, precision_benchmark, setup
from seqgen.training.auto_config import Budget
from seqgen.training.calibration import tokens_per_second
from seqgen.training.callbacks import Callback
from seqgen.training.precision_benchmark import Measurement
from seqgen.training.request import RunInputs, RunRequest
from seqgen.training.setup import RunSetup
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock

CORPUS = Corpus("ab", "text", Vocabulary(tuple("abcdefgh")), np.arange(1_000_000) % 8)


def test_speed_is_that_of_the_steps_after_the_first() -> None:
    run = RunInputs(RunRequest({"epochs": 1, "units": 4, "batch_size": 8, "window": 16}), CORPUS)
    resolved = setup.resolve(run, Callback())
    clock = Clock(tick=0.25)
    timed = RunSetup(CORPUS, resolved.model_config, resolved.train_config, clock=clock)
    speed = tokens_per_second(timed)
    assert speed >= calibration.STEPS * 8 * 16 / clock.now
    assert speed <= 8 * 16 / 0.25  # every step reads the clock at least once


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0])
def test_the_choice_follows_the_speed_of_real_steps(
    factor: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache says 40,000 tokens per second; the machine is `factor` times as fast."""
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(
        precision_benchmark, "_measure_all", lambda: {"float32": Measurement(40_000.0, 2.0)}
    )

    def budget(speed: float) -> Budget:
        return Budget(CORPUS.training_length, 8, 3, None, speed)

    monkeypatch.setattr(
        calibration,
        "tokens_per_second",
        lambda run: budget(factor * 40_000).tokens_per_second(run.model_config),
    )
    messages: list[str] = []
    callback = Callback()
    monkeypatch.setattr(callback, "on_message", messages.append)
    found = setup.resolve(RunInputs(RunRequest({"minutes": 3}), CORPUS), callback)
    expected, reason = setup.auto_config.choose_hyperparameters(budget(factor * 40_000), {})
    assert found.chosen == reason == messages[-1]
    assert found.model_config.units == expected["units"]
    assert precision_benchmark.results()["float32"].tokens_per_second == factor * 40_000
