"""`Model.adapt`, and the options --adapt and --save."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import seqgen
from benchmarks import adaptation as benchmark
from seqgen.adaptation import adapt as adaptation
from seqgen.config import ModelConfig
from seqgen.mixing.mixture import Weights
from seqgen.mixing.parameters import MixtureParameters
from seqgen.mixing.tree import count
from seqgen.model import Model
from tests.conftest import SENTENCE, Run

MUSIC = Path(__file__).parents[1] / "saved" / "music-0.1.keras"
VOICE = "the lazy dog does not jump; " * 60  # with a character that the model does not know
TUNE = "X:1\nT:Jig\nM:6/8\nL:1/8\nK:C\n" + "CDE CDE|E2E D2D|CDE EDC|C3 C3|\n" * 8


@pytest.fixture(scope="module")
def mixed(trained: Path, book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the sentence with a mixture, whose corpus is beside it."""
    data = seqgen.load(trained).data
    ids = data.vocabulary.encode(SENTENCE * 180)
    tree = count(ids, len(data.vocabulary), order=3)
    mixture = MixtureParameters(tree, Weights.initial(3, suggestions=1))
    folder = tmp_path_factory.mktemp("mixed")
    path = folder / "mixed.keras"
    Model(replace(data, mixture=mixture)).save(path)
    (folder / book.name).write_bytes(book.read_bytes())
    return path


@pytest.fixture(scope="module")
def adapted(mixed: Path) -> tuple[Model, list[str]]:
    messages: list[str] = []
    return seqgen.load(mixed).adapt(VOICE, on_message=messages.append), messages


def test_a_model_writes_on_in_the_voice_of_a_text(
    mixed: Path, adapted: tuple[Model, list[str]]
) -> None:
    base, (model, messages) = seqgen.load(mixed), adapted
    assert any("never seen: left out" in message for message in messages)
    assert "instead of" in messages[-1] and "nats per character" in messages[-1]
    prompt = {"prompt": "the lazy ", "length": 100, "temperature": 0.0}
    assert "does not jump the lazy dog does not jump" in model.generate(**prompt)
    assert "does not jump" not in base.generate(**prompt)
    assert messages[-1] in model.data.chosen


def test_the_text_stands_before_the_prompt(adapted: tuple[Model, list[str]]) -> None:
    model, _ = adapted
    assert model.context.tolist() == model.data.vocabulary.encode(VOICE.replace(";", "")).tolist()
    again = model.generate("lazy ", length=60, temperature=0.0)
    fresh = Model(model.data).generate("lazy ", length=60, temperature=0.0)
    assert again.startswith("lazy dog does not jump") and again != fresh


def test_an_adapted_model_is_saved_under_a_new_name(
    mixed: Path, adapted: tuple[Model, list[str]], tmp_path: Path
) -> None:
    model, _ = adapted
    before = mixed.read_bytes()
    path = tmp_path / "voice.keras"
    model.save(path)
    assert mixed.read_bytes() == before
    again = seqgen.load(path)
    for saved, learned in zip(again.data.weights, model.data.weights, strict=True):
        assert np.array_equal(saved, learned)
    tree, learned_tree = again.data.mixture.tree, model.data.mixture.tree
    assert np.array_equal(tree.tokens, learned_tree.tokens)
    assert np.array_equal(tree.codes, learned_tree.codes)
    assert len(again.data.indexes) == len(model.data.indexes) == 2
    options = {"prompt": "the lazy ", "length": 100, "temperature": 0.0}
    assert again.generate(**options) == Model(model.data).generate(**options)


def test_stock_keras_opens_it(adapted: tuple[Model, list[str]], tmp_path: Path) -> None:
    import keras

    model, _ = adapted
    path = tmp_path / "voice.keras"
    model.save(path)
    network = keras.models.load_model(path)
    for found, expected in zip(network.get_weights(), model.data.weights, strict=True):
        assert np.array_equal(found, expected)


def test_copies_of_the_text_are_found(adapted: tuple[Model, list[str]]) -> None:
    for options, copied in (({}, range(41, 210)), ({"max_copy": 40}, range(41))):
        text = adapted[0].texts(prompt="the lazy ", length=200, temperature=0.0, **options)[0]
        assert "".join(text).startswith("the lazy dog") and text.longest_copy in copied


def test_a_text_from_which_nothing_is_learned_leaves_the_model_as_it_is(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adaptation, "RATES", (30.0,))  # harms
    base, messages = seqgen.load(trained), []
    model = base.adapt(SENTENCE * 2, on_message=messages.append)
    assert messages[-1].endswith("the model stays as it is")
    assert model.data is base.data


def test_tunes_in_another_voice() -> None:
    base, messages = seqgen.load(MUSIC), []
    model = base.adapt(TUNE, on_message=messages.append)
    assert "instead of" in messages[-1] and "nats per token" in messages[-1]
    assert base.compose(bars=2, seed=1) != model.compose(bars=2, seed=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "text is empty"), ("éüß", "expected tokens of the model's vocabulary, got none")],
)
def test_texts_that_cannot_be_read(trained: Path, text: str, expected: str) -> None:
    with pytest.raises(seqgen.CorpusError, match=expected):
        seqgen.load(trained).adapt(text)


def test_files_of_another_kind(trained: Path, tmp_path: Path) -> None:
    midi = tmp_path / "tune.mid"
    midi.write_bytes(b"MThd\0\0\0\6")
    with pytest.raises(seqgen.CorpusError, match="is a binary file; expected plain text"):
        seqgen.load(trained).adapt(midi)
    with pytest.raises(seqgen.ConfigError, match="irish-tunes: expected a corpus of text"):
        seqgen.load(trained).adapt(Path("irish-tunes"))
    with pytest.raises(seqgen.CorpusError, match="no music to learn from"):
        seqgen.load(MUSIC).adapt("No tune at all.")


@pytest.mark.parametrize("task", ["labels", "images"])
def test_models_that_cannot_adapt(trained: Path, task: str) -> None:
    data = replace(seqgen.load(trained).data, task=task)
    with pytest.raises(seqgen.ConfigError, match=f"model of text or music, got one of {task}"):
        Model(data).adapt("a text")


def test_cells_without_a_gradient(trained: Path) -> None:
    data = seqgen.load(trained).data
    config = ModelConfig(units=64, embedding=16, cell_options={"activation": "softmax"})
    with pytest.raises(seqgen.ConfigError, match="whose gradient seqgen computes itself"):
        Model(replace(data, model_config=config)).adapt("a text")


def test_adapting_needs_no_tensorflow(mixed: Path) -> None:
    code = (
        "import sys, seqgen\n"
        f"seqgen.load({str(mixed)!r}).adapt({VOICE!r}).generate(length=5)\n"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_generate_adapts_and_saves(mixed: Path, seqgen: Run, tmp_path: Path) -> None:
    text, new = tmp_path / "voice.txt", tmp_path / "voice.keras"
    text.write_text(VOICE)
    options = ("--prompt", "the lazy ", "--length", 60, "--temperature", 0)
    done = seqgen("generate", mixed, "--adapt", text, "--save", new, *options)
    assert done.returncode == 0, done.stderr
    assert "does not jump the lazy dog" in done.stdout
    assert "voice: " in done.stderr and f"saved: {new}" in done.stderr
    again = seqgen("generate", new, *options)
    assert "does not jump the lazy dog" in again.stdout
    assert "adapted to voice: " in seqgen("info", new).stdout


def test_save_needs_a_new_name_and_a_text(mixed: Path, seqgen: Run, tmp_path: Path) -> None:
    text = tmp_path / "voice.txt"
    text.write_text(VOICE)
    before = mixed.read_bytes()
    for options, expected in (
        (("--adapt", text, "--save", mixed), "expected another name than that of the model"),
        (("--adapt", text, "--save", tmp_path / "new"), "a name that ends in .keras"),
        (("--save", tmp_path / "new.keras"), "--save applies to --adapt, which is not given"),
    ):
        done = seqgen("generate", mixed, *options)
        assert done.returncode and expected in done.stderr and not done.stdout
    assert mixed.read_bytes() == before


def test_evaluate_names_the_adaptive_score(mixed: Path, seqgen: Run, tmp_path: Path) -> None:
    text = tmp_path / "voice.txt"
    text.write_text(VOICE)
    done = seqgen("evaluate", mixed, text, "--adapt", "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    assert scores["adaptive"]["nats_per_token"] < scores["nats_per_token"] - 0.3
    assert scores["adaptive"]["network"]["nats_per_token"] < scores["network"]["nats_per_token"]
    shown = seqgen("evaluate", mixed, text, "--adapt").stdout
    assert f"adaptive: {scores['adaptive']['nats_per_token']:.3f} nats per character" in shown
    assert f"\n{scores['nats_per_token']:.3f} nats" in shown
    assert "adaptive" not in json.loads(seqgen("evaluate", mixed, text, "--json").stdout)


def test_the_benchmark_prints_losses_before_and_after(
    mixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "voice.txt"
    text.write_text(VOICE)
    command = f"adaptation {mixed} {text} --learn 30 600 --score 100"
    monkeypatch.setattr(sys, "argv", command.split())
    benchmark.main()
    short, long = capsys.readouterr().out.splitlines()[-2:]
    before, after = (part.strip() for part in short.split("|")[5].split("→"))
    assert short.startswith("| voice | 30 | 0 |") and before == after  # too short to learn from
    before, after = map(float, long.split("|")[5].split("→"))
    assert long.startswith("| voice | 600 |") and after < before - 0.3
