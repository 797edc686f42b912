"""Scores of models, through the library and the command."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import seqgen
from seqgen.cli import cli
from seqgen.errors import ConfigError, CorpusError
from seqgen.evaluation import evaluate as evaluation
from seqgen.evaluation import ngrams
from seqgen.music.io.write import write
from seqgen.music.pitch_names import piece_of
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train
from tests.conftest import SENTENCE, Run


def sample_options(model: seqgen.Model, **options: object) -> dict[str, object]:
    return model.task.sample_options(model, {"seed": 0, **options})


SMALL = {"units": 8, "embedding": 4, "batch_size": 4, "window": 16}


def test_the_held_out_part_of_the_training_corpus_is_scored(trained: Path, book: Path) -> None:
    model = seqgen.load(trained)
    found = evaluation.evaluate(model, folder=trained.parent)
    scores = found.scores
    assert not found.notes and scores["corpus"] == "held-out part of book"
    assert scores["tokens"] == model.data.corpus["split"]["validation_tokens"]
    expected = model.data.scores["validation_loss"]
    assert scores["nats_per_token"] == pytest.approx(expected, abs=1e-3)
    assert scores["bits_per_token"] == pytest.approx(scores["nats_per_token"] / math.log(2))
    assert scores["perplexity"] == pytest.approx(math.exp(scores["nats_per_token"]))
    corpus = seqgen.load_corpus(book)
    losses = ngrams.losses(corpus.training_ids, corpus.validation_ids, len(corpus.vocabulary))
    assert scores["baseline"]["order"] == 1 + int(np.argmin(losses))
    assert scores["baseline"]["nats_per_token"] == pytest.approx(min(losses))


def test_a_given_text_is_scored_completely(trained: Path, tmp_path: Path) -> None:
    model = seqgen.load(trained)
    text = tmp_path / "other.txt"
    text.write_text(SENTENCE + "The lazy dog ΩΩ!\n", encoding="utf-8")
    found = evaluation.evaluate(model, [text], folder=trained.parent)
    assert found.scores["tokens"] == len(SENTENCE) + len("The lazy dog \n")
    assert "3 characters that the model has never seen: left out" in found.notes
    text.write_text(SENTENCE, encoding="utf-8")
    known = evaluation.evaluate(model, [text], folder=trained.parent)
    assert known.scores["nats_per_token"] < found.scores["nats_per_token"]


def test_unknown_characters_are_scored_as_the_unknown_token(tmp_path: Path, seqgen: Run) -> None:
    (tmp_path / "book.txt").write_text(SENTENCE * 50 + "Ωω", encoding="utf-8")
    (tmp_path / "other.txt").write_text("Ω the\n", encoding="utf-8")
    model = train(load_corpus(tmp_path / "book.txt", min_count=3), epochs=0.1, **SMALL)
    model.save(tmp_path / "b.keras")
    done = seqgen("evaluate", "b.keras", "other.txt", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["tokens"] == 6
    assert "1 characters that the model has never seen: read as <unk>" in done.stderr


def test_a_missing_or_changed_training_corpus_is_noted(
    trained: Path, book: Path, tmp_path: Path
) -> None:
    model = seqgen.load(trained)
    model.data.corpus["arguments"] = ["gone.txt"]
    with pytest.raises(CorpusError, match="gone.txt: no such file.*give a corpus to score"):
        evaluation.evaluate(model, folder=tmp_path)
    shutil.copy(book, tmp_path / "gone.txt")  # not in the model's folder, where it is found
    assert evaluation.evaluate(model, folder=tmp_path).scores["baseline"]
    (tmp_path / "gone.txt").write_text(SENTENCE * 100, encoding="utf-8")
    with pytest.raises(CorpusError, match="has changed since the model was trained"):
        evaluation.evaluate(model, folder=tmp_path)
    found = evaluation.evaluate(model, [tmp_path / "gone.txt"], folder=tmp_path)
    assert found.scores["baseline"] is None
    assert (
        "no baseline for comparison: the training corpus of the model is not found"
        in found.notes[0]
    )


def test_a_moved_training_corpus_is_found(trained: Path, book: Path, tmp_path: Path) -> None:
    model = seqgen.load(trained)
    model.data.corpus["arguments"] = ["old/moved.txt"]
    (tmp_path / "elsewhere").mkdir()
    there = shutil.copy(book, tmp_path / "elsewhere" / "book.txt")
    found = evaluation.evaluate(model, [there], folder=tmp_path)
    assert found.scores["baseline"]
    assert any("this is the training corpus" in note for note in found.notes)
    shutil.copy(book, tmp_path / "moved.txt")
    assert evaluation.evaluate(model, folder=tmp_path).scores["baseline"]


def test_scoring_the_training_corpus_is_noted(trained: Path, book: Path) -> None:
    found = evaluation.evaluate(seqgen.load(trained), [book], folder=trained.parent)
    assert any("this is the training corpus" in note for note in found.notes)


def test_another_split_than_in_training_is_noted(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = seqgen.load(trained)
    split = model.data.corpus["split"]
    monkeypatch.setitem(split, "training_tokens", split["training_tokens"] + 1)
    found = evaluation.evaluate(model, folder=trained.parent)
    assert found.notes == [
        "this version of seqgen splits the corpus differently: the model was trained on some of "
        "the tokens that are now held out"
    ]


def test_ngrams_are_estimated_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training, scored = np.arange(5000) % 7, np.arange(500) % 7
    first = ngrams.cached_losses(training, scored, 7)
    monkeypatch.setattr(ngrams, "losses", None)
    assert ngrams.cached_losses(training, scored, 7) == first
    with pytest.raises(TypeError):
        ngrams.cached_losses(training, scored[1:], 7)


def test_samples_are_measured_with_the_corpus(trained: Path, seqgen: Run) -> None:
    options = ("--samples", 3, "--length", 120, "--temperature", 0.1, "--json")
    table = json.loads(seqgen("evaluate", trained, *options).stdout)["samples"]
    assert table.pop("count") == 3
    assert table["known_words"]["samples"] > 0.9 and table["copied_20_grams"]["samples"] > 0.5
    assert table["longest_copy"]["held_out"] == 120
    assert table["distinct_4"]["held_out"] < 1
    done = seqgen("evaluate", trained, "--samples", 2, "--length", 50)
    assert "2 samples" in done.stdout and "known words" in done.stdout
    assert "the best" in done.stdout and "-gram by" in done.stdout


def test_identical_samples_are_not_distinct(trained: Path) -> None:
    model = seqgen.load(trained)
    found = evaluation.evaluate(model, folder=trained.parent)
    found.add_samples(model, 3, {"length": 40, "temperature": 0.0, "seed": 1})
    assert found.scores["samples"]["distinct_8"]["samples"] <= 1 / 3


def test_music_is_scored_per_note_and_per_quarter(tmp_path: Path, seqgen: Run) -> None:
    folder = tmp_path / "tunes"
    folder.mkdir()
    for number, start in enumerate("CDEFGABCDEFG" * 3):
        tune = f"{start}4/4 E4/8 G4/8 {start}5/4 r/4 A4/8 G4/8 F4/4 E4/{2 if number % 2 else 4}"
        write(piece_of(tune if number % 2 else tune + " D4/4"), folder / f"{number}.mid")
    model = train(load_corpus(folder), epochs=2, **{**SMALL, "window": 8})
    model.save(tmp_path / "t.keras")
    scores = json.loads(
        seqgen("evaluate", "t.keras", "--samples", 2, "--bars", 2, "--json", cwd=tmp_path).stdout
    )
    nats = scores["nats_per_token"] * scores["tokens"]
    assert scores["nats_per_note"] * scores["notes"] == pytest.approx(nats)
    assert scores["nats_per_beat"] * scores["beats"] == pytest.approx(nats)
    assert scores["beats"] % 8 == 0 and scores["notes"] / scores["beats"] == pytest.approx(1, 0.2)
    assert scores["baseline"]["bits_per_note"] > scores["baseline"]["bits_per_token"]
    assert scores["samples"]["full_bars"] == {"samples": 1, "held_out": 1, "corpus": 1}
    assert set(scores["samples"]["overlap_of_intervals"]) == {"samples", "held_out", "corpus"}
    lengths = scores["histograms"]["durations"]
    assert set(lengths) == {"samples", "held_out", "corpus"}
    assert sum(lengths["corpus"].values()) == pytest.approx(1) and lengths["corpus"]["12"] > 0.3
    done = seqgen("evaluate", "t.keras", folder / "3.mid", cwd=tmp_path)
    assert "3: " in done.stdout and "bits) per note" in done.stdout
    done = seqgen("evaluate", "t.keras", "--samples", 1, "--length", 9, cwd=tmp_path)
    assert done.returncode == 1 and "--length applies to models of text" in done.stderr


def test_options_of_another_task_are_errors(trained: Path) -> None:
    with pytest.raises(ConfigError, match="--bars applies to models of music"):
        sample_options(seqgen.load(trained), bars=8)


def test_standard_input_is_not_read_again(trained: Path, book: Path, tmp_path: Path) -> None:
    model = seqgen.load(trained)
    model.data.corpus["arguments"] = ["-"]
    model.save(tmp_path / "m.keras")
    evaluate = ["evaluate", str(tmp_path / "m.keras")]
    done = CliRunner().invoke(cli, [*evaluate, str(book), "--samples", "1", "--length", "20"])
    assert done.exit_code == 0 and "perplexity" in done.stdout
    assert "this is the training corpus" in done.stderr
    (tmp_path / "other.txt").write_text(SENTENCE, encoding="utf-8")
    other = [*evaluate, str(tmp_path / "other.txt"), "--samples", "1"]
    done = CliRunner().invoke(cli, other)
    assert done.exit_code == 0 and "no baseline for comparison: " in done.stderr
    assert "it was read from standard input" in done.stderr
    assert "no samples: " in done.stderr


def test_other_encodings_and_tasks(trained: Path, tmp_path: Path) -> None:
    model, text = seqgen.load(trained), tmp_path / "other.txt"
    text.write_bytes((SENTENCE + "é").encode("latin-1"))
    with pytest.raises(CorpusError, match="--encoding"):
        evaluation.evaluate(model, [text], folder=tmp_path)
    found = evaluation.evaluate(model, [text], folder=tmp_path, encoding="latin-1")
    assert found.scores["tokens"] == len(SENTENCE)
    with pytest.raises(
        ConfigError,
        match="irish-tunes: expected .*, got one of music",
    ):
        evaluation.evaluate(model, ["irish-tunes"], folder=tmp_path)
    text.write_text("ΩΩΩ", encoding="utf-8")
    with pytest.raises(CorpusError, match="other: expected tokens of the model's vocabulary"):
        evaluation.evaluate(model, [text], folder=tmp_path)


def test_options_of_samples_require_samples(trained: Path) -> None:
    for option in ("--length", "--temperature", "--seed"):
        with pytest.raises(ConfigError, match=f"{option} applies to --samples, .*; add"):
            CliRunner().invoke(cli, ["evaluate", str(trained), option, "1"], catch_exceptions=False)


def test_a_length_of_zero_is_kept(trained: Path) -> None:
    model = seqgen.load(trained)
    assert sample_options(model, length=0)["length"] == 0
    with pytest.raises(ConfigError, match="temperature: expected"):
        sample_options(model, temperature=-1)
