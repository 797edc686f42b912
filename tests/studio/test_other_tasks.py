"""Labels and pictures over HTTP."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import seqgen
from seqgen.studio.app import create_app
from seqgen.studio.library import Library
from tests.studio.conftest import ADDRESS


def test_the_label_moves_along_the_text(classifier: Path) -> None:
    client = TestClient(create_app(Library([classifier])), base_url=ADDRESS)
    found = client.post("/api/labels", json={"model": "labels", "text": "good yes"}).json()
    model = seqgen.load(classifier)
    course = model.explain("good yes")
    assert found["label"] == model.classify("good yes")[0].label
    assert found["steps"] == course.steps and len(found["course"]) == len(course.steps)
    np.testing.assert_allclose(found["course"], course.probabilities, atol=1e-4)
    empty = client.post("/api/labels", json={"model": "labels", "text": " "})
    assert empty.status_code == 400 and "got an empty one" in empty.text


def test_pictures_are_drawn_and_completed(striped: Path) -> None:
    client = TestClient(create_app(Library([striped])), base_url=ADDRESS)
    drawn = client.post("/api/pictures", json={"model": "striped", "n": 3, "seed": 1}).json()
    expected = list(seqgen.load(striped).pictures(3, seed=1))
    for found, picture in zip(drawn["data"], expected, strict=True):
        image = Image.open(io.BytesIO(base64.b64decode(found["png"])))
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), picture.pixels)
    primer = drawn["data"][0]["png"]
    done = client.post("/api/pictures", json={"model": "striped", "primer": primer, "seed": 2})
    image = Image.open(io.BytesIO(base64.b64decode(done.json()["data"][0]["png"])))
    upper = len(expected[0].pixels) // 2
    np.testing.assert_array_equal(
        np.asarray(image.convert("RGB"))[:upper], expected[0].pixels[:upper]
    )


@pytest.mark.parametrize(("primer", "message"), [("?", "base64"), ("aGVsbG8=", "primer.png")])
def test_files_that_are_no_pictures_are_refused(striped: Path, primer: str, message: str) -> None:
    client = TestClient(create_app(Library([striped])), base_url=ADDRESS)
    answer = client.post("/api/pictures", json={"model": "striped", "primer": primer})
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]
    assert "/tmp" not in answer.text


def test_models_of_other_tasks_are_refused(client: TestClient) -> None:
    for path, more in (("/api/labels", {"text": "a"}), ("/api/pictures", {})):
        answer = client.post(path, json={"model": "words", **more})
        assert "got one of text; choose another model" in answer.json()["error"]["message"]
