"""The server in a process of its own, as users start it."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from seqgen.studio import server
from tests.conftest import PATIENCE, Run
from tests.test_imports import modules_after


@pytest.fixture
def studio(model_folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a studio, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "seqgen", "studio", str(model_folder), "--port", "0",
         "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.communicate()


def post(address: str, path: str, data: Any) -> Any:
    request = urllib.request.Request(
        address + path, json.dumps(data).encode(), {"content-type": "application/json"}
    )
    return urllib.request.urlopen(request, timeout=PATIENCE)


def test_a_stream_begins_before_it_ends_and_sigterm_is_graceful(
    studio: tuple[str, subprocess.Popen[str]],
) -> None:
    address, process = studio
    data = {"model": "words", "prompt": "The ", "stream": True}
    endless = post(address, "v1/completions", {**data, "max_tokens": 1_000_000})
    assert json.loads(endless.readline().removeprefix(b"data: "))["choices"][0]["text"]
    endless.close()  # this client goes away
    long = post(address, "v1/completions", {**data, "max_tokens": 3000, "seed": 1})
    long.readline()
    process.send_signal(signal.SIGTERM)
    text = long.read()  # it is finished all the same
    assert text.endswith(b"data: [DONE]\n\n") and b'"finish_reason": "length"' in text
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0 and errors == "the studio has stopped\n"


def test_a_client_that_goes_away_frees_its_places(
    studio: tuple[str, subprocess.Popen[str]],
) -> None:
    address, _ = studio
    data = {"model": "words", "max_tokens": 1_000_000, "n": 64, "stream": True}
    for _ in range(4):  # 64 run and 128 may wait
        with closing(post(address, "v1/completions", data)) as answer:
            answer.readline()
    while True:  # until the server has noticed
        try:
            with closing(post(address, "v1/completions", {**data, "max_tokens": 5})) as answer:
                assert answer.read().endswith(b"data: [DONE]\n\n")
            break
        except urllib.error.HTTPError as error:
            assert error.code == 429
            time.sleep(0.05)


def test_the_next_free_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with server.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(server, "PORT", port)
        with server.bind("127.0.0.1", None) as other:
            assert other.getsockname()[1] > port
        with pytest.raises(server.OutputError, match=f"127.0.0.1:{port} cannot be used: .*port"):
            server.bind("127.0.0.1", port)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing.keras",), "nothing.keras: no such file or folder; check the name"),
        (("--host", "0.0.0.0"), "expected a token too, got none; add --token"),
        (("--host", "256.1.1.1"), "256.1.1.1:"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...], message: str, seqgen: Run, tmp_path: Path
) -> None:
    done = seqgen("studio", *arguments, "--no-browser", cwd=tmp_path)
    assert done.returncode == 1 and message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_missing_packages_are_named(seqgen: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = seqgen("studio")
    assert done.returncode == 1 and 'pip install "seqgen[studio]"' in done.stderr


def test_a_studio_needs_no_tensorflow(model_folder: Path) -> None:
    loaded = modules_after(
        "from starlette.testclient import TestClient\n"
        "from seqgen.studio.app import create_app\n"
        "from seqgen.studio.library import Library\n"
        f"client = TestClient(create_app(Library([{str(model_folder)!r}])), "
        "base_url='http://localhost')\n"
        "assert client.post('/v1/tunes', json={'model': 'tunes', 'bars': 2}).status_code == 200\n"
        "answer = client.post('/v1/completions', json={'model': 'words', 'seed': 1})\n"
        "assert answer.status_code == 200\n"
        "assert client.get('/api/library').status_code == 200"
    )
    assert not loaded & {"tensorflow", "keras", "music21", "matplotlib", "verovio"}


def test_process_managers_read_the_environment(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from starlette.testclient import TestClient

    from seqgen.studio import app

    monkeypatch.setenv(app.MODELS_VARIABLE, str(model_folder))
    monkeypatch.setenv(app.TOKEN_VARIABLE, "secret")
    client = TestClient(app.from_environment(), base_url="http://localhost")
    assert client.get("/v1/models").status_code == 401
    answer = client.get("/v1/models", headers={"authorization": "Bearer secret"})
    assert len(answer.json()["data"]) == 3
