"""Models of music: small trainings that are interrupted, resumed and continued."""

from itertools import pairwise
from pathlib import Path

import pytest

import seqgen
from seqgen.errors import ConfigError
from seqgen.evaluation.evaluate import evaluate
from seqgen.model import Model
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.piece import Note, Part, Piece
from seqgen.tasks.load import load_corpus
from seqgen.training import checkpoint
from seqgen.training.callbacks import Callback, Progress
from seqgen.training.train import train
from tests.tasks.music.test_corpus import tune

SMALL = {"units": 32, "batch_size": 2, "window": 16, "learning_rate": 0.02}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tunes")
    for i in range(1, 7):
        (folder / f"{i}.mid").write_bytes(midi_bytes(tune(i)))
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    corpus = load_corpus(folder, validation=0)
    return train(corpus, epochs=100, dropout=0, recurrent_dropout=0, weight_decay=0, **SMALL)


def test_a_model_memorises_its_tunes(folder: Path, model: Model) -> None:
    learned = {intervals(tune(i)) for i in range(1, 7)}
    written = [intervals(model.compose(temperature=0.2, seed=seed)) for seed in range(5)]
    assert sum(each[:15] in learned for each in written) >= 3


def intervals(piece: Piece) -> tuple[int, ...]:
    notes = piece.notes
    return tuple(b.pitch - a.pitch for a, b in pairwise(notes))


def test_an_interrupted_run_is_resumed(folder: Path, tmp_path: Path) -> None:
    class Impatient(Callback):
        def on_step(self, progress: Progress) -> None:
            if progress.step == 5:
                raise KeyboardInterrupt

    options = {"transpose": "augment", "validation": 0.2}
    path = tmp_path / "tunes.checkpoint"
    run = {**SMALL, "epochs": 1, "precision": "float32"}
    whole = train(load_corpus(folder, **options), **run)
    train(load_corpus(folder, **options), callback=Impatient(), checkpoint_path=path, **run)
    reading = checkpoint.corpus_options(path)
    assert reading["transpose"] == "augment" and reading["task"] == "music"
    resumed = train(load_corpus(folder, **reading), checkpoint_path=path, resume=True)
    assert resumed.data.scores["steps"] == whole.data.scores["steps"]
    assert resumed.compose(bars=4, seed=1) == whole.compose(bars=4, seed=1)


def test_a_model_is_trained_further_on_other_tunes(model: Model, tmp_path: Path) -> None:
    (tmp_path / "new.mid").write_bytes(midi_bytes(tune(9).transposed(12)))
    corpus = load_corpus(tmp_path, validation=0, **model.corpus_options)
    more = train(corpus, base=model, epochs=1, batch_size=2, window=8)
    assert len(more.data.vocabulary) > len(model.data.vocabulary)
    assert more.compose(bars=1, seed=1).notes


def test_a_base_model_with_another_encoding_is_an_error(model: Model, tmp_path: Path) -> None:
    two = Piece((Part((Note(0, 96, 60),)), Part((Note(0, 96, 67),))), (0,), 96)
    (tmp_path / "two.mid").write_bytes(midi_bytes(two))
    voices = load_corpus(tmp_path, validation=0)
    with pytest.raises(ConfigError, match="was trained with encoding melody, not polyphony"):
        train(voices, base=model, epochs=1)
    with pytest.raises(
        ConfigError,
        match="expected a corpus of music, as the model to train further, got one of text",
    ):
        train(load_corpus("python-docs"), base=model, epochs=1)


def test_a_base_model_of_another_task_is_an_error(model: Model, trained: Path) -> None:
    with pytest.raises(ConfigError, match="models of music, .* use pieces or compose"):
        model.generate()
    with pytest.raises(ConfigError, match="models of text, .* use texts or stream or generate"):
        seqgen.load(trained).compose()


def test_a_model_of_all_keys_scores_tunes_in_their_own_key(folder: Path, tmp_path: Path) -> None:
    """The scored corpus is not transposed, but has the vocabulary of the model."""
    augmented = train(load_corpus(folder, transpose="augment"), epochs=1, **SMALL)
    path = tmp_path / "more.mid"
    path.write_bytes(midi_bytes(tune(3)))
    scores = evaluate(augmented, [path], folder=tmp_path).scores
    assert scores["notes"] == tune(3).note_count


def test_a_base_model_with_another_transposition_is_an_error(folder: Path, model: Model) -> None:
    with pytest.raises(ConfigError, match="transpose c, not none"):
        train(load_corpus(folder, transpose="none"), base=model, epochs=1)
