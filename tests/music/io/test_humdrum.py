"""Humdrum: spines, times, ties, signatures, and what is refused or counted."""

from fractions import Fraction

import pytest

from seqgen.music.io.read import read
from seqgen.music.io.result import ReadResult
from seqgen.music.signatures import Key, Meter


def result(lines: str, *, expand_repeats: bool = False) -> ReadResult:
    """Read a file whose fields are separated by spaces here; `&` stands for a space in a chord."""
    text = "\n".join("\t".join(line.split()).replace("&", " ") for line in lines.split("\n"))
    return read("score.krn", text.encode(), expand_repeats=expand_repeats)


def notes(lines: str) -> list[tuple[int, int, int]]:
    (piece,) = result(lines).pieces
    return [note[:3] for note in piece.notes]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("**kern\n4c\n8dd#/L\n8BB-\\J\n*-", [(0, 24, 60), (24, 12, 75), (36, 12, 46)]),
        ("**kern\n4.c\n8r\n2..d", [(0, 36, 60), (48, 84, 62)]),
        ("**kern\n0c\n00d\n3%2e", [(0, 192, 60), (192, 384, 62), (576, 64, 64)]),
        ("**kern\n12c\n12d\n12e\n6f", [(0, 8, 60), (8, 8, 62), (16, 8, 64), (24, 16, 65)]),
        ("**kern\n2c&2e\n4d", [(0, 48, 60), (0, 48, 64), (48, 24, 62)]),
        ("**kern\n4c\nqd\n8qqe\n4f", [(0, 24, 60), (24, 24, 65)]),
        ("**kern\n[4c\n=\n4c_\n=\n4c]\n4c", [(0, 72, 60), (72, 24, 60)]),
        ("**kern\n[2c&2e\n2c]&2e", [(0, 48, 64), (0, 96, 60), (48, 48, 64)]),
        # several spines, and those of another kind
        ("**kern **kern\n2C 4c\n. 4d", [(0, 24, 60), (0, 48, 48), (24, 24, 62)]),
        ("**kern **dynam\n2C p\n. f\n4D .", [(0, 48, 48), (48, 24, 50)]),
        ("**text **kern\nla 4c\n- 4d", [(0, 24, 60), (24, 24, 62)]),
        # a split, into three, and joined
        (
            "**kern\n4c\n*^\n*\t*^\n4c 4e 4g\n4d 4f 4a\n*v *v *v\n4c",
            [(0, 24, 60), (24, 24, 60), (24, 24, 64), (24, 24, 67), (48, 24, 62), (48, 24, 65),
             (48, 24, 69), (72, 24, 60)],
        ),
        ("**kern\n*^\n2c 4e\n. 4f\n*v *v\n4g",
         [(0, 24, 64), (0, 48, 60), (24, 24, 65), (48, 24, 67)]),
        # joins of two neighbours in one line
        ("**kern **kern\n*^ *^\n4C 4E 4c 4e\n*v *v *v *v\n4D 4d",
         [(0, 24, 48), (0, 24, 52), (0, 24, 60), (0, 24, 64), (24, 24, 50), (24, 24, 62)]),
        # a voice that is silent after the split, and one that ends before the other
        ("**kern **kern\n2C 4c\n* *^\n. 4d .\n4D 4e 4g\n* *v *v\n2E 2f",
         [(0, 24, 60), (0, 48, 48), (24, 24, 62), (48, 24, 50), (48, 24, 64), (48, 24, 67),
          (72, 48, 52), (72, 48, 65)]),
        # exchanged, added and ended spines
        ("**kern **kern\n[4C 4c\n*x *x\n4d 4C]", [(0, 24, 60), (0, 48, 48), (24, 24, 62)]),
        ("**kern\n4c\n*+\n* **kern\n4d 4g\n* *-\n4e",
         [(0, 24, 60), (24, 24, 62), (24, 24, 67), (48, 24, 64)]),
        # a bar that one spine does not fill
        ("**kern **kern\n=1 =1\n2C 4c\n=2 =2\n4D 4d",
         [(0, 24, 60), (0, 48, 48), (48, 24, 50), (48, 24, 62)]),
    ],
)  # fmt: skip
def test_notes(lines: str, expected: list[tuple[int, int, int]]) -> None:
    assert notes(lines) == expected


def test_lines_end_where_editors_end_them() -> None:
    text = "**kern\t**text\r4c\ta\x0b\x1c\u2028b\r\n4d\tc\n*-\t*-"
    (piece,) = read("score.krn", text.encode()).pieces
    assert [note.pitch for note in piece.notes] == [60, 62]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_control_characters(encoding: str) -> None:
    text = "**kern\0\n!!!OTL: Für\x01\n4\x02c\n4d\0\n*-"
    found = read("score.krn", text.encode(encoding))
    assert [note.pitch for note in found.pieces[0].notes] == [60, 62]
    assert found.pieces[0].title == "Für"
    assert found.counts["control characters dropped"] == 4


def test_an_exchange_carries_the_part_along() -> None:
    (piece,) = result("**kern **kern\n*Icello *Iflt\n4C 4c\n*x *x\n4d 4D").pieces
    flute, cello = piece.parts  # the highest first
    assert [note.pitch for note in cello.notes] == [48, 50]
    assert [note.pitch for note in flute.notes] == [60, 62]
    assert (flute.program, cello.program) == (73, 42)


def test_signatures_bars_tempo_and_title() -> None:
    (piece,) = result(
        "!!!OTL:&A&Song\n**kern **text\n*MM96 *\n*k[f#] *\n*M3/4 *\n*e: *\n=1- =1-\n2.e la\n"
        "=2 =2\n*M2/4 *\n*k[] *\n*G:mix *\n2g la\n== ==\n*- *-"
    ).pieces
    assert piece.title == "A Song"
    assert piece.meters == ((0, Meter(3, 4)), (72, Meter(2, 4)))
    assert piece.keys == ((0, Key(1, "minor")), (72, Key(0, "mixolydian")))
    assert piece.tempi == ((0, 96),)
    assert (piece.bars, piece.length) == ((0, 72), 120)


def test_a_pick_up_and_a_rest_at_the_end() -> None:
    (piece,) = result("**kern\n*M2/4\n4G\n=1\n2c\n=2\n2r\n==").pieces
    assert (piece.bars, piece.length) == ((0, 24, 72), 120)


def test_repeats() -> None:
    lines = "**kern\n*M1/4\n=1!|:\n4c\n=2:|!|:\n4d\n=3:|!\n4e\n=="
    assert [note.pitch for note in result(lines).pieces[0].notes] == [60, 62, 64]
    played = result(lines, expand_repeats=True).pieces[0]
    assert [note.pitch for note in played.notes] == [60, 60, 62, 62, 64]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("4c\n!LO:TX:a:t=Fine\n=2\n4d\n!LO:TX:b:t=D.C.&al&Fine\n==", "cdc"),
        ("4c\n=2\n!LO:TX:t=[segno]\n4d\n=3\n4e\n!!LO:TX:Z=1:t=D.S.:b\n=4\n4f\n==", "cdedef"),
        ("4c\n!LO:TX:t=\U0001d10b\n=2\n4d\n=3\n!LO:TX:t=Dal&Segno\n4e\n==", "cdede"),
        ("4c\n!LO:TX:t=to&[coda]\n=2\n4d\n!LO:TX:t=D.C.\n=3\n!LO:TX:t=[coda]\n4e\n==", "cdce"),
        ("4c\n!LO:TX:a:t=dolce\n=2\n4d\n!D.C.\n==", "cd"),
        ("*>[A]\n*>A\n4c\n=2\n4d\n!LO:TX:t=D.C.\n==", "cd"),  # the list says it all
    ],
)
def test_jumps_that_are_printed_as_text(lines: str, expected: str) -> None:
    written = result(f"**kern\n*M1/4\n{lines}").pieces[0]
    assert [note.pitch for note in written.notes] == sorted({note.pitch for note in written.notes})
    played = result(f"**kern\n*M1/4\n{lines}", expand_repeats=True).pieces[0]
    assert "".join("c d ef"[note.pitch - 60] for note in played.notes) == expected


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("*>[A,A,B]", [60, 60, 62, 64]),
        ("*>[A,B,A]\n*>norep[A,B]", [60, 62, 64, 60]),
        ("*>[B]", [62, 64]),
        ("*>norep[A,B]", [60, 60, 62, 64]),  # the repeats of bar lines
        ("*>[A,C]", [60]),
    ],
)
def test_lists_of_sections(lists: str, expected: list[int]) -> None:
    lines = f"**kern\n{lists}\n*M1/4\n*>A\n4c\n=2:|!\n*>B\n4d\n=3\n4e\n=="
    assert [note.pitch for note in result(lines).pieces[0].notes] == [60, 62, 64]
    played = result(lines, expand_repeats=True)
    assert [note.pitch for note in played.pieces[0].notes] == expected
    assert played.counts["sections not found"] == lists.count("C")


def test_sections_of_several_spines_and_before_the_first() -> None:
    lines = (
        "**kern **text **kern\n*>[A,A] *>[A,A] *>[A,A]\n4C x 4c\n=1 =1 =1\n*>A *>A *>A\n"
        "4D y 4d\n== == =="
    )
    played = result(lines, expand_repeats=True).pieces[0]
    assert [note.pitch for note in played.notes] == [48, 60, 50, 62, 50, 62]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("**kern\n4c 4d", "line 2 has 2 fields; expected 1"),
        ("4c", "line 1 comes before **kern"),
        ("**text\nla", "holds no notes"),
        ("**kern\n4r", "holds no notes"),
        ("**kern\n4%0c", "has a length that nobody writes"),
        ("**kern\n" + "000c\n" * 20_000, "lasts 160,000 bars"),
        ("\n".join(["**kern", *("\t".join(["*^"] * 2**i) for i in range(11))]), "1,000 spines"),
    ],
)
def test_what_cannot_be_read_says_why(lines: str, reason: str) -> None:
    assert reason in result(lines).reason


def test_what_is_left_out_is_counted() -> None:
    counts = result("**kern\n4c\nqd\n4?\nc\n*M23/32\n4d").counts
    assert counts["grace notes dropped"] == 1
    assert counts["symbols not understood"] == 2
    assert counts["odd meters"] == 1


def test_large_bar_numbers_and_many_bars_cost_nothing() -> None:
    assert notes("**kern\n=1000000000\n4c") == [(0, 24, 60)]
    (piece,) = result("**kern\n" + "".join(f"={i}\n4c\n" for i in range(5000))).pieces
    assert len(piece.bars) == 5000 and Fraction(piece.length, 24) == 5000
