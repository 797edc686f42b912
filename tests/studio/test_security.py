"""What reaches the studio, and what does not."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from seqgen.errors import ConfigError
from seqgen.studio.app import create_app
from seqgen.studio.library import Library
from tests.studio.conftest import ADDRESS

SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", ""]
)
def test_names_that_other_sites_could_have_are_refused(client: TestClient, host: str) -> None:
    for path in ("/", "/v1/models", "/static/main.js"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == 403
        assert "host: expected a name of this server" in answer.json()["error"]["message"]


@pytest.mark.parametrize("host", ["127.0.0.1:8484", "localhost:1", "[::1]:8484"])
def test_names_of_this_machine_are_known(client: TestClient, host: str) -> None:
    assert client.get("/v1/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "http://localhost:8484"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": ADDRESS, "sec-fetch-site": "same-origin"}, 404),
        ({}, 404),
    ],
)
def test_requests_of_other_sites_are_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/v1/completions", json={"model": "unknown"}, headers=headers)
    assert answer.status_code == status


def test_a_form_of_another_site_cannot_send_json(client: TestClient) -> None:
    answer = client.post("/v1/completions", data={"model": "words"})
    assert answer.status_code == 400


def test_another_host_needs_a_token(model_folder: Path) -> None:
    with pytest.raises(ConfigError, match="expected a token too, got none; add --token"):
        create_app(Library([model_folder]), host="0.0.0.0")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Bearer secret", 200),
        ("bearer secret", 200),
        ("Bearer secre", 401),
        ("Bearer secret1", 401),
        ("Basic secret", 401),
        ("Bearer sécret".encode("latin-1"), 401),
        (None, 401),
    ],
)
def test_the_token_is_asked_for(model_folder: Path, given: Any, status: int) -> None:
    app = create_app(Library([model_folder]), host="0.0.0.0", token="secret")
    headers = {} if given is None else {"authorization": given}
    client = TestClient(app, base_url="http://192.168.0.7:8484")
    for path in ("/v1/models", "/api/library", "/api/runs"):
        assert client.get(path, headers=headers).status_code == status
    assert client.get("/", headers=headers).status_code == 200  # the page itself is no secret
    named = client.get("/v1/models", headers={**headers, "host": "evil.example"})
    assert named.status_code == 403


@pytest.mark.parametrize("path", ["/", "/docs", "/static/main.js", "/v1/models", "/nothing"])
def test_every_response_has_a_strict_policy(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in
                  headers["content-security-policy"].split(";"))  # fmt: skip
    assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
        "/v1/models/..%2f..%2fwords",
        "/v1/models//etc/passwd",
    ],
)
def test_paths_do_not_leave_their_folder(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


@pytest.mark.parametrize("name", ["/etc/passwd", "../words", "words.keras", "", "\0", SCRIPT])
def test_names_of_models_are_never_paths(client: TestClient, name: str) -> None:
    for path, more in (("/v1/completions", {}), ("/v1/tunes", {}), ("/api/copies", {"text": ""}),
                       ("/api/labels", {"text": "a"}), ("/api/pictures", {})):  # fmt: skip
        answer = client.post(path, json={"model": name, **more})
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/json"


def test_a_primer_is_never_a_path(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "tune.mid"
    midi = client.post("/v1/tunes", json={"model": "tunes", "bars": 2},
                       headers={"accept": "audio/midi"}).content  # fmt: skip
    path.write_bytes(midi)
    answer = client.post("/v1/tunes", json={"model": "tunes", "bars": 2, "primer": str(path)})
    assert answer.status_code == 400
    assert "notes: expected something like" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "size"),
    [("/v1/completions", 2 << 20), ("/v1/tunes", 9 << 20), ("/api/music?name=a.mid", 5 << 20)],
)
def test_large_requests_are_refused(client: TestClient, path: str, size: int) -> None:
    answer = client.post(path, content=b" " * size, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    said = client.post(path, content=iter([b"{"]), headers={
        "content-type": "application/json", "content-length": str(1 << 40)})  # fmt: skip
    assert said.status_code == 413
