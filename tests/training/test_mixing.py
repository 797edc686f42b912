"""A trained model with a mixture: what the network sees, what is fitted, and what is saved."""

import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import seqgen
from benchmarks import mixing as benchmark
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ModelFileError
from seqgen.evaluation import loss
from seqgen.mixing import fit, tree
from seqgen.mixing.growing_tree import GrowingTree
from seqgen.model_file import ModelData
from seqgen.network.backend import keras
from seqgen.tasks.load import load_corpus
from seqgen.training import mixing
from seqgen.training.batches import training_batches
from seqgen.training.schedule import SECONDS_TO_SAVE
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.training.train import train
from seqgen.vocabulary import Vocabulary
from tests.clock import Clock
from tests.conftest import SENTENCE, Run

SMALL = {"units": 8, "embedding": 4, "batch_size": 4, "window": 16}


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60,000 characters: words of `SENTENCE` in a random order."""
    words = SENTENCE.split()
    order = np.random.default_rng(0).integers(0, len(words), 14_000)
    path = tmp_path_factory.mktemp("mixing") / "words.txt"
    path.write_text(" ".join(words[i] for i in order)[:60_000], encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(text: Path) -> seqgen.Model:
    return train(load_corpus(text), epochs=0.3, **SMALL)


@pytest.fixture(scope="module")
def file(model: seqgen.Model, text: Path) -> Path:
    path = text.with_name("words.keras")
    model.save(path)
    return path


def test_no_token_has_two_roles(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network and the n-grams of the fit see the same tokens, the fit others, none is held
    out."""
    counted, fitted = [], []
    count, fit_weights = tree.count, fit.fit
    monkeypatch.setattr(
        tree, "count", lambda ids, *a, **k: counted.append(ids) or count(ids, *a, **k)
    )
    monkeypatch.setattr(
        fit,
        "fit",
        lambda start, engine, ids, first: (
            fitted.append((first, len(ids))) or fit_weights(start, engine, ids, first)
        ),
    )
    corpus = load_corpus(text)
    trained = train(corpus, epochs=0.01, **SMALL)
    assert trained.data.train_config.reserved == mixing.RESERVED
    reserved, held_out = int(mixing.RESERVED * 54_000), 54_000
    assert corpus.training_length == held_out
    assert [len(ids) for ids in counted] == [held_out - reserved, held_out]
    assert (counted[0] == corpus.ids[reserved:held_out]).all()
    assert fitted == [(1, reserved)]


@pytest.mark.parametrize("bounds", [None, np.arange(0, 1001, 10)])
def test_batches_have_no_reserved_token(bounds: np.ndarray | None) -> None:
    vocabulary = Vocabulary(("<end>", *(f"t{i}" for i in range(1000))))
    ids = np.arange(1, 1001)
    if bounds is not None:
        ids[bounds[1:] - 1] = 0
    corpus = Corpus("n", "text", vocabulary, ids, bounds, reserved=0.1)
    assert (corpus.reserved_length, corpus.training_length) == (90, 900)
    batches = training_batches(corpus, batch_size=4, window=8, seed=0)
    seen = np.concatenate([next(batches).targets.ravel() for _ in range(200)])
    seen = seen[seen > 0]
    assert seen.min() >= 91 and seen.max() <= 900 and len(np.unique(seen)) > 700


def test_small_corpora_and_large_vocabularies_have_no_mixture(text: Path) -> None:
    small = Corpus("s", "text", Vocabulary(("a", "b")), np.zeros(1000, int))
    many = Vocabulary(tuple(chr(0x4E00 + i) for i in range(2000)))
    large = Corpus("l", "text", many, np.zeros(10**6, int))
    assert mixing.reserved_share(small) == mixing.reserved_share(large) == 0
    trained = train(load_corpus(text), epochs=0.01, mix=False, **SMALL)
    assert trained.data.mixture is None and trained.data.train_config.reserved == 0


def test_a_mixture_takes_a_part_of_the_time_of_a_run() -> None:
    letters = Vocabulary(tuple(map(chr, range(97, 123))))
    corpus = Corpus("l", "text", letters, np.arange(2_000_000) % 26)

    def planned(minutes: float | None) -> tuple[float, float]:
        share = mixing.reserved_share(corpus, minutes)
        return share, mixing.seconds_to_fit(dataclasses.replace(corpus, reserved=share))

    assert planned(None) == planned(60) and planned(None)[0] == mixing.RESERVED
    counting = mixing.SECONDS_PER_TOKEN * corpus.training_length
    for minutes in (0.2, 1.0):
        share, seconds = planned(minutes)
        assert 0 < share < mixing.RESERVED
        assert counting < seconds <= counting + mixing.SHARE_OF_FIT * 60 * minutes
    assert planned(0.05) == (0, 0)  # counting alone would take most of the time
    one = dataclasses.replace(corpus, reserved=planned(1.0)[0])
    config = TrainConfig(minutes=1, batch_size=4, window=8)
    run = RunState(RunSetup(one, ModelConfig(units=8), config, clock=Clock()))
    assert run.schedule.reserved == pytest.approx(SECONDS_TO_SAVE + mixing.seconds_to_fit(one))


def test_the_mixture_lowers_the_loss_of_held_out_text(model: seqgen.Model, text: Path) -> None:
    corpus = load_corpus(text)
    ids, first = corpus.ids, corpus.training_length
    alone, together = (
        loss.losses(engine, ids, first).mean() for engine in (model.network_engine, model.engine)
    )
    assert together < alone - 0.2


def test_training_further_on_a_small_corpus_keeps_the_mixture(
    model: seqgen.Model, tmp_path: Path
) -> None:
    path = tmp_path / "more.txt"
    path.write_text("zebras and foxes\n" * 100)
    further = train(load_corpus(path), epochs=0.5, base=model, batch_size=4, window=16)
    old, new = model.data, further.data
    assert new.mixture.weights is old.mixture.weights

    def counts(data: ModelData, text: str) -> list[int]:
        """Of the last 0, 1, … characters."""
        counted = GrowingTree(data.mixture.tree, None)
        nodes = counted.contexts(data.vocabulary.encode(text))[-1, : len(text) + 1]
        return counted.counts[nodes].tolist()

    assert counts(new, "dog")[2:] == counts(old, "dog")[2:]  # "og" and "dog" are not in the corpus
    assert counts(new, "zeb")[2:] == [90, 90]  # in the training part
    assert train(load_corpus(path), epochs=0.5, base=model, mix=False).data.mixture is None


def test_only_the_chief_fits_a_mixture(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqgen.training.cluster.is_chief", lambda: False)
    monkeypatch.setattr(mixing, "fit_mixture", pytest.fail)
    assert train(load_corpus(text), epochs=0.01, **SMALL).data.mixture is None


def test_a_file_holds_the_mixture_and_keras_opens_it(file: Path, model: seqgen.Model) -> None:
    again = seqgen.load(file)
    assert again.generate(length=200, seed=1) == model.generate(length=200, seed=1)
    facts = zipfile.ZipFile(file).getinfo("ngrams.bin")
    assert facts.file_size <= 3 * model.data.corpus["split"]["training_tokens"]
    found = np.ravel(keras.models.load_model(file)(np.array([[1]])))
    network = model.network_engine.step(np.array([1]), model.network_engine.initial_state(1))[0]
    np.testing.assert_allclose(found, network[0], atol=1e-5)


def changed(file: Path, member: str, content: bytes | None) -> Path:
    """A copy with another content of a member, or without it."""
    copy = file.with_name("changed.keras")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            data = content if name == member else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return copy


def with_facts(file: Path, **mixture: object) -> Path:
    """A copy with other metadata of the mixture."""
    facts = json.loads(zipfile.ZipFile(file).read("seqgen.json"))
    facts["mixture"] |= mixture
    return changed(file, "seqgen.json", json.dumps(facts).encode())


def test_a_damaged_mixture_is_refused_in_one_line(file: Path, seqgen: Run) -> None:
    data = zipfile.ZipFile(file).read("ngrams.bin")
    damaged = {
        "is missing": lambda: changed(file, "ngrams.bin", None),
        "bytes for each n-gram": lambda: changed(file, "ngrams.bin", data[:-1]),
        "expected a tree of": lambda: changed(file, "ngrams.bin", bytes(len(data))),
        "order": lambda: with_facts(file, order=99),
        "seqgen.json: base": lambda: with_facts(file, order=5),
        "seqgen.json: mixture.base[0]": lambda: with_facts(file, base=[float("nan")]),
        "seqgen.json: tables": lambda: with_facts(file, tables=[]),
        "suggestions": lambda: with_facts(file, evidence=[]),
    }
    for reason, damage in damaged.items():
        done = seqgen("generate", damage())
        assert done.returncode == 1, reason
        assert "is damaged and cannot be read" in done.stderr and reason in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_mixture_of_another_task_is_refused(file: Path) -> None:
    facts = json.loads(zipfile.ZipFile(file).read("seqgen.json"))["mixture"]
    rows = [facts["base"], *(row for table in facts["tables"] for row in table)]
    wide = [[*row, *[0] * 5] for row in rows]
    tables = [wide[1:8], wide[8:22], wide[22:32], *[[wide[0]] * 7] * 5]
    path = with_facts(file, base=wide[0], tables=tables, evidence=facts["evidence"] * 6)
    with pytest.raises(ModelFileError, match="expected a mixture of 1 suggestions, got 6"):
        seqgen.load(path)


def test_evaluate_prints_network_ngrams_and_mixture(file: Path, seqgen: Run) -> None:
    scores = json.loads(seqgen("evaluate", file, "--json").stdout)
    network, mixture = scores["network"]["nats_per_token"], scores["nats_per_token"]
    assert mixture < network
    lines = seqgen("evaluate", file).stdout
    assert f"{mixture:.3f} nats" in lines and "best" in lines
    assert f"the network alone: {network:.3f} nats" in lines


def test_the_benchmark_prints_losses_and_costs_and_draws_weights(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "TOKENS", 50)
    benchmark.main([str(file), "--copies", "1", "--plot", str(file.with_suffix(".png"))])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| words")]
    losses = [float(number) for number in lines[0].split("|")[3:7]]
    assert len(lines) == 2 and losses[3] < losses[0]
    assert file.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_the_benchmark_counts_bars_that_return() -> None:
    starts = np.array([False, False, True])
    twice = np.array([2, 0, 2, 1, 2, 0, 2, 0])  # bars: 0, 1, 0, 0
    once = np.array([0, 2, 0])  # begins with the end of a bar
    assert benchmark.returning_bars([twice], starts) == 2 / 4
    assert benchmark.returning_bars([twice, once], starts) == 2 / 6


def test_repeat_strength_is_an_option_of_generation(file: Path, text: Path, seqgen: Run) -> None:
    def generated(*options: object) -> str:
        return seqgen("generate", file, "--seed", 1, "--length", 300, *options).stdout

    assert generated() == generated("--repeat-strength", 1)
    assert generated() != generated("--repeat-strength", 0)
    assert generated("--beam", 2, "--repeat-strength", 0)
    done = seqgen("generate", file, "--repeat-strength", -1)
    assert (
        done.returncode == 1 and "repeat_strength: expected a number of at least 0" in done.stderr
    )
