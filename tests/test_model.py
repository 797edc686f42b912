from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import seqgen
from seqgen.native import library
from tests.conftest import SENTENCE


@pytest.fixture(scope="module")
def model(trained: Path) -> seqgen.Model:
    return seqgen.load(trained)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> seqgen.Model:
    """A model of lines, with a rare letter folded."""
    path = tmp_path_factory.mktemp("names") / "names.txt"
    path.write_text("xy\n" + "anna\nbert\ncleo\ndora\n" * 50)
    corpus = seqgen.load_corpus(path, lines=True, min_count=2)
    return seqgen.train(
        corpus, epochs=30, units=32, embedding=8, batch_size=4, window=16, learning_rate=0.02
    )


def test_a_model_generates_the_text_it_learned(model: seqgen.Model) -> None:
    text = model.generate("The quick", length=200, temperature=0.3, seed=1)
    assert text.startswith("The quick brown fox jumps over the lazy dog")
    assert len(text) == len("The quick") + 200
    assert model.data.scores["validation_loss"] < 0.1


def test_a_prompt_is_optional(model: seqgen.Model) -> None:
    assert model.generate(length=len(SENTENCE), temperature=0) == SENTENCE


def test_the_seed_determines_the_text(model: seqgen.Model) -> None:
    wild = {"length": 100, "temperature": 3.0}
    assert model.generate(seed=1, **wild) == model.generate(seed=1, **wild)
    assert model.generate(seed=1, **wild) != model.generate(seed=2, **wild)
    assert model.generate(**wild) != model.generate(**wild)


def test_a_stream_yields_single_characters(model: seqgen.Model) -> None:
    stream = model.stream("The ", length=10**9, temperature=0)
    assert list(islice(stream, 6)) == ["The ", *"quick"]


def test_errors_are_raised_before_the_first_character(model: seqgen.Model) -> None:
    with pytest.raises(seqgen.VocabularyError, match="'é'"):
        model.stream("é")
    with pytest.raises(seqgen.ConfigError, match="temperature"):
        model.stream(temperature=-1)
    assert model.generate("éThe quick ", length=5, temperature=0, skip_unknown=True) == (
        "The quick brown"
    )


def test_a_model_of_lines_generates_whole_lines(names: seqgen.Model) -> None:
    lines = ["".join(text) for text in names.texts(20, seed=1, temperature=0.3)]
    assert set(lines) <= {"anna", "bert", "cleo", "dora"}
    assert len(set(lines)) > 1
    assert names.generate("cl", temperature=0) == "cleo"


def test_the_unknown_token_is_never_generated(names: seqgen.Model) -> None:
    assert names.data.vocabulary.unknown_id is not None
    text = "".join(names.stream(length=3000, temperature=50.0, seed=0))
    text += "".join(names.generate(temperature=50.0, seed=seed) for seed in range(200))
    assert set(text) <= set("abcdeltnor")


def test_cell_options_that_only_keras_supports(tmp_path: Path, book: Path) -> None:
    model = seqgen.train(
        seqgen.load_corpus(book),
        epochs=0.05,
        units=8,
        batch_size=4,
        window=16,
        cell_options={"activation": "softmax"},
    )
    assert model.preview() == ""
    model.save(tmp_path / "m.keras")
    text = seqgen.load(tmp_path / "m.keras").generate(length=10, seed=1)
    assert text == model.generate(length=10, seed=1)
    assert len(text) == 10


def test_saving_can_keep_an_existing_file(model: seqgen.Model, tmp_path: Path) -> None:
    for _ in range(2):
        model.save(tmp_path / "m.keras", keep=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m-1.keras", "m.keras"]
    model.save(str(tmp_path / "m.keras"))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    "wrong", [{"unit": 3}, {"units": 0}, {"minutes": 0}, {"minutes": 1, "epochs": 1}]
)
def test_invalid_options_are_named(book: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(seqgen.ConfigError, match=next(iter(wrong))):
        seqgen.train(seqgen.load_corpus(book), **wrong)


def test_a_callback_is_called(book: Path) -> None:
    class Counter(seqgen.Callback):
        steps = 0

        def on_step(self, progress: seqgen.Progress) -> None:
            self.steps += 1

    counter = Counter()
    train: Callable[..., seqgen.Model] = seqgen.train
    model = train(seqgen.load_corpus(book), epochs=0.1, units=4, callback=counter, batch_size=4)
    assert counter.steps == model.data.scores["steps"] > 0


def test_an_incomplete_index_is_not_stored(book: Path) -> None:
    class MessageRecorder(seqgen.Callback):
        heard = ""

        def on_message(self, message: str) -> None:
            self.heard += message

    corpus, recorder = seqgen.load_corpus(book), MessageRecorder()
    run: dict[str, Any] = {"epochs": 0.02, "batch_size": 4, "window": 16}
    base = seqgen.train(corpus, **run, units=4, index=False)
    grown = seqgen.train(corpus, **run, base=base, callback=recorder)
    assert not grown.data.indexes
    assert (
        "the model has no index of copies, because the model it started from has none"
        in recorder.heard
    )
    whole = seqgen.train(corpus, **run, units=4)
    assert len(seqgen.train(corpus, **run, base=whole).data.indexes) == 2


@pytest.mark.parametrize("native", ["", "0"])
@pytest.mark.parametrize("name", ["text", "music"])
def test_eight_threads_share_a_model(
    name: str, native: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thread gets what it gets alone, from the C engine and from NumPy's."""
    monkeypatch.setenv("SEQGEN_NATIVE", native)
    library.cache_clear()
    try:
        path = Path(__file__).parent / "saved" / f"{name}-0.1.keras"

        def write(model: seqgen.Model, seed: int) -> object:
            if name == "music":
                return model.compose(bars=2, seed=seed)
            return ["".join(text) for text in model.texts(3, length=60, temperature=2.0, seed=seed)]

        alone = [write(seqgen.load(path), seed) for seed in range(8)]
        shared = seqgen.load(path)
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(partial(write, shared), range(8))) == alone
    finally:
        library.cache_clear()
