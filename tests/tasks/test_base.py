"""A third task only has to implement the contract."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from seqgen.cli import cli
from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import sha256
from seqgen.errors import ConfigError
from seqgen.sampling.decode import GeneratedSequence, generate, read
from seqgen.sampling.sampler import Sampler
from seqgen.tasks import base
from seqgen.tasks.load import load_corpus
from seqgen.tasks.output import print_json, print_result
from seqgen.tasks.requests import GenerationRequest
from seqgen.tasks.sampling_options import require_own_options, sample_config
from seqgen.vocabulary import Vocabulary

DIGITS = Vocabulary(tuple("0123456789"))


class DigitTask(base.Task):
    """Sequences of digits, from files that end in `.digits`."""

    name, token_name, copy_unit = "digits", "digit", "digits"

    def detect(self, source: Any) -> bool:
        return source.label.endswith(".digits")

    def read(self, sources: Any, *, validation: float = 0.1, **origin: Any) -> Corpus:
        text = b"".join(source.open().read() for source in sources).decode()
        ids = DIGITS.encode(c for c in text if c.isdigit())
        return Corpus(
            task=self.name,
            vocabulary=DIGITS,
            ids=ids,
            validation=validation,
            sha256=sha256(sources),
            **origin,
        )

    def generator(self, model: Any) -> Any:
        return self

    def write(self, model: Any, request: GenerationRequest) -> None:
        options = request.options
        config = sample_config(8, options.get("temperature"), options["seed"], {})
        state = read(model.engine, np.array([0]))
        for item in range(request.count):
            output = GeneratedSequence(config, item)
            for _ in generate(model.engine, state, Sampler(config), [output]):
                pass
            digits = "".join(DIGITS.decode(output.ids))
            (print_json if request.as_json else print_result)(digits)

    def summarise(self, metadata: Any) -> str:
        return "nothing but digits"


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    base.register("digits", DigitTask())
    yield
    base.unregister("digits")


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_a_registered_task_is_in_the_help() -> None:
    assert re.search(r"\[text\|music\S*\|digits\]", run("train", "--help").stdout)


def test_a_registered_task_trains_generates_and_evaluates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("count.digits").write_text("0123456789" * 100)
    small = ("--units", 16, "--embedding", 8, "--batch-size", 4, "--window", 16)
    done = run("train", "count.digits", "-o", "d.keras", "--epochs", 30,
               "--learning-rate", 0.03, *small)  # fmt: skip
    assert "digits seen" in done.stderr
    assert run("generate", "d.keras", "--temperature", 0).stdout == "12345678\n"
    (first, second) = run(
        "generate", "d.keras", "-n", 2, "--temperature", 0, "--json"
    ).stdout.split()
    assert json.loads(first) == json.loads(second) == "12345678"
    done = run("evaluate", "d.keras")
    assert "100 digits" in done.stdout and "bits per digit" in done.stdout
    assert "nothing but digits" in run("info", "d.keras").stdout
    run("train", "count.digits", "--from", "d.keras", "-o", "e.keras", "--epochs", 1)


def test_a_corpus_knows_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "count.digits"
    path.write_text("0123456789" * 10)
    found = catalogue.find([path])._replace(terms=("count: not to be sold",))
    monkeypatch.setattr(catalogue, "find", lambda corpora, progress: found)
    corpus = load_corpus(path)
    assert (corpus.name, corpus.arguments) == ("count", (str(path),))
    assert corpus.messages == ("count: not to be sold",)


def test_an_option_of_another_task_is_an_error() -> None:
    with pytest.raises(ConfigError, match="models of text, this is a model of digits"):
        require_own_options("digits", ["prompt"])


def test_an_unregistered_task_is_an_error() -> None:
    with pytest.raises(
        ConfigError, match="task: expected one of text, music, .*digits, got 'film'"
    ):
        base.get("film")
