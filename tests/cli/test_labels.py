"""Labels from the command line: train, classify, evaluate, compare, and wrong input."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import seqgen as library
from seqgen.corpus.packages import table
from seqgen.inference import sequence_engine
from tests.conftest import Run

GOOD, BAD = ("good", "great", "lovely", "fine"), ("bad", "awful", "poor", "boring")
SMALL = ("--units", 16, "--embedding", 8, "--epochs", 40, "--learning-rate", 0.02, "--dropout", 0)


def write_reviews(path: Path) -> None:
    """A table of short reviews, whose adjective says which label they have."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(240):
        word = random.choice(BAD if number % 2 else GOOD)
        noun, end = random.choice(["film", "book", "song"]), "!" * int(random.integers(1, 9))
        rows.append((f"a {word} {noun}{number} {end}", "negative" if number % 2 else "positive"))
    path.write_bytes(table("x", rows).data)


def write_waves(path: Path, channels: int = 2) -> None:
    """Series of two channels, slow or fast."""
    random = np.random.default_rng(1)
    lines = ["@classLabel true slow fast", "@data"]
    for number in range(60):
        steps = np.arange(random.integers(8, 20)) * (2.0 if number % 2 else 0.4)
        numbers = [np.sin(steps + phase) for phase in range(channels)]
        row = ":".join(",".join(f"{value:.4f}" for value in channel) for channel in numbers)
        lines.append(f"{row}:{'fast' if number % 2 else 'slow'}")
    path.write_text("\n".join(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of reviews and one of waves, beside the files that they were trained on."""
    folder = tmp_path_factory.mktemp("labels")
    write_reviews(folder / "reviews.jsonl")
    write_waves(folder / "waves_TRAIN.ts")
    write_waves(folder / "waves_TEST.ts")
    options = {"units": 16, "embedding": 8, "learning_rate": 0.02, "dropout": 0.0}
    corpora = {
        "reviews": library.load_corpus(folder / "reviews.jsonl", tokens="words"),
        "waves": library.load_corpus(folder / "waves_TRAIN.ts", folder / "waves_TEST.ts"),
    }
    for name, corpus in corpora.items():
        bidirectional = name == "waves"
        model = library.train(corpus, epochs=40, bidirectional=bidirectional, **options)
        model.save(folder / f"{name}.keras")
    return folder


def test_a_text_is_classified_by_a_process_without_tensorflow(
    folder: Path, seqgen_process: Run
) -> None:
    done = seqgen_process("classify", "reviews.keras", "a lovely song", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    label, probability, text = done.stdout.split(maxsplit=2)
    assert (label, text) == ("positive", "a lovely song\n") and float(probability) > 0.9


def test_classify_imports_no_tensorflow(folder: Path) -> None:
    code = (
        "import sys; from seqgen import load; "
        f"load({str(folder / 'waves.keras')!r}).classify([[0.0, 1.0]]); "
        "print(sorted({'tensorflow', 'keras', 'music21', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_train_classify_and_evaluate(tmp_path: Path, seqgen: Run) -> None:
    write_reviews(tmp_path / "reviews.jsonl")
    done = seqgen("train", "reviews.jsonl", "-o", "m.keras", "--tokens", "words", *SMALL,
                  "--pooling", "mean", "--json", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["validation_accuracy"] > 0.9
    assert "per sequence, accuracy" in done.stderr
    done = seqgen("classify", "m.keras", "reviews.jsonl", "--json", cwd=tmp_path)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 240 and all(sum(row["probabilities"].values()) > 0.99 for row in rows)
    lines = [json.loads(line) for line in (tmp_path / "reviews.jsonl").read_text().splitlines()]
    right = [row["label"] == line["label"] for row, line in zip(rows, lines, strict=True)]
    assert np.mean(right) > 0.95 and rows[3]["text"] == lines[3]["text"].strip()
    done = seqgen("evaluate", "m.keras", "--plot", "confusion.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in ("held-out part of reviews: 48 sequences", "this model", "majority", "positive"):
        assert part in done.stdout
    assert (tmp_path / "confusion.png").read_bytes()[1:4] == b"PNG"
    done = seqgen("info", "m.keras", cwd=tmp_path)
    assert "240 sequences, 2 labels: negative, positive" in done.stdout


def test_one_engine_classifies_every_call(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    choose = sequence_engine.choose
    monkeypatch.setattr(
        sequence_engine, "choose", lambda *network: chosen.append(network) or choose(*network)
    )
    model = library.load(folder / "reviews.keras")
    assert model.classify("a good film") == model.classify("a good film")
    model.explain("a good film")
    assert len(chosen) == 1
    with pytest.raises(library.SeqgenError, match="got texts; use classify or explain$"):
        model.texts()


def test_series_are_classified_and_explained(folder: Path, tmp_path: Path, seqgen: Run) -> None:
    picture = tmp_path / "course.png"
    done = seqgen("classify", "waves.keras", "waves_TEST.ts", "--explain", "-o", picture,
                  "--json", cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *_ = rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 60 and {row["label"] for row in rows} == {"slow", "fast"}
    assert len(first["steps"]) == len(first["course"]["slow"])
    assert first["course"]["slow"][-1] == pytest.approx(first["probabilities"]["slow"], abs=1e-4)
    assert picture.read_bytes()[1:4] == b"PNG"
    done = seqgen("evaluate", "waves.keras", "--json", cwd=folder)
    scores = json.loads(done.stdout)
    assert scores["corpus"] == "test part of waves_TRAIN" and scores["accuracy"] > 0.9
    assert list(scores["baselines"]) == ["majority", "1-NN with dynamic time warping"]


def test_an_explained_text_has_a_probability_below_every_character(
    folder: Path, seqgen: Run
) -> None:
    done = seqgen("classify", "reviews.keras", "a poor film", "--explain", cwd=folder)
    first, tokens, deciles = done.stdout.splitlines()
    assert first.startswith("negative") and tokens == "a poor film "
    assert len(deciles) == len(tokens) and deciles.split()[-1] == "9"


def test_the_file_opens_in_keras_with_the_same_probabilities(folder: Path) -> None:
    from seqgen.network.backend import keras

    network = keras.models.load_model(folder / "reviews.keras")
    model = library.load(folder / "reviews.keras")
    ids = model.data.vocabulary.encode(["a", "lovely", "!"])
    expected = network(np.array([[*ids, 0, 0]], np.int32)).numpy()[0]
    (found,) = model.classify("a lovely!")
    labels = model.data.corpus["details"]["labels"]
    for label, probability in zip(labels, expected, strict=True):
        assert found.probabilities[label] == pytest.approx(float(probability), abs=1e-4)


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    write_waves(tmp_path / "waves.ts")
    corpus = library.load_corpus(tmp_path / "waves.ts")
    options = {"epochs": 6.0, "units": 16, "embedding": 8, "dropout": 0.2, "batch_size": 16}
    whole = library.train(corpus, **options)

    class Stop(library.Callback):
        def on_step(self, progress: library.Progress) -> None:
            if progress.step == 7:
                raise KeyboardInterrupt

    path = tmp_path / "run.checkpoint"
    library.train(corpus, callback=Stop(), checkpoint_path=path, **options)
    resumed = library.train(corpus, checkpoint_path=path, resume=True)
    for ours, theirs in zip(whole.data.weights, resumed.data.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_model_is_trained_further(folder: Path) -> None:
    base = library.load(folder / "reviews.keras")
    corpus = library.load_corpus(folder / "reviews.jsonl", **base.corpus_options)
    further = library.train(corpus, base=base, epochs=1.0)
    assert further.data.scores["validation_accuracy"] > 0.9


def test_files_are_described(folder: Path, seqgen: Run) -> None:
    (folder / "bad.csv").write_text("text,label\n,x\n")
    done = seqgen("inspect", "reviews.jsonl", "waves_TRAIN.ts", "bad.csv", cwd=folder)
    first, second, third = done.stdout.splitlines()
    assert "240 texts" in first and "2 labels: positive 120, negative 120" in first
    assert "60 series of 2 channels, 8 to 19 steps" in second
    assert "skipped 1 of 1 rows: 1 with an empty text" in third


def test_cells_are_compared(tmp_path: Path, seqgen: Run) -> None:
    write_waves(tmp_path / "waves.ts")
    done = seqgen("compare", "waves.ts", "--epochs", 2, "--units", 16, "--bidirectional",
                  "--no-recall", "--json", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)["cells"]
    assert list(cells) == ["lstm", "gru", "simple_rnn"]
    assert all("validation_accuracy" in cell["scores"] for cell in cells.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "one.csv"), "expected at least two labels, got only 'a'; add examples"),
        (("train", "columns.csv", "--task", "labels"), "got the columns name, price; name one"),
        (("train", "reviews.jsonl", "--lines"), "lines: expected an option of the task labels"),
        (("train", "reviews.jsonl", "--transpose", "c"), "transpose: expected an option of the"),
        (("train", "waves_TRAIN.ts", "--tokens", "words"), "expected texts, got series"),
        (("train", "book.txt", "--bidirectional"), "bidirectional: expected a corpus of sequences"),
        (("train", "book.txt", "--tokens", "words"), "tokens: expected an option of the task text"),
        (("generate", "reviews.keras"), "expected a model that generates, got one that classifies"),
        (("generate", "reviews.keras", "--prompt", "x"), "--prompt applies to models of text"),
        (("classify", "reviews.keras", ""), "expected something to classify, got nothing"),
        (("classify", "reviews.keras", "no.csv"), "no.csv: no such file"),
        (("classify", "waves.keras", "a text"), "a text: no such file"),
        (("classify", "waves.keras", "one_channel.ts"), "has 2 channels"),
        (("classify", "reviews.keras", "waves_TEST.ts"), "expected a text, like the model"),
        (("classify", "reviews.keras", "x", "-o", "x.png"), "applies to --explain"),
        (("classify", "reviews.keras", "x", "--explain", "-o", "x.gif"), "expected a name that"),
        (("evaluate", "reviews.keras", "unknown.csv"), "expected examples with labels of the"),
        (("evaluate", "waves.keras", "one_channel.ts"), "series with 2 channels, like the model"),
        (("evaluate", "waves.keras", "reviews.jsonl"), "expected series, like the model"),
        (("evaluate", "reviews.keras", "--plot", "x.gif"), "expected a name that ends in .png"),
    ],
)  # fmt: skip
def test_wrong_input_is_one_line(
    folder: Path, seqgen: Run, arguments: tuple[str, ...], message: str
) -> None:
    (folder / "one.csv").write_text("text,label\nx,a\ny,a\n")
    (folder / "columns.csv").write_text("name,price\nx,1\n")
    (folder / "unknown.csv").write_text("text,label\nx,other\n")
    (folder / "book.txt").write_text("A book that is long enough.\n" * 100)
    write_waves(folder / "one_channel.ts", channels=1)
    done = seqgen(*arguments, cwd=folder)
    assert done.returncode != 0 and message in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.stderr


def test_a_model_of_text_does_not_classify(trained: Path, seqgen: Run) -> None:
    done = seqgen("classify", trained, "x")
    assert "expected a model of labels, got one of text, which generates" in done.stderr
    done = seqgen("evaluate", trained, "--label-column", "x")
    assert "label_column: expected a model of labels" in done.stderr


def test_labels_that_training_never_saw_are_counted(folder: Path, seqgen: Run) -> None:
    (folder / "mixed.csv").write_text("text,label\na good film,positive\nx,other\n")
    done = seqgen("evaluate", "reviews.keras", "mixed.csv", cwd=folder)
    assert "left out 1 examples whose label the model has never seen: 'other'" in done.stderr
    assert "mixed: 1 sequences" in done.stdout


def test_lengths_of_1_and_of_100_000_are_classified(folder: Path) -> None:
    model = library.load(folder / "waves.keras")
    short, long = model.classify(np.zeros((1, 2)), np.zeros((100_000, 2)))
    for found in (short, long):
        assert set(found.probabilities) == {"slow", "fast"}
        assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert found.label == max(found.probabilities, key=found.probabilities.__getitem__)


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], ["a", "a"], "ab", None])
def test_a_file_with_other_labels_is_damaged(
    folder: Path, tmp_path: Path, labels: object, seqgen: Run
) -> None:
    changed = tmp_path / "changed.keras"
    with zipfile.ZipFile(folder / "reviews.keras") as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "seqgen.json":
                facts = json.loads(data)
                facts["corpus"]["details"]["labels"] = labels
                data = json.dumps(facts).encode()
            new.writestr(name, data)
    done = seqgen("classify", changed, "a good film")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
