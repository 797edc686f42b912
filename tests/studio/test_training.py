"""Training from the page; `test_browser` trains a model in the process that the page starts."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import seqgen
from seqgen.errors import ConfigError
from seqgen.studio import training_process
from seqgen.studio.training import corpus_options, write_corpus
from tests.conftest import SENTENCE

FILE = {"name": "a.txt", "data": base64.b64encode(b"hello").decode()}


def test_a_run_says_what_happens_and_saves_the_model(book: Path, tmp_path: Path) -> None:
    output = io.StringIO()
    request = {
        "source": str(book),
        "output": str(tmp_path / "new.keras"),
        "options": {"epochs": 1, "units": 8, "embedding": 4, "batch_size": 8, "window": 16},
        "corpus_options": {},
    }
    training_process.run(request, training_process.Reporter(output))
    events = [json.loads(line) for line in output.getvalue().splitlines()]
    kinds = [event["kind"] for event in events]
    assert kinds[0] == "token" and kinds[-1] == "done" and {"step", "validation"} < {*kinds}
    validation = events[kinds.index("validation")]
    assert validation["validation_loss"] > 0 and isinstance(validation["sample"], str)
    assert events[-1]["file"] == "new.keras" and "nats" in events[-1]["score"]
    assert seqgen.load(tmp_path / "new.keras").generate(length=5)


def test_a_run_goes_on_when_nobody_reads() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    training_process.Reporter(Closed()).on_message("still here")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "files: expected either files or a text, got neither"),
        ({"text": "  \n"}, "files: expected either files or a text, got neither"),
        ({"text": "a", "files": [FILE]}, "files: expected either files or a text, got both"),
        ({"text": "a", "name": "../up"}, "name: expected letters, digits"),
        ({"text": "a", "name": "a/b"}, "name: expected letters, digits"),
        ({"text": "a", "minutes": 0}, "minutes: expected a number from 0.01"),
        ({"text": "a", "task": "poems"}, "task: expected one of text, music"),
        ({"files": [{**FILE, "data": "?"}]}, "files: expected bytes in base64"),
    ],
)
def test_requests_that_cannot_be_met_start_nothing(
    client: TestClient, options: dict[str, Any], message: str
) -> None:
    answer = client.post("/api/runs", json={"name": "new", "minutes": 1, **options})
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]
    assert client.get("/api/runs").json() == {"data": []}


def test_unknown_runs_are_not_found(client: TestClient) -> None:
    assert client.get("/api/runs/7/events").status_code == 404
    assert client.post("/api/runs/7/stop").status_code == 404


@pytest.mark.parametrize(
    "name", ["../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil.txt", "evil.txt"]
)
def test_names_of_files_lose_their_folders(tmp_path: Path, name: str) -> None:
    files = [{**FILE, "name": name}]
    assert write_corpus(tmp_path, "new", {"files": files}) == tmp_path / "new" / "evil.txt"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [
        tmp_path / "new" / "evil.txt"
    ]


def test_files_of_one_name_are_all_kept(tmp_path: Path) -> None:
    names = ["a.txt", "b/a.txt", "..", "c/"]
    source = write_corpus(tmp_path, "new", {"files": [{**FILE, "name": name} for name in names]})
    assert source == tmp_path / "new" and len(list(source.iterdir())) == 4


def test_a_text_becomes_a_file_and_options_are_passed(tmp_path: Path) -> None:
    path = write_corpus(tmp_path, "new", {"text": SENTENCE})
    assert path.read_text(encoding="utf-8") == SENTENCE
    assert corpus_options({"lines": True, "task": "text"}) == {"lines": True, "task": "text"}
    assert corpus_options({}) == {}
    with pytest.raises(ConfigError, match="neither"):
        write_corpus(tmp_path, "new", {})
