"""An image holds the whole piece, or none is written."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from seqgen.errors import OutputError
from seqgen.music.io import images
from seqgen.music.io.musicxml_writer import musicxml
from seqgen.music.io.read import read
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of


def long_piece(bars: int, parts: int = 1) -> Piece:
    notes = tuple(Note(96 * i, 96, 60 + i % 12) for i in range(bars))
    return Piece(parts * (Part(notes),), tuple(range(0, 96 * bars, 96)), 96 * bars)


def test_a_score_as_picture() -> None:
    piece = piece_of("G4/4 A4/4 B4/2")
    assert images.score(piece, "png").startswith(b"\x89PNG")
    svg = images.score(piece, "svg").decode()
    assert svg.count('class="notehead') == 3
    assert 0.01 < images._aspect_ratio(svg) < 1


def test_every_thread_draws() -> None:
    piece = piece_of("G4/4 A4/4 B4/2")
    images.score(piece, "svg")  # this thread imports verovio
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(images.score, piece, "svg").result().startswith(b"<svg")


def test_every_bar_is_drawn() -> None:
    svg = images.score(long_piece(60), "svg").decode()
    assert svg.count('class="notehead') == 60


def test_wide_keyboards_have_two_staves_and_rests_of_further_voices_are_not_drawn() -> None:
    wide = Note(0, 192, 72), Note(96, 96, 64), Note(0, 96, 36), Note(96, 96, 38)

    def drawn(*parts: Part) -> tuple[int, ...]:
        svg = images.score(Piece(parts, (0, 96), 192), "svg").decode()
        words = "staff", "grpSym", "notehead", "mRest", "rest"
        return tuple(svg.count(f'class="{word}') for word in words)

    empty, violin = Part(()), Part(wide[2:], 40)
    assert drawn(Part(wide)) == (4, 1, 5, 0, 0)  # in two bars, one note tied
    assert drawn(empty, violin, Part(wide), empty) == (6, 1, 7, 0, 0)
    assert drawn(Part(wide, 40)) == (2, 0, 5, 0, 0)
    assert (
        len(read("a.musicxml", musicxml(Piece((Part(wide),), (0, 96), 192))).pieces[0].parts) == 1
    )


def test_a_score_that_is_too_high_for_a_png_is_refused() -> None:
    """It fits on a page, so that the picture is drawn as .svg."""
    with pytest.raises(OutputError, match="a score of 600 bars is too long for one picture"):
        images.score(long_piece(600, parts=4), "png")


def test_what_one_page_cannot_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PAGE_HEIGHT", 2000)
    with pytest.raises(OutputError, match="a score of 60 bars is too long for one picture"):
        images.score(long_piece(60, parts=4), "svg")


def test_too_many_symbols_for_a_picture_are_refused() -> None:
    with pytest.raises(OutputError, match="a score of 10,001 notes is too long"):
        images.score(long_piece(10_001), "svg")
    silent = Piece((Part((Note(0, 24, 60),)),), tuple(range(0, 24 * 10_001, 24)), 24 * 10_001)
    with pytest.raises(OutputError, match="a score of 10,001 bars is too long"):
        images.score(silent, "svg")


def test_a_piano_roll_is_one_collection_however_many_notes_there_are() -> None:
    notes = tuple(Note(6 * i, 6, 40 + i % 50) for i in range(3000))
    piece = Piece((Part(notes), Part(notes[:10], 40)), (0,), 18_000)
    collection = images._rectangles(piece)
    assert len(collection.get_paths()) == 3010
    assert len({tuple(colour) for colour in collection.get_facecolors()}) == 2
    box = collection.get_paths()[1].get_extents()
    assert (box.x0, box.y0, box.y1) == pytest.approx((0.25, 40.6, 41.4))


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_piano_roll_shows_any_title(kind: str) -> None:
    for title in ("$", "$x^{", "a\x1bb", "A" * 10_000):
        assert images.piano_roll(replace(piece_of("C4/4"), title=title), kind)
    assert images.piano_roll(Piece((), (0,), 96), kind)
