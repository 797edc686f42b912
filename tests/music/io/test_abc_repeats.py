"""Repeats, parts and jumps of ABC are played in the order that is written, never without end."""

import pytest

from seqgen.music.io.read import read
from tests.music.io.abc_files import HEAD, notes, result


def test_repeats_written_out() -> None:
    assert played("|:CD:|EF|") == "CDCDEF"
    assert played("CD:|EF:|") == "CDCDEFEF"
    assert played("|:C|1D:|2E||F:|") == "CDCEFF"
    assert played("|:C|1,3 D:|2 E:|4 F||") == "CDCECDCF"
    assert played("|:C::|D") == "CCCD"
    assert played("|:C|1D:|2E|\n|:F:|") == "CDCEFF"
    assert played("|:C|1D:|2E|\n:|F|") == "CDCEF"
    assert played("|:C-|C:|") == "CC"
    assert played("C|D||E|F:|G") == "CDEFEFG"  # from the double bar on
    assert played("C|D:|E||F:|G[|]A:|") == "CDCDEFFGAA"
    assert played("|:C||D:|E|:F|]G:|") == "CDCDEFGFG"  # but not within signs
    assert played("C||D|1E:|2F|]G:|") == "CDEDFGG"
    assert played("|:C[|]:|D|]") == "CCD"
    assert played("[V:1]|:C|1D:|2E|\n[V:2]|:G|A|B|") == "CGDACGEB"
    tempi = read("t.abc", b"X:1\nK:C\n|:[Q:1/4=60]C8|[Q:1/4=80]D8:|", expand_repeats=True)
    assert tempi.pieces[0].tempi == ((0, 60), (96, 80), (192, 60), (288, 80))


def played(body: str, head: str = HEAD + "K:C\n") -> str:
    """Return the letters of the notes that are played."""
    (piece,) = read("tune.abc", (head + body).encode(), expand_repeats=True).pieces
    return "".join("CDEFGAB"[[0, 2, 4, 5, 7, 9, 11].index(n.pitch % 12)] for n in piece.notes)


@pytest.mark.parametrize(
    ("order", "body", "expected"),
    [
        ("ABA2", "P:A\nCD|\nP:B\nEF|", "CDEFCDCD"),
        ("A.B", "P:A\nCD|\nP:B\nEF|", "CDEF"),
        ("A(BA)2", "[P:A]C|[P:B]D|", "CDCDC"),
        ("((A2)2B)2", "P:A\nC|\nP:B\nD|", "CCCCDCCCCD"),
        ("BA", "G|\nP:A\nC|\nP:B\nD|", "GDC"),  # what comes before the parts is played once
        ("ABA", "P:A\n|:C|1D:|2E||\nP:B\nF|", "CDCEFCDCE"),
        ("A", "P:A\nC|\nP:B\nD|", "C"),
        ("ABA", "P:A\nC|\nP:B\nD|\nP:A\nE|", "CDE"),  # written out
        ("AB", "P:A\nCD[P:B]EF|", "CDEF"),
        ("BA", "CD[P:A]E|F|[P:B]G|", "CDGEF"),  # within a bar
        ("BA", "[V:1][P:A]C|[P:B]D|\n[V:2]E|F|", "DFCE"),
        ("AA", "CD|", "CD"),
        ("BA", "P:A\nC|\nP:B\n", "C"),
    ],
)
def test_the_order_of_parts(order: str, body: str, expected: str) -> None:
    head = f"{HEAD}P:{order}\nK:C\n"
    assert "".join(sorted(played(body, head))) == "".join(sorted(expected))
    if "V:" not in body:
        assert played(body, head) == expected
    assert notes(body, head) == notes(body)  # as written


def test_an_order_that_nobody_writes() -> None:
    head = f"{HEAD}P:{'(' * 9}A{'9)' * 9}\nK:C\n"
    assert "an order of more than 100,000 parts" in result("P:A\nC", head).reason
    head = f"{HEAD}P:ABC\nK:C\n"
    tune = read("t.abc", f"{head}P:A\nC|\nP:B\nD|".encode(), expand_repeats=True)
    assert tune.counts["sections not found"] == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C|!fine!D|E|!D.C.!F|", "CDEFCD"),
        ("C|D !fine!|E|F !D.C.alfine!|", "CDEFCD"),
        ("C|D|!fine!E|F|!D.C.!", "CDEFCDE"),
        ("C|!segno!D|!fine!E|!D.S.!F|", "CDEFDE"),
        ("C|SD|E|F!D.S.!|G|", "CDEFDEFG"),
        ("C|!dacoda!D|E|!D.C.alcoda!F|!coda!G|", "CDEFCDG"),
        ("C|!coda!D|E|!D.C.!F|!coda!G|", "CDEFCDG"),
        ("C|OD|E|!D.C.!F|OG|", "CDEFCDG"),
        ('C|D "^Fine"|E|F "_D.C. al Fine"|', "CDEFCD"),
        ("C|D +fine+|E|F !D.C. al Fine!|", "CDEFCD"),
        ("|:C|1D:|2E|!fine!F|!D.C.!G|", "CDCEFGCEF"),  # without repeats
        ("U:W = !D.C.!\nC|D W|", "CDCD"),
        ("[V:1]C|D|\n[V:2]!fine!G|!D.C.!A|", "CGDACG"),
        ("C|!D.S.!D|", "CD"),
        ("C|!dacoda!D|!D.C.!E|", "CDECDE"),
    ],
)
def test_jumps(body: str, expected: str) -> None:
    assert played(body) == expected


def test_repeats_without_end_are_refused() -> None:
    tune = HEAD + "K:C\n|:" + "C|" * 4000 + "[1-32" + " C:|" * 2 + "\n"
    assert "bars" in read("t.abc", tune.encode(), expand_repeats=True).reason


def test_endings_that_are_never_played() -> None:
    tune = HEAD + "K:C\n[2 CDEF|]"
    result_ = read("t.abc", tune.encode(), expand_repeats=True)
    assert result_.reason == "holds no notes that can be played"
