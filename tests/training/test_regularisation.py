import dataclasses
from pathlib import Path

import numpy as np
import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.training import checkpoint
from seqgen.training.auto_config import weights
from seqgen.training.callbacks import Callback
from seqgen.training.loop import TrainingLoop
from seqgen.training.regularisation import Regularisation
from seqgen.training.setup import RunSetup
from seqgen.training.step import StepPlan
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock

CORPUS = Corpus("letters", "text", Vocabulary(tuple("abcdefgh")), np.arange(3000) % 8)
NETWORK = ModelConfig(units=16, embedding=8, dropout=0.5)
CONFIG = TrainConfig(minutes=0.2, batch_size=4, window=8, weight_decay=0.05, recurrent_dropout=0.3)
NOTHING: frozenset[str] = frozenset()


class Messages(Callback):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def on_message(self, message: str) -> None:
        self.texts.append(message)


def suitable(tokens_seen: float) -> Regularisation:
    return Regularisation.of_run(weights(NETWORK, 8), CORPUS.training_length, tokens_seen)


@pytest.mark.parametrize("tick", [0.002, 0.05])
def test_it_follows_the_tokens_that_a_run_with_a_time_limit_sees(tick: float) -> None:
    messages = Messages()
    setup = RunSetup(CORPUS, NETWORK, CONFIG, fixed=NOTHING, clock=Clock(tick))
    run = TrainingLoop(setup, messages)
    seen = run.run().scores["tokens_seen"]
    now, expected = run.state.train_step.regularisation, suitable(seen)
    assert now.weight_decay == expected.weight_decay
    assert now[:2] == pytest.approx(expected[:2], abs=0.08)
    assert suitable(20 * seen)[:2] != pytest.approx(now[:2], abs=0.08)
    assert "tokens: dropout 0" in messages.texts[0]


@pytest.mark.parametrize(
    ("config", "fixed"),
    [
        (CONFIG, frozenset(Regularisation._fields)),
        (dataclasses.replace(CONFIG, minutes=None, epochs=0.5), NOTHING),
    ],
    ids=["options of the user", "a known number of tokens"],
)
def test_it_stays(config: TrainConfig, fixed: frozenset[str]) -> None:
    run = TrainingLoop(
        RunSetup(CORPUS, NETWORK, config, fixed=fixed, clock=Clock(0.05)), Callback()
    )
    run.run()
    assert run.state.train_step.regularisation == (0.5, 0.3, 0.05)


def test_steps_use_what_is_set() -> None:
    run = TrainingLoop(RunSetup(CORPUS, NETWORK, CONFIG), Callback())
    step, batch = run.state.train_step, next(run.state.batches)

    def loss_and_matrix(regularisation: Regularisation, rate: float) -> tuple[float, np.ndarray]:
        step.regularisation = regularisation
        loss, *_ = step(batch, run.state.recurrent_state, StepPlan(rate, 0.0), 0)
        return loss, run.state.network.get_weights()[0]

    none = Regularisation(0.0, 0.0, 0.0)
    plain, before = loss_and_matrix(none, 0.0)
    for changed in (none._replace(dropout=0.5), none._replace(recurrent_dropout=0.5)):
        assert loss_and_matrix(changed, 0.0)[0] != pytest.approx(plain, abs=1e-6)
    bare = RunSetup(
        CORPUS,
        dataclasses.replace(NETWORK, dropout=0.0),
        dataclasses.replace(CONFIG, recurrent_dropout=0.0),
        weights=run.state.network.get_weights(),
    )
    without = TrainingLoop(bare, Callback()).state
    loss, *_ = without.train_step(batch, without.recurrent_state, StepPlan(0.0, 0.0), 0)
    assert loss == pytest.approx(plain, abs=1e-5)
    # Decayed before the step of Adam, which moves a weight by about the learning rate.
    _, after = loss_and_matrix(none._replace(weight_decay=1.0), 0.1)
    _, moved = loss_and_matrix(none, 0.0)
    assert (after == moved).all()
    np.testing.assert_allclose(after, 0.9 * before, atol=0.11)
    assert np.abs(after - before).max() > 0


def test_a_resumed_run_keeps_what_was_corrected(tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"
    setup = RunSetup(CORPUS, NETWORK, CONFIG, fixed=NOTHING, clock=Clock(), checkpoint_path=path)
    run = TrainingLoop(setup, Callback())
    run._step(StepPlan(0.001, 0.5))
    run.state.train_step.regularisation = Regularisation(0.11, 0.12, 0.01)
    run.checkpointer.save(run.state)
    saved = checkpoint.load(path)
    assert saved.facts["place"]["fixed"] == []
    again = TrainingLoop(dataclasses.replace(setup, resumed=saved), Callback())
    assert again.state.train_step.regularisation == (0.11, 0.12, 0.01)
