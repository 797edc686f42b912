"""Texts over HTTP: the same as those of the library, alone and beside others."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from starlette.testclient import TestClient

import seqgen
from seqgen.studio.batcher import Batcher, BusyError, Job
from seqgen.studio.completions import Completions
from tests.studio.conftest import ADDRESS

OPTIONS: dict[str, Any] = {"prompt": "The ", "max_tokens": 60, "temperature": 1.3}


@pytest.fixture(scope="module")
def openai(client: TestClient) -> OpenAI:
    """OpenAI's own client."""
    return OpenAI(base_url=f"{ADDRESS}/v1", api_key="none", http_client=client, max_retries=0)


@pytest.fixture(scope="module")
def model(model_folder: Path) -> seqgen.Model:
    return seqgen.load(model_folder / "words.keras")


def test_a_text_is_that_of_the_library(openai: OpenAI, model: seqgen.Model) -> None:
    answer = openai.completions.create(model="words", seed=5, **OPTIONS)
    expected = model.generate("The ", length=60, temperature=1.3, seed=5)
    assert f"The {answer.choices[0].text}" == expected
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage and answer.usage.completion_tokens == 60


def test_several_texts_are_those_of_the_library(openai: OpenAI, model: seqgen.Model) -> None:
    answer = openai.completions.create(model="words", seed=5, n=3, echo=True, **OPTIONS)
    texts = model.texts(3, prompt="The ", length=60, temperature=1.3, seed=5)
    assert [choice.text for choice in answer.choices] == ["".join(text) for text in texts]


def test_a_stream_is_the_same_text_in_parts(openai: OpenAI, model: seqgen.Model) -> None:
    parts = list(openai.completions.create(
        model="words", seed=7, stream=True, stream_options={"include_usage": True}, **OPTIONS
    ))  # fmt: skip
    text = "".join(part.choices[0].text for part in parts if part.choices)
    assert f"The {text}" == model.generate("The ", length=60, temperature=1.3, seed=7)
    assert parts[-1].usage and parts[-1].usage.completion_tokens == 60


@pytest.mark.parametrize("stop", ["fox", ["zebra", "jumps", "fox"]])
def test_a_text_ends_before_the_stop_text(openai: OpenAI, stop: Any) -> None:
    stop = [text for text in stop if text != "zebra"] if isinstance(stop, list) else stop
    for stream in (False, True):
        found: Any = openai.completions.create(
            model="words", prompt="The quick", max_tokens=60, temperature=0, stop=stop,
            stream=stream,
        )  # fmt: skip
        choices = [part.choices[0] for part in found] if stream else [found.choices[0]]
        assert "".join(choice.text for choice in choices) == " brown "
        assert choices[-1].finish_reason == "stop"


def test_log_probabilities_are_those_of_the_library(openai: OpenAI, model: seqgen.Model) -> None:
    choice = openai.completions.create(model="words", seed=5, logprobs=3, **OPTIONS).choices[0]
    text = model.texts(prompt="The ", length=60, temperature=1.3, seed=5, scored=True)[0]
    "".join(text)
    assert choice.logprobs and choice.logprobs.tokens == text.tokens
    assert choice.logprobs.token_logprobs == pytest.approx(text.log_probabilities)
    assert choice.logprobs.top_logprobs is not None
    for token, score, likely in zip(
        text.tokens, text.log_probabilities, choice.logprobs.top_logprobs, strict=True
    ):
        assert len(likely) == 3 and list(likely.values()) == sorted(likely.values(), reverse=True)
        assert likely.get(token, score) == pytest.approx(score)
        assert max(likely.values()) >= score
    assert choice.logprobs.text_offset == list(range(60))


def test_many_requests_at_once_do_not_change_each_other(
    client: TestClient, model: seqgen.Model
) -> None:
    found: dict[int, str] = {}

    def ask(seed: int) -> None:
        options = {**OPTIONS, "temperature": 1 + seed % 3 / 10, "max_tokens": 20 + seed}
        if seed % 4 == 0:
            options["repetition_penalty"] = 1.2
        if seed % 5 == 0:
            options["max_copy"] = 40
        answer = client.post("/v1/completions", json={"model": "words", "seed": seed, **options})
        found[seed] = answer.json()["choices"][0]["text"]

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(24):
        expected = model.generate(
            "The ", length=20 + seed, temperature=1 + seed % 3 / 10, seed=seed,
            **({"repetition_penalty": 1.2} if seed % 4 == 0 else {}),
            **({"max_copy": 40} if seed % 5 == 0 else {}),
        )  # fmt: skip
        assert f"The {found[seed]}" == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": "Zoë"}, "characters that the model has never seen"),
        ({"temperature": -1}, "temperature: expected a number of at least 0, got -1"),
        ({"temperature": "hot"}, "temperature: expected a number of at least 0, got 'hot'"),
        ({"top_p": 2}, "top_p: expected"),
        ({"seed": -1}, "seed: expected a whole number"),
        ({"max_tokens": 10**9}, "max_tokens: expected a whole number from 0 to 1,000,000"),
        ({"n": 65}, "n: expected a whole number from 1 to 64"),
        ({"logprobs": 11}, "logprobs: expected a whole number from 0 to 10"),
        ({"suffix": "end"}, "'suffix' is not expected here"),
        ({"logit_bias": {"1": 2}}, "'logit_bias' is not expected here"),
        ({"best_of": 2}, "best_of: expected a whole number from 1 to 1, got 2"),
        ({"presence_penalty": 1}, "presence_penalty: expected a number from 0 to 0"),
        ({"max_copy": 3}, "max_copy: expected at least"),
        ({"stop": "Ω"}, "the stop text has characters that the model has never seen"),
        ({"prompt": [1, 2]}, "prompt[0]: expected a text"),
    ],
)
def test_errors_have_the_texts_of_the_command_line(
    client: TestClient, options: dict[str, Any], message: str
) -> None:
    answer = client.post("/v1/completions", json={"model": "words", **options})
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["type"] == "invalid_request_error"
    assert message in error["message"]


def test_openais_client_raises_its_own_errors(openai: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="expected one of damaged, tunes, words, got 'gpt'"):
        openai.completions.create(model="gpt", prompt="a")
    with pytest.raises(BadRequestError, match="expected one of text, got one of music"):
        openai.completions.create(model="tunes", prompt="a")
    with pytest.raises(BadRequestError, match="damaged"):
        openai.completions.create(model="damaged", prompt="a")


def test_models_are_listed_for_openais_client(openai: OpenAI) -> None:
    assert {model.id for model in openai.models.list()} == {"damaged", "tunes", "words"}
    assert openai.models.retrieve("words").owned_by == "seqgen"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"{", "application/json", "expected JSON, got something else"),
        (b"[" * 100_000, "application/json", "expected JSON, got something else"),
        (b"[]", "application/json", "expected an object, got a list of 0"),
        (b"{}", "application/json", "'model' is missing"),
        (b"{}", "text/plain", "expected a body of type application/json, got 'text/plain'"),
    ],
)
def test_bodies_that_are_no_requests_are_refused(
    client: TestClient, body: bytes, kind: str, message: str
) -> None:
    answer = client.post("/v1/completions", content=body, headers={"content-type": kind})
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]


def until(condition: Any) -> None:
    """Wait until a condition is true; the test hangs if it never is."""
    while not condition():
        time.sleep(0.005)


def job_of(model: seqgen.Model, length: int, count: int = 1) -> Job:
    """A job like those of requests."""

    class OneModel:
        def get(self, name: str) -> Any:
            return self

        def load_with_batcher(self) -> Any:
            return model, self

        def require_room(self, count: int) -> None:
            pass

        def submit(self, job: Job) -> None:
            pass

    library: Any = OneModel()
    data = {"model": "words", "prompt": "The ", "max_tokens": length, "n": count, "seed": 1}
    return Completions(library)._begin(data, lambda: None)[1]


def test_streams_wait_for_their_places_and_too_many_are_refused(model: seqgen.Model) -> None:
    batcher = Batcher(model, most_waiting=3)
    long = job_of(model, 1_000_000, 64)
    batcher.submit(long)
    until(lambda: batcher.running == 64)
    waiting = job_of(model, 5, 3)
    batcher.submit(waiting)
    with pytest.raises(BusyError, match="64 texts are generated and 3 wait; try again"):
        batcher.submit(job_of(model, 5))
    assert not waiting.is_finished
    batcher.cancel(long)  # its client went away
    until(lambda: waiting.is_finished)
    assert [len(stream.output.ids) for stream in waiting.streams] == [5, 5, 5]
    assert not long.is_finished
    batcher.close()


def test_a_closed_batcher_ends_its_jobs(model: seqgen.Model) -> None:
    batcher = Batcher(model)
    job = job_of(model, 1_000_000)
    batcher.submit(job)
    until(lambda: batcher.running == 1)
    batcher.close()
    until(lambda: job.is_finished)
    assert isinstance(job.error, BusyError)
    with pytest.raises(BusyError):
        batcher.submit(job_of(model, 5))


def test_busy_studios_say_when_to_try_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Batcher, count: int) -> None:
        raise BusyError("too many")

    monkeypatch.setattr(Batcher, "require_room", refuse)
    answer = client.post("/v1/completions", json={"model": "words"})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
    assert answer.json()["error"]["type"] == "rate_limit_error"


def test_copied_runs_are_found(client: TestClient, model: seqgen.Model) -> None:
    copied = "The quick brown fox jumps over the lazy dog"
    text = f"{copied}zz zz. {copied}"
    found = client.post("/api/copies", json={"model": "words", "text": text}).json()
    assert found["runs"] == [[0, len(copied)], [len(copied) + 7, len(copied)]]
    nothing = client.post("/api/copies", json={"model": "words", "text": ""}).json()
    assert nothing == {"runs": [], "shortest": found["shortest"]}
    assert json.dumps(found)
