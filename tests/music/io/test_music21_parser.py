"""While a thread reads a score, other threads see music21 as it is."""

import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from music21 import converter, environment, exceptions21, meter, note, stream

from seqgen.errors import MusicError
from seqgen.music.io import music21_parser

TUNE = "X:1\nM:4/4\nL:1/8\nK:C\nCDEFGABc|\n"


@contextmanager
def reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Another thread that is in the middle of reading, after it issued two warnings."""
    started, resume = threading.Event(), threading.Event()
    counts: Counter[str] = Counter()
    parse = converter.parse

    def slow_parse(*arguments: Any, **options: Any) -> Any:
        environment.Environment("test").warn("here")
        warnings.warn("here", exceptions21.Music21DeprecationWarning, stacklevel=1)
        with pytest.raises(MusicError, match="a meter that nobody writes"):
            meter.TimeSignature("200/4")
        started.set()
        assert resume.wait(60)
        return parse(*arguments, **options)

    monkeypatch.setattr(converter, "parse", slow_parse)
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(music21_parser.scores, path, counts)
        try:
            assert started.wait(60), task.result()
            yield counts
        finally:
            resume.set()
        (score,) = task.result()
    assert len(score.recurse().notes) == 8
    assert not any(each.beams.beamsList for each in score.recurse().notes)


def beamed() -> list[bool]:
    part = stream.Part(
        [meter.TimeSignature("2/4"), *(note.Note(quarterLength=0.5) for _ in "1234")]
    )
    part.makeMeasures(inPlace=True)
    part.makeBeams(inPlace=True)
    return [bool(each.beams.beamsList) for each in part.recurse().notes]


def test_another_thread_is_not_affected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tune.abc"
    path.write_text(TUNE)
    with reading(path, monkeypatch) as counts:
        assert counts["music21 warnings"] == 2
        assert beamed() == [True] * 4
        assert meter.TimeSignature("200/4").numerator == 200
        environment.Environment("test").warn("there")
        with pytest.warns(exceptions21.Music21DeprecationWarning) as warned:
            warnings.warn("there", exceptions21.Music21DeprecationWarning, stacklevel=1)
        assert warned[0].filename == __file__
        assert counts["music21 warnings"] == 2
    assert "there" in capsys.readouterr().err


def test_music21_is_as_before_after_reading(tmp_path: Path) -> None:
    owners = (stream.Part, "makeBeams"), (meter.TimeSignature, "load")
    owners += (environment.Environment, "warn"), (sys.modules["warnings"], "warn")
    before = [getattr(owner, name) for owner, name in owners]
    (tmp_path / "bad.abc").write_text("X:1\nM:4/4\nK:C\n[[[(((||[\n")
    with pytest.raises(Exception, match="Bad chord"):
        music21_parser.scores(tmp_path / "bad.abc", Counter())
    assert [getattr(owner, name) for owner, name in owners] == before
