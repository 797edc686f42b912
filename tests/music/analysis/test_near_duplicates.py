from dataclasses import replace

from seqgen.music.analysis.near_duplicates import families
from seqgen.music.piece import Piece
from seqgen.music.pitch_names import piece_of

TUNE = (
    "C4/8 E4/8 G4/8 C5/8 B4/4 A4/4 G4/8 F4/8 E4/8 D4/8 E4/4 G4/4 "
    "A4/8 B4/8 C5/8 D5/8 E5/4 C5/4 B4/8 A4/8 G4/8 F#4/8 G4/2"
)
OTHER = "D4/4 D4/8 F4/8 A4/4 F4/4 E4/2 C4/2 D4/8 E4/8 F4/8 G4/8 A4/2 D5/4 C5/4 A4/2"


def tune(text: str, pick_up: str = "") -> Piece:
    """Return notes after a pick-up, in bars of 4/4."""
    piece = piece_of(f"{pick_up} {text}")
    start = piece_of(pick_up).length if pick_up else 0
    bars = (*({0} if start else ()), *range(start, piece.length, 96))
    return replace(piece, bars=bars, length=bars[-1] + 96)


def same(*pieces: Piece) -> bool:
    return len(set(families(pieces).tolist())) == 1


def test_the_same_tune_in_another_key() -> None:
    assert same(tune(TUNE), tune(TUNE).transposed(3))
    assert not same(tune(TUNE), tune(OTHER))


def test_a_pick_up_makes_no_difference() -> None:
    plain, short, long = tune(TUNE), tune(TUNE, "G4/8"), tune(TUNE, "A4/16 B4/16 G4/8")
    assert same(plain, short, long)
    assert not same(tune(TUNE, "G4/8"), tune(OTHER, "G4/8"))


def test_tunes_that_differ_only_at_the_beginning() -> None:
    one, other = tune(f"G4/1 {TUNE} {TUNE}"), tune(f"E4/4 C4/4 E4/4 F4/4 {TUNE} {TUNE}")
    assert same(one, other)


def test_near_duplicates_are_transitive() -> None:
    first = tune(f"{TUNE} {TUNE}")
    second = tune(f"A4/1 {TUNE} {TUNE} {OTHER} {OTHER}")
    third = tune(f"{OTHER} {OTHER}")
    pieces = first, tune("C4/1 G4/1"), third, second
    assert families(pieces).tolist() == [0, 1, 0, 0]


def test_repeated_notes_and_figures_do_not_count() -> None:
    for figure in ("C4/8 " * 40, "C4/8 G4/8 E4/8 G4/8 " * 10):
        assert not same(tune(f"A4/2 G4/2 {figure}"), tune(f"C5/4 D4/4 E4/2 {figure}"))


def test_articulation_makes_no_difference() -> None:
    piece = tune(TUNE)
    (part,) = piece.parts
    notes = tuple(note._replace(duration=note.duration // 2) for note in part.notes)
    assert same(piece, replace(piece, parts=(replace(part, notes=notes),)))
    swung = tuple(
        note._replace(start=note.start + 6 * (number % 2)) for number, note in enumerate(part.notes)
    )
    assert not same(piece, replace(piece, parts=(replace(part, notes=swung),)))
