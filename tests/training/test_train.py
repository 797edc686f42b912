import dataclasses
import math
import random
import re
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import seqgen
from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import CheckpointError, ConfigError, CorpusError, TrainingError
from seqgen.reporting import summaries
from seqgen.training import checkpoint
from seqgen.training.callbacks import Callback, Progress
from seqgen.training.checkpoint import Checkpoint
from seqgen.training.loop import Result, TrainingLoop
from seqgen.training.schedule import SECONDS_TO_SAVE
from seqgen.training.setup import RunSetup
from seqgen.training.step import StepPlan
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock
from tests.conftest import low_precision

LETTERS = Vocabulary(tuple("abcdefgh"))
SMALL = ModelConfig(units=16, embedding=8)
FAST = {"batch_size": 4, "window": 8, "learning_rate": 0.02}
STEP = StepPlan(learning_rate=0.02, fraction=0.5)


def corpus(length: int = 3000, **options: object) -> Corpus:
    """`abcdefgh` repeated: every letter follows from the previous one."""
    return Corpus("letters", "text", LETTERS, np.arange(length) % 8, **options)


def loop(
    corpus: Corpus,
    model_config: ModelConfig,
    config: TrainConfig,
    callback: Callback | None = None,
    **setup: object,
) -> TrainingLoop:
    return TrainingLoop(RunSetup(corpus, model_config, config, **setup), callback or Callback())


def train(*arguments: object, **setup: object) -> Result:
    return loop(*arguments, **setup).run()


class Recorder(Callback):
    def __init__(self, interrupt_after: int | None = None) -> None:
        self.steps: list[Progress] = []
        self.validations: list[Progress] = []
        self.messages: list[str] = []
        self.interrupt_after = interrupt_after

    def on_message(self, message: str) -> None:
        self.messages.append(message)

    def on_step(self, progress: Progress) -> None:
        self.steps.append(progress)
        if len(self.steps) == self.interrupt_after:
            raise KeyboardInterrupt

    def on_validation(self, progress: Progress, sample: Callable[[], str]) -> None:
        self.validations.append(progress)


@pytest.mark.parametrize("cell", cell_names())
def test_the_loss_decreases(cell: str) -> None:
    config = ModelConfig(cell=cell, units=16, embedding=8)
    result = train(corpus(), config, TrainConfig(epochs=3, **FAST))
    assert result.scores["validation_loss"] < 0.1 < math.log(8)
    assert result.scores["bits_per_token"] == pytest.approx(
        result.scores["validation_loss"] / math.log(2)
    )


def test_epochs_are_passes_over_the_training_part() -> None:
    recorder = Recorder()
    result = train(corpus(), SMALL, TrainConfig(epochs=0.5, **FAST), recorder)
    steps = math.ceil(0.5 * 2700 / 32)
    assert result.scores["steps"] == len(recorder.steps) == steps
    assert result.scores["tokens_seen"] == 32 * steps
    assert recorder.steps[-1].fraction == 1
    assert [progress.step for progress in recorder.steps] == list(range(1, steps + 1))


def test_the_run_ends_in_time() -> None:
    """It uses the time up to the second for saving; the last step may end a little later."""
    clock = Clock(tick=0.004)
    result = train(corpus(), SMALL, TrainConfig(minutes=0.15, **FAST), clock=clock)
    assert 7.8 < result.scores["seconds"] <= round(clock.now, 6) < 9
    assert result.scores["steps"] > 100


def test_minutes_count_from_the_start_of_the_run() -> None:
    config = TrainConfig(minutes=1, **FAST)
    recorder = Recorder()
    result = train(corpus(), SMALL, config, recorder, started=-600, clock=Clock(tick=0.01))
    assert result.scores["steps"] == 1
    assert re.match(r"the run took 600 s instead of 60 s", recorder.messages[0])


def test_long_steps_end_as_near_to_the_given_time_as_possible() -> None:
    clock = Clock()
    run = loop(corpus(), SMALL, TrainConfig(minutes=1, **FAST), Callback(), clock=clock)
    run.state.seconds_per_step = 6
    run.state.schedule.reserved = 1
    for clock.now, is_last in [(49, False), (51, True)]:  # of 59 seconds
        assert (run._plan().fraction == 1) == is_last


def test_the_last_step_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    run = loop(corpus(), SMALL, TrainConfig(epochs=1, **FAST), Callback())
    monkeypatch.setattr(run, "_plan", lambda: StepPlan(0.02, fraction=1.0, validate=1.0))
    assert [entry["step"] for entry in run.run().history] == [1]


def test_the_history_holds_every_validation() -> None:
    recorder = Recorder()
    result = train(corpus(), SMALL, TrainConfig(epochs=2, **FAST), recorder)
    assert len(result.history) == len(recorder.validations) == 10
    steps = [progress.step for progress in recorder.validations]
    assert [entry["step"] for entry in result.history] == steps
    assert result.scores["validation_loss"] == min(
        entry["validation_loss"] for entry in result.history
    )
    assert result.scores["validation_tokens"] == 300
    assert {entry["scored_tokens"] for entry in result.history} == {300}
    assert not recorder.messages


def test_the_history_tells_how_many_tokens_were_scored() -> None:
    large = Corpus("letters", "text", LETTERS, np.arange(60_000) % 8, validation=0.5)
    recorder = Recorder()
    setup = RunSetup(large, SMALL, TrainConfig(epochs=0.2, **FAST))
    result = TrainingLoop(setup, recorder).run()
    assert recorder.messages == [
        "during training, validation losses are on 4,096 of 30,000 held-out characters"
    ]
    assert {entry["scored_tokens"] for entry in result.history} == {4096}
    data = dataclasses.replace(setup.model_data(), **vars(result))
    assert (
        "per character on 6,016 of 30,000 held-out characters (during training on 4,096); "
        in summaries.score(data)
    )
    whole = {**data.scores, "validation_tokens": 30_000}
    old = [{**entry, "scored_tokens": 30_000} for entry in data.history]
    for history in (old, []):
        complete = dataclasses.replace(data, scores=whole, history=history)
        assert "per character; " in summaries.score(complete)


def test_a_small_corpus_is_validated_after_every_epoch() -> None:
    """Ten validations in a run would be too few: the best weights come before the second one."""
    recorder = Recorder()
    train(corpus(400), SMALL, TrainConfig(epochs=40, **FAST), recorder)
    assert len(recorder.validations) >= 36
    recorder = Recorder()
    config = TrainConfig(minutes=0.1, **FAST)
    result = train(corpus(400), SMALL, config, recorder, clock=Clock(tick=0.001))
    early = [progress for progress in recorder.validations if progress.fraction < 0.9]
    assert len(early) > 9
    assert len(recorder.validations) < result.scores["steps"] / (360 / 32)


def test_the_seed_determines_the_run() -> None:
    config = TrainConfig(epochs=0.5, seed=3, **FAST)
    first, second = (train(corpus(), SMALL, config).weights for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    other = train(corpus(), SMALL, TrainConfig(epochs=0.5, seed=4, **FAST)).weights
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_ctrl_c_ends_the_run_and_keeps_the_weights() -> None:
    result = train(corpus(), SMALL, TrainConfig(epochs=9, **FAST), Recorder(interrupt_after=40))
    assert result.scores["ended_early"] == "Ctrl-C"
    assert result.scores["steps"] == 40
    assert result.scores["validation_loss"] < math.log(8)


def test_ctrl_c_before_the_first_step_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingLoop, "_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(corpus(), SMALL, TrainConfig(epochs=9, **FAST))


def test_the_batch_decides_whether_the_state_is_kept_or_reset() -> None:
    run = loop(corpus(), SMALL, TrainConfig(epochs=1, **FAST), Callback())
    batch = next(run.state.batches)
    zeros = run.state.recurrent_state
    _, after_first, _ = run.state.train_step(batch, zeros, StepPlan(0.0, 0.0), 0)
    assert all(np.abs(state).max() > 0 for state in after_first)

    def state_after(keep_state: list[float]) -> list[np.ndarray]:
        changed = batch._replace(keep_state=np.array(keep_state, np.float32))
        _, state, _ = run.state.train_step(changed, after_first, StepPlan(0.0, 0.0), 1)
        return [layer_state.numpy() for layer_state in state]

    kept, reset, mixed = (state_after(c) for c in ([1] * 4, [0] * 4, [1, 0, 1, 0]))
    for a, b, c in zip(kept, reset, mixed, strict=True):
        assert not np.allclose(a, b, atol=1e-6)
        np.testing.assert_allclose(c[[0, 2]], a[[0, 2]], atol=1e-6)
        np.testing.assert_allclose(c[[1, 3]], b[[1, 3]], atol=1e-6)


def test_validation_does_not_change_the_recurrent_state() -> None:
    run = loop(corpus(), SMALL, TrainConfig(epochs=1, **FAST), Callback())
    run._step(STEP)
    before = [state.numpy() for state in run.state.recurrent_state]
    run.state.best_weights.measure()
    run.state.best_weights.validate(1)
    assert all(
        (a == b.numpy()).all() for a, b in zip(before, run.state.recurrent_state, strict=True)
    )


def test_gradients_are_clipped() -> None:
    def change(clip_norm: float) -> float:
        """How much a step changes the weights: little if Adam's epsilon exceeds the gradients."""
        config = TrainConfig(epochs=1, clip_norm=clip_norm, **FAST)
        run = loop(corpus(), SMALL, config, Callback())
        before = run.state.network.get_weights()
        run._step(STEP)
        after = run.state.network.get_weights()
        return float(max(np.abs(b - a).max() for a, b in zip(before, after, strict=True)))

    assert change(1e-12) < 1e-6 < 1e-3 < change(1.0)


def test_weight_decay_applies_to_matrices_only() -> None:
    def after(weight_decay: float) -> list[np.ndarray]:
        config = TrainConfig(epochs=1, weight_decay=weight_decay, clip_norm=1e-12, **FAST)
        run = loop(corpus(), SMALL, config, Callback())
        for _ in range(10):
            run._step(STEP)
        return run.state.network.get_weights()

    for plain, shrunk in zip(after(0.0), after(1.0), strict=True):
        if plain.ndim == 2:
            np.testing.assert_allclose(shrunk, plain * (1 - 0.02) ** 10, atol=1e-4)
        else:
            np.testing.assert_allclose(shrunk, plain, atol=1e-4)


@low_precision
@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_the_loss_decreases_in_low_precision(precision: str) -> None:
    config = TrainConfig(epochs=3, precision=precision, **FAST)
    assert train(corpus(), SMALL, config).scores["validation_loss"] < 0.1


def test_options_of_fast_layers_are_errors_for_others() -> None:
    slow = ModelConfig(units=16, cell_options={"activation": "relu"})
    with pytest.raises(ConfigError, match="precision: expected float32, got bfloat16"):
        train(corpus(), slow, TrainConfig(epochs=1, precision="bfloat16", **FAST))
    with pytest.raises(ConfigError, match="recurrent_dropout: expected 0.0, got 0.5"):
        train(corpus(), slow, TrainConfig(epochs=1, recurrent_dropout=0.5, **FAST))


def test_regularizers_of_the_layers_are_applied() -> None:
    options = {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 10.0}}}
    config = ModelConfig(units=16, embedding=8, cell_options=options)
    plain, shrunk = (
        np.abs(train(corpus(), network, TrainConfig(epochs=2, **FAST)).weights[1]).mean()
        for network in (SMALL, config)
    )
    assert shrunk < plain / 5


def test_training_without_a_validation_part() -> None:
    result = train(corpus(validation=0.0), SMALL, TrainConfig(epochs=0.2, **FAST))
    assert result.scores["validation_loss"] is None
    assert result.history == []


class Spoiler(Recorder):
    """Replaces the weights of a run after a step."""

    def __init__(self, step: int, value: float, factor: float = 0.0) -> None:
        super().__init__()
        self.step = step
        self.value = value
        self.factor = factor
        self.run: TrainingLoop

    def on_step(self, progress: Progress) -> None:
        super().on_step(progress)
        if progress.step == self.step:
            for weight in self.run.state.network.weights:
                weight.assign(weight * self.factor + self.value)


@cache
def spoiled(step: int, value: float) -> Result:
    spoiler = Spoiler(step, value)
    spoiler.run = loop(corpus(), SMALL, TrainConfig(epochs=2, **FAST), spoiler)
    return spoiler.run.run()


def test_the_best_weights_are_kept_not_the_last() -> None:
    result = spoiled(step=150, value=3)  # of 169, after the eighth of ten validations
    losses = [entry["validation_loss"] for entry in result.history]
    assert losses[-1] > 1 > min(losses)
    assert result.scores["validation_loss"] == min(losses)
    assert all((weight != 3).any() for weight in result.weights)


def test_a_nan_loss_ends_the_run_with_the_best_weights() -> None:
    result = spoiled(step=150, value=math.nan)
    assert "training loss is nan after 151 steps" in result.scores["ended_early"]
    assert result.scores["validation_loss"] == result.history[-1]["validation_loss"] < 1
    assert math.isfinite(result.scores["training_loss"])
    assert all(np.isfinite(weight).all() for weight in result.weights)


def test_a_loss_that_explodes_ends_the_run_with_the_best_weights() -> None:
    result = spoiled(step=150, value=3)
    assert result.scores["ended_early"] is None  # a few bad steps do not end it
    spoiler = Spoiler(40, 0.0, factor=-1000.0)
    config = TrainConfig(epochs=8, learning_rate=1e-6, batch_size=4, window=8)
    spoiler.run = loop(corpus(), SMALL, config, spoiler)
    spoiler.run.state.best_weights.measure()
    spoiler.run.state.best_weights.validate(0)
    ended = spoiler.run.run().scores["ended_early"]
    assert "a uniform guess has 2.08. Choose a lower learning rate" in ended


def test_weights_that_are_worse_than_guessing_are_not_kept() -> None:
    spoiler = Spoiler(10, math.nan)
    spoiler.run = loop(corpus(), SMALL, TrainConfig(epochs=2, **FAST), spoiler)
    spoiler.run.state.best_weights.best = (1e9, spoiler.run.state.network.get_weights())
    with pytest.raises(TrainingError, match="training loss is nan .* a lower learning rate"):
        spoiler.run.run()


def test_a_loss_that_is_nan_from_the_start_is_an_error() -> None:
    options = {"kernel_initializer": {"class_name": "Constant", "config": {"value": 1e38}}}
    config = ModelConfig(cell="simple_rnn", cell_options={**options, "activation": "linear"})
    with pytest.raises(TrainingError, match="training loss is (nan|inf) after"):
        train(corpus(), config, TrainConfig(epochs=1, **FAST))


def test_without_validation_the_last_finite_weights_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("seqgen.training.checkpointer.SECONDS_BETWEEN", 0.0)
    spoiler = Spoiler(40, math.nan)
    whole = corpus(validation=0.0)
    spoiler.run = loop(whole, SMALL, TrainConfig(epochs=2, **FAST), spoiler)
    result = spoiler.run.run()
    assert "training loss is nan after 41 steps" in result.scores["ended_early"]
    assert all(np.isfinite(weight).all() for weight in result.weights)


def test_weights_that_the_last_step_makes_nan_are_an_error() -> None:
    spoiler = Spoiler(1, math.nan)
    config = TrainConfig(epochs=0.01, **FAST)
    spoiler.run = loop(corpus(validation=0.0), SMALL, config, spoiler)
    with pytest.raises(TrainingError, match="expected finite weights, got NaN"):
        spoiler.run.run()


def test_a_nan_loss_is_never_the_best() -> None:
    spoiler = Spoiler(1, math.nan)
    spoiler.run = loop(corpus(), SMALL, TrainConfig(epochs=0.01, **FAST), spoiler)
    with pytest.raises(TrainingError, match="expected finite weights, got NaN"):
        spoiler.run.run()


def test_warm_up_starts_with_the_first_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plans = []
    config = TrainConfig(minutes=0.2, **FAST)
    run = loop(corpus(), SMALL, config, Callback(), started=-8, clock=Clock(tick=0.002))
    one_step = run._step
    monkeypatch.setattr(run, "_step", lambda plan: plans.append(plan) or one_step(plan))
    run.run()
    assert plans[0].learning_rate < 0.2 * 0.02
    assert not plans[0].validate
    assert max(plan.learning_rate for plan in plans) > 0.9 * 0.02


@pytest.mark.parametrize("call", [1, 2])
def test_ctrl_c_while_scoring_keeps_the_known_scores(
    call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last two calls score the last weights, and then the best ones on more tokens."""
    large = Corpus("letters", "text", LETTERS, np.arange(60_000) % 8, validation=0.5)
    run = loop(large, SMALL, TrainConfig(epochs=0.2, **FAST), Callback())
    assert run.state.best_weights.validation is not None
    loss, calls = run.state.best_weights.validation.loss, []

    def interrupted(tokens: int) -> float:
        calls.append(tokens)
        if len(calls) == 9 + call:
            raise KeyboardInterrupt
        return loss(tokens)

    monkeypatch.setattr(run.state.best_weights.validation, "loss", interrupted)
    result = run.run()
    assert len(calls) == 11 and calls[-1] > calls[0]
    assert result.scores["validation_loss"] == pytest.approx(
        min(entry["validation_loss"] for entry in result.history), abs=0.05
    )


@pytest.mark.parametrize("lines, dropout", [(False, 0.0), (True, 0.3)])
def test_a_resumed_run_equals_an_uninterrupted_one(
    lines: bool, dropout: float, tmp_path: Path
) -> None:
    """The weights, the history and the scores are identical."""
    text = Corpus(
        *("letters", "text", Vocabulary(("<end>", *"abcdefg")), np.arange(3000) % 8),
        bounds=np.arange(0, 3001, 8) if lines else None,
    )
    model_config = ModelConfig(units=16, embedding=8, layers=2, dropout=dropout)
    config = TrainConfig(epochs=0.3, weight_decay=0.01, recurrent_dropout=dropout, **FAST)
    whole = train(text, model_config, config)
    path = tmp_path / "a.checkpoint"
    first = train(text, model_config, config, Recorder(interrupt_after=14), checkpoint_path=path)
    assert first.scores["ended_early"] == "Ctrl-C"
    saved = checkpoint.load(path)
    second = train(text, model_config, config, checkpoint_path=path, resumed=saved)
    assert all((a == b).all() for a, b in zip(whole.weights, second.weights, strict=True))
    for a, b in zip(whole.history, second.history, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    assert {**whole.scores, "seconds": 0} == {**second.scores, "seconds": 0}


def test_ctrl_c_is_deferred_to_the_end_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a resumed run would repeat a part of the step."""
    config = TrainConfig(epochs=1, **FAST)
    whole = train(corpus(), SMALL, config)
    path = tmp_path / "a.checkpoint"
    run = loop(corpus(), SMALL, config, Callback(), checkpoint_path=path)
    compiled = run.state.train_step._compiled

    def interrupted(*arguments: object) -> object:
        result = compiled(*arguments)
        if run.state.step == 20:
            signal.raise_signal(signal.SIGINT)
        return result

    monkeypatch.setattr(run.state.train_step, "_compiled", interrupted)
    assert run.run().scores["steps"] == 21
    again = train(corpus(), SMALL, config, resumed=checkpoint.load(path), checkpoint_path=path)
    assert all((a == b).all() for a, b in zip(whole.weights, again.weights, strict=True))


def test_a_validation_that_ctrl_c_prevented_is_repeated(tmp_path: Path) -> None:
    """Otherwise the resumed run would look for its best weights at other steps."""
    config = TrainConfig(epochs=1, **FAST)
    whole = train(corpus(), SMALL, config)
    path = tmp_path / "a.checkpoint"
    due = int(whole.history[4]["step"] or 0)
    train(corpus(), SMALL, config, Recorder(interrupt_after=due), checkpoint_path=path)
    again = train(corpus(), SMALL, config, resumed=checkpoint.load(path), checkpoint_path=path)
    first, second = (
        [entry["validation_loss"] for entry in result.history] for result in (whole, again)
    )
    assert first == second


def test_a_resumed_run_continues_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    config = TrainConfig(minutes=10, **FAST)
    clock = Clock()
    setup = {"checkpoint_path": path, "clock": clock}
    run = loop(corpus(), SMALL, config, Callback(), **setup)
    for _ in range(5):
        run._step(STEP)
    clock.now += 300  # five of the ten minutes pass
    run.checkpointer.save(run.state)
    clock.now += 50
    again = loop(corpus(), SMALL, config, resumed=checkpoint.load(path), **setup)
    assert again.state.schedule.elapsed == run.state.schedule.elapsed - 50 == 300
    assert again.state.schedule.fraction(5) == 300 / (600 - SECONDS_TO_SAVE)
    assert again.state.step == 5


def test_a_checkpoint_of_another_run_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    config = TrainConfig(epochs=2, **FAST)
    train(corpus(), SMALL, config, Recorder(interrupt_after=3), checkpoint_path=path)
    other = dataclasses.replace(config, seed=5)
    with pytest.raises(CheckpointError, match="other data or options: seed 0, here 5; give"):
        train(corpus(), SMALL, other, checkpoint_path=path, resumed=checkpoint.load(path))
    with pytest.raises(CheckpointError, match="tokens 3000, here 4000"):
        train(corpus(4000), SMALL, config, checkpoint_path=path, resumed=checkpoint.load(path))
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "b")


def test_an_incomplete_checkpoint_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    config = TrainConfig(epochs=2, **FAST)
    train(corpus(), SMALL, config, Recorder(interrupt_after=3), checkpoint_path=path)
    facts, arrays = checkpoint.load(path)
    for saved in [
        ({name: value for name, value in facts.items() if name != "place"}, arrays),
        ({**facts, "place": {}}, arrays),
        (facts, {**arrays, "variables": arrays["variables"][1:]}),
    ]:
        with pytest.raises(CheckpointError, match="^.* is damaged and cannot be read .*$"):
            train(corpus(), SMALL, config, checkpoint_path=path, resumed=Checkpoint(*saved))


def test_a_checkpoint_is_written_every_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.checkpoint"
    monkeypatch.setattr("seqgen.training.checkpointer.SECONDS_BETWEEN", 0.0)
    written = []

    class Watcher(Callback):
        def on_step(self, progress: Progress) -> None:
            written.append(path.exists() and checkpoint.load(path)[0]["place"]["step"])

    train(corpus(), SMALL, TrainConfig(epochs=0.2, **FAST), Watcher(), checkpoint_path=path)
    assert written == [False, *range(1, len(written))]


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqgen.training.checkpointer.SECONDS_BETWEEN", 0.0)
    recorder = Recorder()
    path = tmp_path / "gone" / "a.checkpoint"
    config = TrainConfig(epochs=0.1, **FAST)
    result = train(corpus(), SMALL, config, recorder, checkpoint_path=path)
    assert result.scores["ended_early"] is None
    first = recorder.messages[0]
    assert "no checkpoint: " in first and "there is no folder" in first


def test_a_run_that_cannot_start_leaves_an_existing_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    path.write_text("of another run")
    with pytest.raises(ConfigError, match="has no option"):
        config = ModelConfig(cell_options={"x": 1})
        train(corpus(), config, TrainConfig(epochs=1, **FAST), checkpoint_path=path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.checkpoint"]


def test_errors_come_before_the_work() -> None:
    with pytest.raises(CorpusError, match="too little for one batch"):
        train(corpus(100), SMALL, TrainConfig(epochs=1))
    with pytest.raises(ConfigError, match="has no option"):
        train(corpus(), ModelConfig(cell_options={"x": 1}), TrainConfig(epochs=1, **FAST))


def test_training_leaves_the_generators_of_the_process_alone(book: Path) -> None:
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    seqgen.train(seqgen.load_corpus(book), epochs=0.05, units=8, batch_size=4, window=16, seed=3)
    assert (random.random(), np.random.random()) == expected


def test_a_long_validation_is_skipped_when_the_run_is_ended() -> None:
    """A model is saved within seconds, however much is held out."""
    recorder = Recorder(interrupt_after=3)
    run = loop(corpus(), SMALL, TrainConfig(epochs=5, **FAST), recorder)
    run.state.best_weights.seconds_of_validation = lambda speed: 4.0
    result = run.run()
    assert result.scores["ended_early"] == "Ctrl-C"
    assert result.scores["validation_loss"] is None and result.history == []


def test_the_time_of_a_validation_is_estimated() -> None:
    best = loop(corpus(), SMALL, TrainConfig(epochs=5, **FAST), Recorder()).state.best_weights
    best.scored_tokens = 600
    assert best.seconds_of_validation(100.0) == pytest.approx(2.0)
    best.validation.tokens_per_second = 200.0
    assert best.seconds_of_validation(100.0) == 3.0
    best.validation = None
    assert best.seconds_of_validation(100.0) == 0.0
