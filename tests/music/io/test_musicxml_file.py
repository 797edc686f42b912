"""MusicXML is read in every form in which programs write it, and refused with a reason."""

import io
import zipfile

import pytest

from seqgen.music.io.read import is_music, read
from tests.music.io.musicxml_files import note, score

SCORE = '<?xml version="1.0"{}?>' + score([note("C5")])


def archive(*names: str, container: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        if container:
            zipped.writestr(
                "META-INF/container.xml",
                f'<container><rootfile full-path="{container}"/></container>',
            )
        for name in names:
            zipped.writestr(name, SCORE.format("") if name == "a/score 1.xml" else "<nothing/>")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.musicxml", SCORE.format("").encode()),
        ("a.xml", SCORE.format("").encode("utf-8-sig")),
        ("a.xml", SCORE.format(' encoding="UTF-16"').encode("utf-16")),
        ("a.xml", SCORE.format(' encoding="UTF-8"').encode("utf-16")),  # which it does not say
        ("a.xml", SCORE.format(' encoding="UTF-8"').encode("utf-16-le")),
        ("a.xml", SCORE.format(' encoding="UTF-16"').encode()),
        ("a.musicxml", SCORE.format(' encoding="ISO-8859-1"').encode("latin-1")),
        ("a.xml", SCORE.format("").replace("?>", '?><!DOCTYPE x SYSTEM "x">').encode()),
        ("a.xml", SCORE.format("").replace("partwise>", 'partwise xmlns="x">', 1).encode()),
        ("a.mxl", archive("a/score 1.xml", container="a/score 1.xml")),
        ("a.mxl", archive("b.xml", "a/score 1.xml", container="a/score 1.xml")),
        ("a.mxl", archive("text.txt", "a/score 1.xml")),
        ("a.xml", archive("a/score 1.xml", container="a/score 1.xml")),
        ("a.musicxml", archive("a/score 1.xml")),
        ("a.mxl", archive("__MACOSX/._s.xml", "a/._s.xml", "a/score 1.xml")),
        ("a.mxl", archive("s.pdf", "a/score 1.xml", container="s.pdf")),
        ("a.mxl", archive("a/score 1.xml", container='"broken')),
        # texts with bytes that the encoding does not have, controls, and entities of HTML
        ("a.xml", SCORE.format("").replace("name>0", "name>Fl\xf6te").encode("latin-1")),
        ("a.xml", SCORE.format("").replace("name>0", "name>A \x0b & B&eacute;").encode()),
        ("a.xml", SCORE.format("").replace("<step>C", "<step>c").encode()),
    ],
)  # fmt: skip
def test_every_form_of_file(name: str, data: bytes) -> None:
    assert is_music(name, data[:512])
    (found,) = read(name, data).pieces
    assert [each[:3] for each in found.notes] == [(0, 24, 72)]


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (BOMB.encode() + SCORE.format("").partition("?>")[2].encode(), "declares entities"),
        ((BOMB + "<score-partwise/>").encode("utf-16"), "declares entities"),
        (b"<!\x01ENTITY a><score-partwise>&</score-partwise>", "declares entities"),
        (b"<score-partwise><part", "cannot be read as music"),
        (b"PK\x03\x04broken", "cannot be read as music"),
        (b"PK\x03\x04" + archive("a.xml")[40:], "cannot be read as music"),
        (archive("text.txt"), "the archive holds no score"),
        (b"<opus/>", "is no score: its root is <opus>"),
        (b"<score-partwise/>", "holds no notes"),
        (score([note("C4", "1e999999999")]).encode(), "expected a number, got '1e999999999'"),  # type: ignore[arg-type]
        (score([note("C4", 999_999_999)]).encode(), "lasts 124,999,999 bars"),
        (score([note("C4")]).replace("<step>C", "<step>H").encode(), "without a step from A to G"),
        (score([note("C4")]).replace("<divisions>2", "<divisions>0").encode(), "divisions"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(data: bytes, reason: str) -> None:
    assert reason in read("score.musicxml", data).reason


def test_an_archive_that_unpacks_to_more_than_a_score_may_have() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped,
        zipped.open("a.xml", "w") as file,
    ):
        for _ in range(101):
            file.write(bytes(1_000_000))
    assert "expected at most 100,000,000" in read("a.mxl", buffer.getvalue()).reason
