"""`Model.adapt`, and the options --adapt and --save."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import seqgen
from benchmarks import adaptation as benchmark
from seqgen.adaptation import adapt as adaptation
from seqgen.config import ModelConfig
from seqgen.evaluation.evaluate import evaluate
from seqgen.mixing.mixture import Weights
from seqgen.mixing.parameters import MixtureParameters
from seqgen.mixing.tree import count
from seqgen.model import Model
from seqgen.reporting import summaries
from tests.conftest import SENTENCE, Run

SAVED = Path(__file__).parents[1] / "saved"
TEXT, MUSIC = SAVED / "text-0.1.keras", SAVED / "music-0.1.keras"
VOICE = "the lazy dog does not jump; " * 60  # with a character that the model does not know
TUNE = "X:1\nT:Jig\nM:6/8\nL:1/8\nK:C\n" + "CDE CDE|E2E D2D|CDE EDC|C3 C3|\n" * 8
GREEDY = {"prompt": "the lazy ", "length": 100, "temperature": 0.0}


@pytest.fixture(scope="module")
def mixed() -> Model:
    """A model of text with a mixture."""
    data = seqgen.load(TEXT).data
    ids = data.vocabulary.encode(SENTENCE * 20)
    tree = count(ids, len(data.vocabulary), order=3)
    mixture = MixtureParameters(tree, Weights.initial(3, suggestions=1))
    return Model(replace(data, mixture=mixture))


@pytest.fixture(scope="module")
def adapted(mixed: Model) -> tuple[Model, list[str]]:
    messages: list[str] = []
    return mixed.adapt(VOICE, on_message=messages.append), messages


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("voice") / "voice.txt"
    path.write_text(VOICE)
    return path


def test_a_model_writes_on_in_the_voice_of_a_text(
    mixed: Model, adapted: tuple[Model, list[str]]
) -> None:
    model, messages = adapted
    assert any("never seen: left out" in message for message in messages)
    assert "instead of" in messages[-1] and "nats per character" in messages[-1]
    assert "does not jump the lazy dog does not jump" in model.generate(**GREEDY)
    assert "does not jump" not in mixed.generate(**GREEDY)
    assert model.data.chosen.endswith(messages[-1])


def test_the_text_stands_before_the_prompt(adapted: tuple[Model, list[str]]) -> None:
    model, _ = adapted
    assert model.context.tolist() == model.data.vocabulary.encode(VOICE.replace(";", "")).tolist()
    scores = [
        each.texts(prompt="the", length=20, temperature=0.0, scored=True)[0]
        for each in (model, Model(model.data))
    ]
    after, alone = ("".join(text) and sum(text.log_probabilities) for text in scores)
    assert after > alone


def test_copies_of_the_text_are_found(adapted: tuple[Model, list[str]]) -> None:
    for options, copied in (({}, range(41, 210)), ({"max_copy": 40}, range(41))):
        text = adapted[0].texts(prompt="the lazy ", length=200, temperature=0.0, **options)[0]
        assert "".join(text).startswith("the lazy dog") and text.longest_copy in copied


def test_a_text_from_which_nothing_is_learned_leaves_the_model_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adaptation, "RATES", (30.0,))  # harms
    base, messages = seqgen.load(TEXT), []
    model = base.adapt(SENTENCE * 4, on_message=messages.append)
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
def test_texts_that_cannot_be_read(text: str, expected: str) -> None:
    with pytest.raises(seqgen.CorpusError, match=expected):
        seqgen.load(TEXT).adapt(text)


def test_files_of_another_kind(tmp_path: Path) -> None:
    midi = tmp_path / "tune.mid"
    midi.write_bytes(b"MThd\0\0\0\6")
    with pytest.raises(seqgen.CorpusError, match="is a binary file; expected plain text"):
        seqgen.load(TEXT).adapt(midi)
    with pytest.raises(seqgen.ConfigError, match="irish-tunes: expected a corpus of text"):
        seqgen.load(TEXT).adapt(Path("irish-tunes"))
    with pytest.raises(seqgen.CorpusError, match="no music to learn from"):
        seqgen.load(MUSIC).adapt("No tune at all.")


@pytest.mark.parametrize("task", ["labels", "images"])
@pytest.mark.parametrize(
    "read",
    [lambda model: model.adapt(VOICE), lambda model: evaluate(model, folder=SAVED, adapt=True)],
    ids=["adapt", "evaluate"],
)
def test_models_that_cannot_adapt(task: str, read: Callable[[Model], object]) -> None:
    model = Model(replace(seqgen.load(TEXT).data, task=task))
    with pytest.raises(seqgen.ConfigError, match=f"model of text or music, got one of {task}"):
        read(model)


def test_cells_without_a_gradient() -> None:
    config = ModelConfig(units=16, embedding=8, cell_options={"activation": "softmax"})
    model = Model(replace(seqgen.load(TEXT).data, model_config=config))
    with pytest.raises(seqgen.ConfigError, match="whose gradient seqgen computes itself"):
        model.adapt(VOICE)


def test_adapting_needs_no_tensorflow() -> None:
    code = (
        "import sys, seqgen\n"
        f"seqgen.load({str(TEXT)!r}).adapt({VOICE!r}).generate(length=5)\n"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_adapted_model_is_saved_and_keras_opens_it(
    adapted: tuple[Model, list[str]], tmp_path: Path
) -> None:
    import keras

    model, _ = adapted
    path = tmp_path / "voice.keras"
    model.save(path)
    again, network = seqgen.load(path), keras.models.load_model(path)
    learned = model.data.weights
    for saved, opened, array in zip(
        again.data.weights, network.get_weights(), learned, strict=True
    ):
        assert np.array_equal(saved, array) and np.array_equal(opened, array)
    tree, learned_tree = again.data.mixture.tree, model.data.mixture.tree
    assert np.array_equal(tree.tokens, learned_tree.tokens)
    assert np.array_equal(tree.codes, learned_tree.codes)
    assert len(again.data.indexes) == len(model.data.indexes) == 2
    assert again.generate(**GREEDY) == Model(model.data).generate(**GREEDY)


def test_generate_adapts_and_saves(voice: Path, seqgen: Run, tmp_path: Path) -> None:
    new, before = tmp_path / "new.keras", TEXT.read_bytes()
    options = ("--prompt", "the lazy ", "--length", 60, "--temperature", 0)
    done = seqgen("generate", TEXT, "--adapt", voice, "--save", new, *options)
    assert done.returncode == 0, done.stderr
    assert "does not jump the lazy dog" in done.stdout
    assert "voice: " in done.stderr and f"saved: {new}" in done.stderr
    assert TEXT.read_bytes() == before
    assert "does not jump the lazy dog" in seqgen("generate", new, *options).stdout
    assert "adapted to voice: " in seqgen("info", new).stdout


def test_save_needs_a_new_name_and_a_text(voice: Path, seqgen: Run, tmp_path: Path) -> None:
    before = TEXT.read_bytes()
    for options, expected in (
        (("--adapt", voice, "--save", TEXT), "expected another name than that of the model"),
        (("--adapt", voice, "--save", tmp_path / "new"), "a name that ends in .keras"),
        (("--save", tmp_path / "new.keras"), "--save applies to --adapt, which is not given"),
    ):
        done = seqgen("generate", TEXT, *options)
        assert done.returncode and expected in done.stderr and not done.stdout
    assert TEXT.read_bytes() == before


def test_evaluate_names_the_adaptive_score(voice: Path, seqgen: Run) -> None:
    done = seqgen("evaluate", TEXT, voice, "--adapt", "--json")
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    assert scores["adaptive"]["nats_per_token"] < scores["nats_per_token"] - 0.3
    shown = seqgen("evaluate", TEXT, voice, "--adapt").stdout
    assert f"adaptive: {scores['adaptive']['nats_per_token']:.3f} nats per character" in shown
    assert f"\n{scores['nats_per_token']:.3f} nats" in shown
    assert "adaptive" not in json.loads(seqgen("evaluate", TEXT, voice, "--json").stdout)


def test_the_adaptive_score_of_a_mixture_has_that_of_its_network(mixed: Model, voice: Path) -> None:
    scores = evaluate(mixed, [voice], folder=voice.parent, adapt=True).scores
    adaptive, network = scores["adaptive"], scores["adaptive"]["network"]
    assert adaptive["nats_per_token"] < scores["nats_per_token"] - 0.3
    assert network["nats_per_token"] < scores["network"]["nats_per_token"] - 0.3
    text = summaries.evaluation("text", scores)
    assert f"; the network alone: {network['nats_per_token']:.3f} nats" in text


def test_the_benchmark_prints_losses_before_and_after(
    voice: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"adaptation {TEXT} {voice} --learn 30 600 --score 100"
    monkeypatch.setattr(sys, "argv", command.split())
    benchmark.main()
    short, long = capsys.readouterr().out.splitlines()[-2:]
    before, after = (part.strip() for part in short.split("|")[5].split("→"))
    assert short.startswith("| voice | 30 | 0 |") and before == after  # too short to learn from
    before, after = map(float, long.split("|")[5].split("→"))
    assert long.startswith("| voice | 600 |") and after < before - 0.3
