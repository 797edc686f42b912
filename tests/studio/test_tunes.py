"""Tunes over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

import seqgen
from seqgen.music.io.read import read
from seqgen.music.io.result import piece_from_json, piece_to_json
from seqgen.music.piece import Piece
from seqgen.music.pitch_names import piece_of

OPTIONS = {"bars": 4, "key": "G", "meter": "6/8", "seed": 3}


def ask(client: TestClient, **options: Any) -> dict[str, Any]:
    answer = client.post("/v1/tunes", json={"model": "tunes", **options})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def error(client: TestClient, **options: Any) -> str:
    answer = client.post("/v1/tunes", json={"model": "tunes", **options})
    assert answer.status_code == 400
    return str(answer.json()["error"]["message"])


def test_a_tune_is_that_of_the_library(client: TestClient, model_folder: Path) -> None:
    found = ask(client, **OPTIONS, n=2, tempo=90, instrument="fiddle")["data"]
    model = seqgen.load(model_folder / "tunes.keras")
    expected = model.pieces(2, **OPTIONS, tempo=90, instrument="fiddle")
    assert [piece_from_json(each["piece"]) for each in found] == [e.piece for e in expected]
    assert [each["seed"] for each in found] == [3, 3]


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("audio/midi", "a.mid"),
        ("application/vnd.recordare.musicxml+xml", "a.musicxml"),
        ("text/vnd.abc;q=0.9, text/html", "a.abc"),
    ],
)
def test_the_header_accept_chooses_the_format(client: TestClient, accept: str, name: str) -> None:
    answer = client.post(
        "/v1/tunes", json={"model": "tunes", **OPTIONS}, headers={"accept": accept}
    )
    assert answer.headers["x-seed"] == "3"
    piece = read(name, answer.content).pieces[0]
    same = piece_from_json(ask(client, **OPTIONS)["data"][0]["piece"])
    assert [note[:3] for note in piece.notes] == [note[:3] for note in same.notes]


@pytest.mark.parametrize(("form", "start"), [("wav", b"RIFF"), ("roll", b"\x89PNG")])
def test_a_piece_becomes_a_file(client: TestClient, form: str, start: bytes) -> None:
    piece = piece_to_json(piece_of("G4/4 A4/4 B4/2"))
    answer = client.post("/api/render", json={"piece": piece, "format": form})
    assert answer.status_code == 200 and answer.content.startswith(start)
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("seed", range(6))
def test_bars_are_written_again(client: TestClient, seed: int) -> None:
    tune = ask(client, bars=6, meter="6/8", seed=seed, temperature=1.2)["data"][0]["piece"]
    others = [
        ask(client, primer=tune, keep_bars=4, bars=3, seed=seed)["data"][0]["piece"]
        for seed in range(4)
    ]
    end = tune["bars"][4]

    def until(piece: Piece) -> list[Any]:
        return [note for note in piece.notes if note.start < end]

    kept = until(piece_from_json(tune))
    assert kept
    for other in others:
        assert until(piece_from_json(other)) == kept
        assert other["bars"][:5] == tune["bars"][:5]
    assert len({str(other) for other in others}) > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bars": 0}, "bars: expected a whole number from 1 to 256, got 0"),
        ({"key": "H#"}, "key: expected"),
        ({"meter": "5/7"}, "meter: expected"),
        ({"range": "G9-C1"}, "range: expected"),
        ({"instrument": "kazoo orchestra"}, "instrument: expected"),
        ({"primer": "hello"}, "notes: expected something like"),
        ({"primer": {"parts": []}}, "primer: 'bars' is missing"),
        ({"primer": 3}, "primer: expected a text"),
        ({"keep_bars": 2}, "keep_bars: expected fewer than the 0 bars of the primer, got 2"),
        ({"primer": "G4/1", "keep_bars": 1}, "keep_bars: expected fewer than the 1 bars"),
        ({"seed": 1.5}, "seed: expected a whole number"),
        ({"tempo": 10_000}, "tempo: expected 4 to 1000 quarters a minute"),
        ({"title": "x"}, "'title' is not expected here"),
    ],
)
def test_errors_say_what_was_expected(
    client: TestClient, options: dict[str, Any], message: str
) -> None:
    assert message in error(client, **options)


def test_several_tunes_are_no_single_file(client: TestClient) -> None:
    answer = client.post(
        "/v1/tunes", json={"model": "tunes", "n": 2}, headers={"accept": "audio/midi"}
    )
    assert "n: expected 1 for a file of midi, got 2" in answer.json()["error"]["message"]
    answer = client.post("/v1/tunes", json={"model": "tunes"}, headers={"accept": "text/html"})
    assert "accept: expected one of application/json, audio/midi" in answer.text


def test_a_model_of_text_composes_nothing(client: TestClient) -> None:
    assert "expected one of music, got one of text" in error(client, model="words")
