"""Files from outside."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.pitch_names import piece_of
from tests.studio.conftest import SAVED


def test_music_becomes_a_primer(client: TestClient) -> None:
    data = midi_bytes(piece_of("G4/4 A4/4 B4/2"))
    found = client.post("/api/music?name=tune.mid", content=data).json()
    piece = found["pieces"][0]
    answer = client.post("/v1/tunes", json={"model": "tunes", "bars": 2, "primer": piece})
    assert answer.status_code == 200
    numbers = answer.json()["data"][0]["piece"]["parts"][0][2]
    assert numbers[2::4][:3] == [67, 69, 71]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("tune.mid", b"", "tune.mid is empty"),
        ("tune.mid", b"RIFF", "tune.mid is no MIDI file"),
        ("<script>.mid", b"RIFF", "<script>.mid is no MIDI file"),
        ("tune.txt", b"hello", "is no music that seqgen can tell"),
        ("", b"MThd", "name: expected the name of the file"),
    ],
)
def test_files_that_are_no_music_are_refused(
    client: TestClient, name: str, data: bytes, message: str
) -> None:
    answer = client.post("/api/music", params={"name": name}, content=data)
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]


def test_a_model_is_added_and_used(own_client: TestClient) -> None:
    data = (SAVED / "text-0.1.keras").read_bytes()
    for name in ("new", "new-1"):  # nothing is overwritten
        answer = own_client.post("/api/library?name=new.keras", content=data)
        assert answer.status_code == 201 and answer.json()["id"] == name
    answer = own_client.post("/v1/completions", json={"model": "new-1", "prompt": "The "})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("new.txt", "expected a file that ends in .keras, got 'new.txt'"),
        ("../../new.txt", "expected a file that ends in .keras, got 'new.txt'"),
        (".hidden.keras", "expected the name of a file, got '.hidden.keras'"),
        ("new.keras", "new.keras: expected a .keras file made by seqgen train"),
    ],
)
def test_files_that_are_no_models_leave_nothing(
    own_client: TestClient, name: str, message: str
) -> None:
    folder: Path = own_client.folder  # type: ignore[attr-defined]
    before = sorted(folder.parent.rglob("*"))
    answer = own_client.post("/api/library", params={"name": name}, content=b"PK\3\4")
    assert answer.status_code == 400 and message in answer.json()["error"]["message"]
    assert sorted(folder.parent.rglob("*")) == before


def test_the_name_of_a_model_loses_its_folders(own_client: TestClient) -> None:
    folder: Path = own_client.folder  # type: ignore[attr-defined]
    data = (SAVED / "text-0.1.keras").read_bytes()
    for name in ("../../up.keras", "..\\..\\down.keras", "/tmp/over.keras"):
        answer = own_client.post("/api/library", params={"name": name}, content=data)
        assert answer.status_code == 201
    assert {"up.keras", "down.keras", "over.keras"} <= {path.name for path in folder.iterdir()}
