from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqgen.corpus.corpus import Corpus
from seqgen.training import calibration, cost_cache, loop, precision_benchmark, setup
from seqgen.training.auto_config import Budget, choose_hyperparameters
from seqgen.training.calibration import Timing
from seqgen.training.callbacks import Callback
from seqgen.training.cost_model import AVERAGE, CostModel
from seqgen.training.precision_benchmark import Measurement
from seqgen.training.request import RunInputs, RunRequest
from seqgen.training.setup import RunSetup
from seqgen.utils.sigint import CTRL_C
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock

CORPUS = Corpus("ab", "text", Vocabulary(tuple("abcdefgh")), np.arange(1_000_000) % 8)
START = 2.0  # seconds that the first step takes

Resolve = Callable[..., RunSetup]


class Machine:
    """A machine with given costs, on which steps are not really taken."""

    def __init__(self, costs: CostModel) -> None:
        self.costs = costs
        self.timed: list[int] = []  # widths

    def time_steps(self, run: RunSetup) -> Timing:
        self.timed.append(run.model_config.units)
        cost = self.costs.seconds_per_token(run.model_config, len(run.corpus.vocabulary))
        return Timing(START, cost)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(CostModel(a=3e-6, b=2e-11))
    monkeypatch.setenv("SEQGEN_CACHE", str(tmp_path))
    monkeypatch.setattr(calibration, "time_steps", machine.time_steps)
    monkeypatch.setattr(
        precision_benchmark, "_measure", lambda _: {"float32": Measurement(40_000.0, 2.0)}
    )
    return machine


def resolve(**options: object) -> RunSetup:
    request = RunRequest({"minutes": 15, **options})
    return setup.resolve(RunInputs(request, CORPUS), Callback())


def test_the_choice_is_that_of_the_true_costs(machine: Machine) -> None:
    """The benchmark says 40,000 tokens per second, a fifth of the truth."""
    found = resolve()
    budget = Budget(CORPUS.training_length, 8, 15, None, machine.costs, START)
    expected, _ = choose_hyperparameters(budget, {})
    assert found.model_config.units == expected["units"]
    assert found.model_config.dropout == pytest.approx(expected["dropout"], abs=0.02)
    assert 2 <= len(set(machine.timed)) == len(machine.timed) <= 3
    cached = cost_cache.read(found.cost_key)
    assert cached is not None
    assert (cached.a, cached.b) == pytest.approx((machine.costs.a, machine.costs.b))


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_cached_costs_that_hold_are_kept(machine: Machine, factor: float) -> None:
    first = resolve()
    cached = cost_cache.read(first.cost_key)
    machine.timed.clear()
    machine.costs = machine.costs.scaled(factor)
    second = resolve()
    assert machine.timed == [second.model_config.units] == [first.model_config.units]
    assert cost_cache.read(first.cost_key) == cached


@pytest.mark.parametrize("factor", [0.25, 4.0])
def test_cached_costs_that_steps_contradict_are_replaced(machine: Machine, factor: float) -> None:
    first = resolve()
    machine.costs = machine.costs.scaled(factor)
    second = resolve()
    assert (factor < 1) == (second.model_config.units > first.model_config.units)
    cached = cost_cache.read(first.cost_key)
    assert cached is not None
    assert (cached.a, cached.b) == pytest.approx((machine.costs.a, machine.costs.b))


def test_a_width_by_hand_is_the_only_one_measured(machine: Machine) -> None:
    found = resolve(units=100)
    assert machine.timed == [100]
    cached = cost_cache.read(found.cost_key)
    assert cached is not None
    cost = cached.seconds_per_token(found.model_config, 8)
    assert cost == pytest.approx(machine.costs.seconds_per_token(found.model_config, 8))


def test_a_short_run_measures_nothing_but_uses_the_cache(machine: Machine) -> None:
    unmeasured = resolve(minutes=0.5)
    assert machine.timed == []
    cost_cache.write(unmeasured.cost_key, AVERAGE.scaled(1e-3))
    assert resolve(minutes=0.5).model_config.units > unmeasured.model_config.units
    assert machine.timed == []


@pytest.mark.parametrize("ends_early", [False, True])
def test_the_speed_of_a_run_corrects_the_cached_costs(machine: Machine, ends_early: bool) -> None:
    options = {"units": 4, "batch_size": 2, "window": 4, "minutes": 1}
    run = resolve(**options)
    clock = Clock(tick=0.1)

    class Interrupt(Callback):
        def on_step(self, progress: object) -> None:
            if ends_early and clock.now > 30:
                raise KeyboardInterrupt

    run = RunSetup(CORPUS, run.model_config, run.train_config, cost_key=run.cost_key, clock=clock)
    scores = loop.train(run, Interrupt()).scores
    assert (scores["ended_early"] == CTRL_C) is ends_early
    costs = cost_cache.read(run.cost_key)
    assert costs is not None
    seconds = scores["tokens_seen"] * costs.seconds_per_token(run.model_config, 8)
    assert seconds == pytest.approx(scores["seconds"], rel=0.2)
