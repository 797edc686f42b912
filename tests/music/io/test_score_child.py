"""music21 reads in a process with limits: what it does there costs this process nothing."""

import pytest

from seqgen.errors import MusicError
from seqgen.music.io import score_child
from seqgen.music.io.read import read
from tests.fuzz.scores import MEI


def test_a_score_is_read() -> None:
    result = read("a.mei", MEI.encode())
    assert [note.pitch for note in result.pieces[0].notes] == [67, 69, 71, 64, 72]


def test_what_music21_cannot_read_is_a_reason() -> None:
    assert "cannot be read as music" in read("a.mei", b"<mei").reason


def test_a_score_that_takes_too_long_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(request: bytes, seconds: float) -> bytes:
        assert request.startswith(b'["a.nwc", true]\n') and seconds >= score_child.SECONDS
        raise score_child.CallError("takes more than 4 s")

    monkeypatch.setattr(score_child.CHILD, "call", call)
    assert read("a.nwc", b"x", expand_repeats=True).reason == (
        "cannot be read as music: the reader music21 takes more than 4 s"
    )


def test_the_answer_of_the_process_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_child.CHILD, "call", lambda request, seconds: b'{"pieces": 1}')
    with pytest.raises(MusicError, match="cannot be read as music: 'counts' is missing"):
        score_child.read_in_child("a.mei", b"")
    monkeypatch.setattr(score_child.CHILD, "call", lambda request, seconds: b'"is bad"')
    with pytest.raises(MusicError, match="is bad"):
        score_child.read_in_child("a.mei", b"")
