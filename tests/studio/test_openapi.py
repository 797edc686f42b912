"""The description of the API is that of the API."""

import pytest
from starlette.testclient import TestClient

PATHS = {"/v1/completions": "words", "/v1/tunes": "tunes"}


@pytest.mark.parametrize("path", PATHS)
def test_every_documented_field_is_read(client: TestClient, path: str) -> None:
    description = client.get("/openapi.json").json()
    operation = description["paths"][path]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {"model", "seed", "temperature"} < schema["properties"].keys()
    for name in [*schema["properties"].keys() - {"model"}, "unknown"]:
        answer = client.post(path, json={"model": PATHS[path], name: {"not": "possible"}})
        message = answer.json()["error"]["message"]
        assert answer.status_code == 400
        is_unknown = message == f"{name!r} is not expected here"
        assert is_unknown == (name == "unknown"), message


def test_every_documented_path_answers(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            answer = client.request(method, path.replace("{model}", "words"))
            assert answer.status_code in (200, 400), path


def test_other_paths_and_methods_are_errors_in_json(client: TestClient) -> None:
    assert "expected a path of the studio" in client.get("/v2").json()["error"]["message"]
    answer = client.get("/v1/completions")
    assert answer.status_code == 405 and "another method" in answer.json()["error"]["message"]
