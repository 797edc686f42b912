"""The published measures against values calculated by hand."""

from dataclasses import replace

import pytest

from seqgen.music.analysis import measures
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of
from seqgen.music.signatures import Key

DRUMS = Part((Note(0, 6, 36), Note(90, 6, 99)), is_drums=True)


def test_entropy_of_pitch_classes() -> None:
    assert measures.pitch_class_entropy(piece_of("C4/4 C5/4 C6/4 C3/4")) == 0
    # a half, a quarter and a quarter: 0.5 * 1 + 2 * 0.25 * 2 bits
    assert measures.pitch_class_entropy(piece_of("C4/4 C5/4 D4/4 E4/4")) == pytest.approx(1.5)


def test_range_and_scales_leave_drums_out() -> None:
    piece = piece_of("C4/4 G4/4 F#4/4 C5/4")
    piece = replace(piece, parts=(*piece.parts, DRUMS), keys=((0, Key(0)),))
    assert measures.pitch_range(piece) == 12
    assert measures.in_key_share(piece) == 0.75
    assert measures.scale_consistency(piece) == 1  # C, G and F# lie in G major
    assert measures.in_key_share(replace(piece, keys=())) == 1


def test_groove_of_two_bars() -> None:
    # Onsets at sixteenths 0 4 8 12 and 0 8 12: one of sixteen differs.
    piece = piece_of("C4/4 C4/4 C4/4 C4/4 C4/2 C4/4 C4/4")
    assert measures.groove_consistency(piece) == 1 - 1 / 16
    same = piece_of("C4/4 E4/2. G4/4 C5/2.")
    assert measures.groove_consistency(same) == 1
    assert measures.groove_consistency(piece_of("C4/1")) == 1


def test_empty_bars_are_those_where_no_note_sounds() -> None:
    held = Piece((Part((Note(0, 192, 60), Note(288, 96, 62))),), (0, 96, 192, 288), 384)
    assert measures.empty_bars(held) == 0.25
    assert measures.empty_bars(replace(held, parts=())) == 1


def test_overlap_and_histograms() -> None:
    one = measures.histogram([piece_of("C4/4 D4/4"), piece_of("C4/4 C4/4")], measures.pitch_classes)
    assert one == {0: 0.75, 2: 0.25}
    other = measures.histogram([piece_of("D4/4 E4/4")], measures.pitch_classes)
    assert measures.overlap(one, other) == 0.25
    assert measures.overlap(one, one) == 1
    assert measures.intervals(piece_of("C4/4 E4/4 D4/4")) == [4, -2]


def test_full_bars_leave_a_pick_up_out() -> None:
    tune = Piece((Part((Note(0, 264, 60),)),), (0, 24, 120, 168), 264)
    assert measures.full_bars(tune) == pytest.approx(2 / 3)


def test_returning_bars_are_the_same_as_an_earlier_one() -> None:
    assert measures.returning_bars(piece_of("C4/1 C4/1 D4/1 C4/1")) == 0.5
    assert measures.returning_bars(piece_of("C4/1 C5/1 D4/1 E4/1")) == 0
    bar = [Note(0, 48, 60), Note(48, 48, 62)]
    later = [Note(192, 48, 60), Note(240, 48, 62)]
    silent = Piece((Part((*bar, *later)),), (0, 96, 192), 288)  # the rest does not count
    assert measures.returning_bars(silent) == pytest.approx(1 / 3)
    other = replace(silent, parts=(Part(tuple(bar)), Part(tuple(later))))
    assert measures.returning_bars(other) == 0
