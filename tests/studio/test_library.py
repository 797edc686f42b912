"""The models of a studio."""

import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqgen.errors import ModelFileError
from seqgen.studio.library import Library, UnknownModelError
from tests.studio.conftest import SAVED


def test_the_page_lists_models_and_says_which_are_damaged(client: TestClient) -> None:
    found = {each["id"]: each for each in client.get("/api/library").json()["data"]}
    assert set(found) == {"damaged", "tunes", "words"}
    assert found["words"]["task"] == "text" and found["words"]["bytes"] > 0
    assert "nats" in found["words"]["score"]
    assert "6/8" in found["tunes"]["meters"]
    assert "expected a .keras file made by seqgen train" in found["damaged"]["error"]


def test_a_model_is_loaded_once_until_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "words.keras"
    shutil.copy(SAVED / "text-0.1.keras", path)
    library = Library([tmp_path])
    entry = library.get("words")
    first = entry.load()
    assert entry.load() == first
    shutil.copy(SAVED / "music-0.1.keras", path)
    assert entry.load().data.task == "music"
    library.close()


def test_models_come_and_go(tmp_path: Path) -> None:
    library = Library([tmp_path])
    assert library.entries() == []
    path = tmp_path / "words.keras"
    shutil.copy(SAVED / "text-0.1.keras", path)
    assert library.get("words").path == path
    path.unlink()
    assert library.entries() == []
    with pytest.raises(UnknownModelError, match="expected one of none, got 'words'"):
        library.get("words")


def test_models_of_the_same_name_are_numbered(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        shutil.copy(SAVED / "text-0.1.keras", tmp_path / folder / "words.keras")
    library = Library([tmp_path / "a", tmp_path / "b"])
    assert [entry.name for entry in library.entries()] == ["words", "words-2"]
    named = Library([tmp_path / "a" / "words.keras"])
    added = named.new_path("new.keras")
    shutil.copy(SAVED / "text-0.1.keras", added)
    assert named.at(added).name == "new"
    assert [entry.name for entry in named.entries()] == ["words", "new"]


def test_paths_that_do_not_exist_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file or folder"):
        Library([tmp_path / "nothing"])
