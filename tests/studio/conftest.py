"""A studio with a model of text and one of music, in this process."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqgen import load_corpus, train
from seqgen.studio.app import create_app
from seqgen.studio.library import Library
from tests.tasks.images.conftest import striped

__all__ = ["striped"]  # a fixture

SAVED = Path(__file__).parents[1] / "saved"
ADDRESS = "http://127.0.0.1:8484"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the models `words` and `tunes`, and with a damaged one."""
    folder = tmp_path_factory.mktemp("library")
    shutil.copy(SAVED / "text-0.1.keras", folder / "words.keras")
    shutil.copy(SAVED / "music-0.1.keras", folder / "tunes.keras")
    (folder / "damaged.keras").write_bytes(b"PK\3\4 no model")
    return folder


@pytest.fixture(scope="session")
def client(model_folder: Path) -> Iterator[TestClient]:
    """A client of a studio that no test changes."""
    with TestClient(create_app(Library([model_folder])), base_url=ADDRESS) as client:
        yield client


@pytest.fixture
def own_client(model_folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client of a studio of one test, with a library of its own."""
    folder = tmp_path / "library"
    shutil.copytree(model_folder, folder)
    with TestClient(create_app(Library([folder])), base_url=ADDRESS) as client:
        client.folder = folder  # type: ignore[attr-defined]
        yield client


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an untrained classifier of texts."""
    folder = tmp_path_factory.mktemp("labels")
    rows = "".join(f"good {i} yes,positive\nbad {i} no,negative\n" for i in range(40))
    (folder / "reviews.csv").write_text(f"text,label\n{rows}")
    corpus = load_corpus(folder / "reviews.csv")
    train(corpus, epochs=0.1, units=8, embedding=4, batch_size=8).save(folder / "labels.keras")
    return folder / "labels.keras"
