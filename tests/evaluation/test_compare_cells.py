import time
from pathlib import Path

import numpy as np
import pytest

import seqgen
from seqgen.corpus.corpus import Corpus
from seqgen.evaluation import compare_cells, delayed_recall
from seqgen.reporting import summaries
from seqgen.training import mixing
from seqgen.training.callbacks import Callback
from seqgen.training.schedule import Schedule
from seqgen.training.setup import RunSetup
from seqgen.vocabulary import Vocabulary

SMALL = {"epochs": 0.2, "units": 8, "batch_size": 8, "window": 16}


class MessageRecorder(Callback):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def on_message(self, message: str) -> None:
        self.messages.append(message)


def test_cells_share_options_and_budget(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delayed_recall, "GAPS", (2, 3))
    monkeypatch.setattr(delayed_recall, "train", lambda cell, gap, *_: 0.5 * gap)
    corpus, recorder = seqgen.load_corpus(book), MessageRecorder()
    cells = ["simple_rnn", "gru", "lstm"]
    found = compare_cells.compare(corpus, cells, callback=recorder, **SMALL)
    assert list(found) == cells
    sizes = [each["scores"]["parameters"] for each in found.values()]
    assert sizes == sorted(sizes)
    assert len({each["scores"]["tokens_seen"] for each in found.values()}) == 1
    assert all(each["tokens_per_second"] > 0 for each in found.values())
    assert all(each["recall"] == {2: 1.0, 3: 1.5} for each in found.values())
    assert [each["remembered"] for each in found.values()] == [2] * 3
    assert sum("chosen" in message for message in recorder.messages) == 1
    table = summaries.comparison("text", found, delayed_recall.UNIFORM_LOSS)
    assert [line.split()[0] for line in table.splitlines()[1:4]] == cells
    assert "(uniform guessing: 2.08)" in table
    alone = compare_cells.compare(corpus, ["gru"], recalls=False, **SMALL)["gru"]["scores"]
    assert alone["validation_loss"] == found["gru"]["scores"]["validation_loss"]


def test_the_start_up_of_tensorflow_and_other_cells_do_not_count(
    book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second cell had no time left: the time of all cells began with that of the first."""
    runs: list[float | None] = []
    used: list[float] = []  # seconds of the time of a run, if it begins in an hour
    train = compare_cells.loop.train

    def noted(setup: RunSetup, callback: Callback) -> object:
        runs.append(setup.train_config.minutes)
        schedule = Schedule.of_run(
            setup.train_config, 100, 10, setup.started, lambda: time.monotonic() + 3600
        )
        used.append(schedule.elapsed)
        return train(setup, callback)

    monkeypatch.setattr(compare_cells.loop, "train", noted)
    recorder = MessageRecorder()
    cells = ["gru", "simple_rnn"]
    compare_cells.compare(
        seqgen.load_corpus(book), cells, recalls=False, callback=recorder, **SMALL
    )
    assert runs == [compare_cells.ONE_STEP, None, None]
    assert max(used) < 1800
    assert not any("the run took" in message for message in recorder.messages)


def test_no_text_and_no_time_is_reserved_for_a_mixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of cells are those of networks alone."""
    corpus = Corpus("ab", "text", Vocabulary(("a", "b")), np.arange(100_000) % 2)
    assert mixing.reserved_share(corpus) > 0
    setups: list[RunSetup] = []

    def noted(setup: RunSetup, callback: Callback) -> object:
        setups.append(setup)
        raise seqgen.TrainingError("seen")

    monkeypatch.setattr(compare_cells.loop, "train", noted)
    with pytest.raises(seqgen.TrainingError, match="seen"):
        compare_cells.compare(corpus, ["gru"], recalls=False, **SMALL)
    assert setups[0].corpus.reserved == setups[0].train_config.reserved == 0


def test_ctrl_c_keeps_the_results_so_far(book: Path) -> None:
    class Impatient(MessageRecorder):
        def on_step(self, progress: seqgen.Progress) -> None:
            if any(message.startswith("lstm") for message in self.messages) and progress.step == 2:
                raise KeyboardInterrupt

    impatient = Impatient()
    cells = ["gru", "lstm", "simple_rnn"]
    found = compare_cells.compare(seqgen.load_corpus(book), cells, callback=impatient, **SMALL)
    assert list(found) == ["gru", "lstm"]
    assert found["gru"]["scores"]["ended_early"] is None
    assert impatient.messages[-1] == "ended early: Ctrl-C"
    assert "lstm" in summaries.comparison("text", found, delayed_recall.UNIFORM_LOSS)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (["rnn"], "expected some of lstm, gru, simple_rnn, got 'rnn'"),
        (["gru", "gru"], "expected distinct cells"),
        ([], "expected distinct cells, got none"),
    ],
)
def test_invalid_cells_are_errors(book: Path, wrong: list[str], message: str) -> None:
    with pytest.raises(seqgen.ConfigError, match=message):
        compare_cells.compare(seqgen.load_corpus(book), wrong)
