"""Interrupted and resumed runs, and fine-tuning, some in separate processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from seqgen import model_file
from seqgen.cli import cli
from seqgen.config import ModelConfig, TrainConfig
from seqgen.errors import SeqgenError
from seqgen.tasks.load import load_corpus
from seqgen.training.callbacks import Callback, Progress
from seqgen.training.train import train
from seqgen.vocabulary import Vocabulary
from tests.conftest import PATIENCE, SENTENCE, Run

SMALL = ("--units", 32, "--embedding", 8, "--batch-size", 4, "--window", 16, "--dropout", 0.1)

# Completes a run, then starts it again with a checkpoint after every step, and is killed at one.
KILLED = """
import os, signal, sys
from contextlib import suppress
from seqgen.__main__ import main
from seqgen.training import checkpointer
with suppress(SystemExit):
    main()
save = checkpointer.Checkpointer.save
def save_or_die(self, state):
    if state.step == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, state)
checkpointer.Checkpointer.save = save_or_die
checkpointer.SECONDS_BETWEEN = 0.0
sys.argv[-1] = "cut.keras"
main()
"""


@pytest.fixture(scope="module")
def killed(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `whole.keras`, and the checkpoint of the same run, which was killed."""
    folder = tmp_path_factory.mktemp("killed")
    options = ("--epochs", 0.3, "--precision", "float32", *SMALL, "-o", "whole.keras")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, "train", str(book), *map(str, options)],
        cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (folder / "cut.keras").exists()
    return folder


class InterruptAfter20(Callback):
    def on_step(self, progress: Progress) -> None:
        if progress.step == 20:
            raise KeyboardInterrupt


def run_train(*arguments: object) -> str:
    """Run `seqgen train` in this process, which has imported TensorFlow; return its messages."""
    command = ["train", *map(str, arguments)]
    return CliRunner().invoke(cli, command, catch_exceptions=False).stderr


def test_a_killed_run_is_resumed_with_the_same_result(
    killed: Path, book: Path, tmp_path: Path, seqgen_process: Run
) -> None:
    shutil.copy(killed / "cut.checkpoint", tmp_path)
    done = seqgen_process("train", book, "-o", "cut.keras", "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    whole, cut = map(model_file.load, (killed / "whole.keras", tmp_path / "cut.keras"))
    assert all((a == b).all() for a, b in zip(whole.weights, cut.weights, strict=True))
    assert whole.train_config == cut.train_config
    expected, actual = ([entry["validation_loss"] for entry in m.history] for m in (whole, cut))
    assert expected == actual
    assert not (tmp_path / "cut.checkpoint").exists()  # the run is finished


def test_runs_that_cannot_be_resumed_are_errors(
    trained: Path,
    killed: Path,
    book: Path,
    tmp_path: Path,
    seqgen: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(killed / "cut.checkpoint", tmp_path)
    (tmp_path / "other.txt").write_text(SENTENCE * 150)
    for arguments, message in [
        ((book, "--resume", "--units", 16), "other data or options: units 32, here 16; give the"),
        (("other.txt", "--resume"), 'name "book", here "other"; tokens 15800, here 11850'),
        ((book, "--resume", "--lines"), "lines false, here true"),
    ]:
        with pytest.raises(SeqgenError) as error:
            run_train(*arguments, "-o", "cut.keras")
        assert str(error.value).startswith("cut.checkpoint was made with ")
        assert message in str(error.value)
    with pytest.raises(SeqgenError, match="a run that started from no model; leave out --from"):
        run_train(book, "--resume", "--from", trained, "-o", "cut.keras")
    (tmp_path / "cut.checkpoint").write_bytes((tmp_path / "cut.checkpoint").read_bytes()[:5000])
    with pytest.raises(SeqgenError, match="cut.checkpoint is damaged and cannot be read"):
        run_train(book, "-o", "cut.keras", "--resume")
    done = seqgen("train", book, "-o", "none.keras", "--resume", cwd=tmp_path)
    assert done.returncode == 1
    assert "none.checkpoint: no such checkpoint" in done.stderr


def test_resume_finds_the_last_run_and_its_corpus_options(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "cut.txt").write_text("\n".join(f"line {i} of many" for i in range(400)))
    corpus = load_corpus(tmp_path / "cut.txt", lines=True, min_count=2)
    path = tmp_path / "cut-1.checkpoint"
    options = {"epochs": 0.5, "units": 16, "batch_size": 4, "window": 16}
    train(corpus, callback=InterruptAfter20(), checkpoint_path=path, **options)
    (tmp_path / "cut.checkpoint").write_text("older")
    os.utime(tmp_path / "cut.checkpoint", (0, 0))
    done = seqgen("train", "cut.txt", "--resume", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cut-1.keras\n"
    reading = model_file.load(tmp_path / "cut-1.keras").corpus["options"]
    assert (reading["lines"], reading["min_count"]) == (True, 2)


def test_a_new_run_keeps_the_checkpoint_of_a_killed_one(
    killed: Path, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(killed / "cut.checkpoint", tmp_path)
    old = (tmp_path / "cut.checkpoint").read_bytes()
    messages = run_train(book, "-o", "cut.keras", "--epochs", 0.1, *SMALL)
    assert "it is renamed to cut-1.checkpoint" in messages
    assert (tmp_path / "cut-1.checkpoint").read_bytes() == old


def test_from_adds_characters_and_keeps_the_learned_weights(
    trained: Path, tmp_path: Path, seqgen: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.txt").write_text("Ω-mega: the quick brown Ω does not mind.\n" * 200)
    run_train(
        *("new.txt", "--from", trained, "-o", "new.keras", "--epochs", 4),
        *("--batch-size", 4, "--window", 16, "--learning-rate", 0.01),
    )
    old, new = model_file.load(trained), model_file.load(tmp_path / "new.keras")
    assert set(new.vocabulary.tokens) == set(old.vocabulary.tokens) | set("Ω-:")
    assert new.model_config == old.model_config
    assert new.scores["validation_loss"] < 0.2
    done = seqgen("generate", "new.keras", "--prompt", "Ω-me", "--length", 3, "--temperature", 0,
                  cwd=tmp_path)  # fmt: skip
    assert done.stdout == "Ω-mega:"


def test_from_another_network_is_an_error(
    trained: Path, book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for options, message in [
        (("--units", 32), "the model to train further has units 64, not 32: leave out that option"),
        (("--lines",), "trained without --lines, this run is with"),
        (("--resume",), "no such checkpoint"),
    ]:
        with pytest.raises(SeqgenError, match=message):
            run_train(book, "--from", trained, "-o", "x.keras", *options)


def test_pictures_and_tensorboard(book: Path, tmp_path: Path, seqgen: Run) -> None:
    done = seqgen("train", book, "-o", "b.keras", "--epochs", 1, *SMALL, "--tensorboard", "board",
                  "--json", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b.loss.png").read_bytes().startswith(b"\x89PNG")
    (events,) = (tmp_path / "board").iterdir()
    content = events.read_bytes()
    for tag in (b"training_loss", b"validation_loss", b"tokens_per_second", b"sample"):
        assert tag in content
    assert "\n  | " in done.stderr  # samples of text
    assert len(json.loads(done.stdout)) > 5


def test_a_model_to_train_further_keeps_its_choices_where_the_corpus_only_has_defaults() -> None:
    from seqgen.corpus.packages import table
    from seqgen.tasks.labels.corpus import read
    from seqgen.training.setup import network_options

    corpus = read([table("x", [("a fine day", "a"), ("a dull day", "b")] * 5)], name="x")
    base = ModelConfig(pooling="mean", outputs=2)
    kept = network_options(corpus, {"units": 8}, base)
    assert (kept["pooling"], kept["ngrams"], kept["outputs"], kept["units"]) == ("mean", 1, 2, 8)
    assert network_options(corpus, {"pooling": "last"}, base)["pooling"] == "last"
    assert network_options(corpus, {})["ngrams"] == corpus.network["ngrams"] > 1


@pytest.mark.parametrize("tokens", [("<pad>", "<unk>", "a"), ("<pad>", "<unk>", "b", "a")])
def test_rows_of_ngrams_are_kept_while_tokens_have_the_same_ids(tokens: tuple[str, ...]) -> None:
    from seqgen.model_file import ModelData
    from seqgen.training import fine_tuning

    config = ModelConfig(units=2, embedding=2, pooling="last", outputs=2, ngrams=2)
    old, new = Vocabulary(("<pad>", "<unk>", "a")), Vocabulary(tokens)
    random = np.random.default_rng(0)
    weights = [random.random(s) for shapes in config.weight_shapes(len(old)) for s in shapes]
    model = ModelData("labels", config, TrainConfig(epochs=1), old, {}, weights)
    before, (after, *_) = weights[0], fine_tuning.extended_weights(model, new)
    assert after.shape == config.weight_shapes(len(new))[0][0]
    np.testing.assert_array_equal(after[new.ids["a"]], before[old.ids["a"]])
    expected = before[3:] if new.tokens == old.tokens else before[3:].mean(0)
    np.testing.assert_allclose(after[len(new) :], np.broadcast_to(expected, before[3:].shape))


@pytest.mark.parametrize("fraction", [0.0, 0.5])
def test_fine_tuning_starts_with_the_weights_of_the_model(trained: Path, fraction: float) -> None:
    from seqgen.inference.numpy_engine import NumpyEngine
    from seqgen.training import fine_tuning

    model = model_file.load(trained)
    kept = model.vocabulary.tokens[: int(len(model.vocabulary) * fraction)]
    vocabulary = fine_tuning.extended_vocabulary(
        model.vocabulary, type(model.vocabulary)(("Ω", *reversed(kept)))
    )
    weights = fine_tuning.extended_weights(model, vocabulary)
    ids = vocabulary.encode(model.vocabulary.tokens)
    old, new = (NumpyEngine(model.model_config, arrays) for arrays in (model.weights, weights))
    a, _ = old.step(model.vocabulary.encode("T"), old.initial_state(1))
    b, _ = new.step(vocabulary.encode("T"), new.initial_state(1))
    np.testing.assert_allclose(b[:, ids], a, atol=1e-6)
    assert b[0, vocabulary.ids["Ω"]] <= b.mean()
