"""Files written by earlier versions: two models and two interrupted runs, made by version 0.1.

`tests/saved/*.keras` and `*.checkpoint` were written before the packages were restructured. They
must load as long as their format version is read.
"""

import shutil
from pathlib import Path

import pytest

import seqgen
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train
from tests.conftest import SENTENCE
from tests.test_readme import write_tunes

SAVED = Path(__file__).parent / "saved"


def test_a_saved_model_of_text_generates() -> None:
    model = seqgen.load(SAVED / "text-0.1.keras")
    (text,) = model.texts(prompt="The quick ", length=34, temperature=0)
    assert "".join(text) == SENTENCE[:44] and text.longest_copy == 44


def test_a_saved_model_of_music_generates() -> None:
    model = seqgen.load(SAVED / "music-0.1.keras")
    piece = model.compose(bars=4, key="C", seed=1)
    assert len(piece.bars) >= 4 and piece.notes


@pytest.mark.parametrize("name", ["text", "music"])
def test_a_loaded_model_is_saved_unchanged(name: str, tmp_path: Path) -> None:
    model = seqgen.load(SAVED / f"{name}-0.1.keras")
    model.save(tmp_path / "again.keras")
    assert seqgen.load(tmp_path / "again.keras").data.metadata() == model.data.metadata()


def test_an_interrupted_run_on_text_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text(SENTENCE * 200, encoding="utf-8")
    checkpoint = shutil.copy(SAVED / "text-0.1.checkpoint", tmp_path)
    model = train(load_corpus(tmp_path / "book.txt"), checkpoint_path=checkpoint, resume=True)
    assert model.data.scores["steps"] == 334 and model.data.scores["validation_loss"] < 0.25


def test_an_interrupted_run_on_music_is_resumed(tmp_path: Path) -> None:
    write_tunes(tmp_path / "tunes")
    # The version before read 10.mid before 2.mid.
    for place, path in enumerate(sorted((tmp_path / "tunes").iterdir())):
        path.rename(path.with_name(f"{chr(ord('a') + place)}.mid"))
    checkpoint = shutil.copy(SAVED / "music-0.1.checkpoint", tmp_path)
    corpus = load_corpus(tmp_path / "tunes", validation=0.2)
    model = train(corpus, checkpoint_path=checkpoint, resume=True)
    assert model.data.scores["steps"] > 300 and model.data.scores["validation_loss"] < 2.04
