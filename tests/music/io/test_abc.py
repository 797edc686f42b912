"""ABC is read as the standard has it, and what is not understood is counted."""

import pytest

from seqgen.music.io.abc_tokens import TOKEN
from seqgen.music.io.abc_voice import MOST_TUPLETS
from seqgen.music.io.read import read
from seqgen.music.pitch_names import piece_of
from seqgen.music.signatures import Key, Meter
from tests.music.io.abc_files import HEAD, notes, result


def spelled(text: str) -> list[tuple[int, int, int]]:
    return [note[:3] for note in piece_of(text).notes]


SCALE = "C4/4 D4/4 E4/4 F4/4"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # bar lines and repeats
        ("CDE:|:F|", SCALE),
        ("|:CD::EF:|", SCALE),
        ("|:CDE::F:|", SCALE),
        ("CD|\nE::F|", SCALE),
        ("CD|\nE:|F", SCALE),
        ("[|CD|]EF.|", SCALE),
        ("CD|1E:|2F||", SCALE),
        ("CD|[1,3 E:|[2 F|]", SCALE),
        ("CD|[\"last\" EF|]", SCALE),
        ("C|Z|D", "C4/4 r/1 D4/4"),
        ("C|X2|D|z2", "C4/4 r/1 r/1 D4/4"),
        # lengths
        ("C/D//E/4F3/2G3/", "C4/8 D4/16 E4/16 F4/4. G4/4."),
        ("Cx2DyzE", "C4/4 r/2 D4/4 r/4 E4/4"),
        ("C>DE<F", "C4/4. D4/8 E4/8 F4/4."),
        ("C>>DE<<F", "C4/4.. D4/16 E4/16 F4/4.."),
        ("C>.D E>(FG)", "C4/4. D4/8 E4/4. F4/8 G4/4"),
        ("C>{g}D C>\"Am\"D C > !f!D", "C4/4. D4/8 C4/4. D4/8 C4/4. D4/8"),
        ("z>Dz<D", "r/4. D4/8 r/8 D4/4."),
        ("(3CDE F", "C4/4t D4/4t E4/4t F4/4"),
        ("(3{g}C(D\"G\"E) F", "C4/4t D4/4t E4/4t F4/4"),
        ("((3CDE F)", "C4/4t D4/4t E4/4t F4/4"),
        ("(3z.CD E", "r/4t C4/4t D4/4t E4/4"),
        ("(3C2D(3EFG", "C4/2t D4/4t E4/4t F4/4t G4/4t"),  # the second ends the first
        ("(3:2:2C2D E", "C4/2t D4/4t E4/4"),
        ("(3::C|DE F", "C4/4t D4/4t E4/4t F4/4"),
        ("(2CD E", "C4/4. D4/4. E4/4"),
        # accidentals and ties
        ("^CC|C", "C#4/4 C#4/4 C4/4"),
        ("^Cc=CC|", "C#4/4 C#5/4 C4/4 C4/4"),
        ("__D^^D", "C4/4 E4/4"),
        ("C-C|D-|D", "C4/2 D4/2"),
        ("C2^F2-|F2F2", "C4/2 F#4/1 F4/2"),
        ("C2^F2-|FF", "C4/2 F#4/2. F4/4"),
        ("C2^F2-|^F2F2", "C4/2 F#4/1 F#4/2"),
        ("C-{d}\"G\"C-|!f!C", "C4/2."),
        ("(CC)", "C4/4 C4/4"),
        ("C.-C", "C4/2"),
        # what does not sound
        ("~C HD TE uvF", SCALE),
        ("!trill!C +fermata+D !crescendo(!E !<)!F", SCALE),
        ("\"Am7\"C\"^CDE\"D\"_low\"E`F\\\n", SCALE),
        ("C{/g}D[r:CDE]E[I:setbarnb 3]F", SCALE),
        ("CD|\nw: a b\ns: * ABC\n+: DEF\nN:CDE\nr:CDE\nP:A\nEF\nW: CDE", SCALE),
        ("U:W = !trill!\nWCDWEF", SCALE),
        ("m: ~D = {E}D\nC~DEF", SCALE),
        # macros, for one note and for any
        ("m: ~E2 = EF\nCD~E2", SCALE),
        ("m: ~n2 = no\n~C2~E2", SCALE),
        ("m: ~n2=n/o/\n~^C2 ~^c,2 ~c'2 ~B,2", "C#4/8 D4/8 C#4/8 D4/8 C#6/8 D6/8 B3/8 C#4/8"),
        ("m: Tn = (3omn\nTG TC", "A4/4t F4/4t G4/4t D4/4t B3/4t C4/4t"),
        ("m: ~n = gone\nm: ~n = nh z/\n~c ", "C5/4 D4/4 A6/8"),
        ("m: ~n3 = nno\nm: ~G3 = CD\n~G3 ~E3", "C4/4 D4/4 E4/4 E4/4 F4/4"),
        ("m: a = bc\nm: b = C\nab", "B5/4 C5/4 C4/4"),
        ("m: ~n = !trill!n\n~C ~D EF", SCALE),
        ('m: ~n = "n"no\n"~C" ~C [r:~C] ~E', SCALE),
        ("CD\n%%begintext\nCDE\n\nCDE\n%%endtext\nEF", SCALE),
        ("CD % CDE\n%CDE\nEF", SCALE),
        ("CDEF|\n\nA letter: Dear Bad Face", SCALE),
        # fields
        ("[L:1/8]C2D2\nL:1/2\nE/F/", SCALE),
        ("FF[K:G]FF|\nK:F\nBB", "F4/4 F4/4 F#4/4 F#4/4 A#4/4 A#4/4"),
        ("C[M:3/4]D|Z|E", "C4/4 D4/4 r/2. E4/4"),
        ("[V:1]CD|[V:2]\n[V:1]EF|", SCALE),
        ("V:T\nCD|\nV:T\nEF|", SCALE),
    ],
)  # fmt: skip
def test_melodies(body: str, expected: str) -> None:
    assert notes(body) == spelled(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("[CE]2[DF]", [(0, 48, 60), (0, 48, 64), (48, 24, 62), (48, 24, 65)]),
        ("[C2E]D", [(0, 24, 64), (0, 48, 60), (48, 24, 62)]),
        ("[C2E2]/D", [(0, 24, 60), (0, 24, 64), (24, 24, 62)]),
        ("[CE]-[CE]", [(0, 48, 60), (0, 48, 64)]),
        ("[C-E][CE]", [(0, 24, 64), (0, 48, 60), (24, 24, 64)]),
        ("!f![.C!p!\"x\"E]>D", [(0, 36, 60), (0, 36, 64), (36, 12, 62)]),
        ("(3[CE]DE", [(0, 16, 60), (0, 16, 64), (16, 16, 62), (32, 16, 64)]),
        ("D|C2&E|F", [(0, 24, 62), (24, 24, 64), (24, 48, 60), (72, 24, 65)]),
        ("^F&F|", [(0, 24, 65), (0, 24, 66)]),
        ("V:1\nCD|\nV:2\nE2|\nV:1\nE|", [(0, 24, 60), (0, 48, 64), (24, 24, 62), (48, 24, 64)]),
        ("V:1\n^F2-|F2|\nV:2\nF2|F2|",
         [(0, 48, 65), (0, 96, 66), (48, 48, 65)]),
        ("V:1\n(3CD\nV:2\nC2|", [(0, 16, 60), (0, 48, 60), (16, 16, 62)]),
        ("V:a\nF[K:G]F|\nV:b\nFF|", [(0, 24, 65), (0, 24, 65), (24, 24, 65), (24, 24, 66)]),
    ],
)  # fmt: skip
def test_chords_and_voices(body: str, expected: list[tuple[int, int, int]]) -> None:
    assert notes(body) == expected


@pytest.mark.parametrize(
    ("key", "expected", "name"),
    [
        ("C bass", "C4/4 F4/4 G4/4 B4/4", "C"),
        ("clef=bass", "C4/4 F4/4 G4/4 B4/4", "C"),
        ("none", "C4/4 F4/4 G4/4 B4/4", "None"),
        ("Amix", "C#4/4 F#4/4 G4/4 B4/4", "Amix"),
        ("E Minor", "C4/4 F#4/4 G4/4 B4/4", "Em"),
        ("Bb", "C4/4 F4/4 G4/4 A#4/4", "Bb"),
        ("HP", "C#4/4 F#4/4 G4/4 B4/4", "Amix"),
        ("D exp _b ^f", "C4/4 F#4/4 G4/4 A#4/4", "Ddor"),
        ("D exp", "C4/4 F4/4 G4/4 B4/4", "Ddor"),
        ("D phr ^f", "C4/4 F#4/4 G4/4 A#4/4", "Dphr"),
        ("G treble-8", "C3/4 F#3/4 G3/4 B3/4", "G"),
        ("D^g", "C#4/4 F#4/4 G#4/4 B4/4", "D"),
        ("Bflat", "C4/4 F4/4 G4/4 A#4/4", "Bb"),
        ("B flat major bass", "C4/4 F4/4 G4/4 A#4/4", "Bb"),
        ("C octave=1 transpose=-2", "A#4/4 D#5/4 F5/4 A5/4", "C"),
    ],
)
def test_keys(key: str, expected: str, name: str) -> None:
    head = HEAD + f"K:{key}\n"
    assert notes("CFGB", head) == spelled(expected)
    assert str(result("CFGB", head).pieces[0].key) == name


@pytest.mark.parametrize(
    ("directive", "expected"),
    [
        ("%%propagate-accidentals pitch", [61, 61, 73, 60]),
        ("%%propagate-accidentals octave", [61, 61, 72, 60]),
        ("I:propagate-accidentals not", [61, 60, 72, 60]),
        ("%%MIDI nobarlines", [61, 60, 72, 60]),
    ],
)
def test_for_which_notes_accidentals_hold(directive: str, expected: list[int]) -> None:
    for body in ("^CCc|C", "[V:1]^CCc|C|[V:2]^CCc|C|"):
        found = result(body, f"{HEAD}{directive}\nK:C\n").pieces[0].parts
        assert [[note.pitch for note in part.notes] for part in found] == [expected] * len(found)


@pytest.mark.parametrize(
    ("head", "ticks"),
    [("", 12), ("M:2/4\n", 6), ("M:3/4\n", 12), ("M:C|\n", 12), ("M:none\n", 12), ("L:1/2\n", 48)],
)
def test_the_unit_of_length(head: str, ticks: int) -> None:
    assert notes("CD", f"X:1\n{head}K:C\n") == [(0, ticks, 60), (ticks, ticks, 62)]


@pytest.mark.parametrize(
    ("text", "meter"),
    [
        ("C|", Meter(2, 2)),
        ("(2+3)/8", Meter(5, 8)),
        ("2+3/8", Meter(5, 8)),
        ("6/8", Meter(6, 8)),
        ("3/4+2/4", Meter(5, 4)),
        ("(2+1)/4+3/8", Meter(9, 8)),
    ],
)
def test_meters(text: str, meter: Meter) -> None:
    assert result("CDE", f"X:1\nM:{text}\nK:C\n").pieces[0].meter == meter


@pytest.mark.parametrize(
    "field", ["K:Em/F", "K:H", "K:Cxyz", "Q:100=1/4", "M:3/", "M:0/4", "M:1/4+1/3", "L:0"]
)
def test_fields_that_are_not_understood_are_counted(field: str) -> None:
    found = result(f"[{field}]CDE", HEAD + "K:C\n")
    assert found.counts["fields not understood"] == 1
    assert len(found.pieces[0].notes) == 3
    assert found.pieces[0].keys == ((0, Key(0)),)


@pytest.mark.parametrize(
    ("text", "tempo"),
    [
        ("1/4=96", 96), ("1/4 = 120", 120), ("3/8=60 \"Allegro\"", 90), ("\"Lento\" 1/8=90", 45),
        ("100", 50), ("C3=50", 75), ("1/4 1/8=60", 90),
    ],
)  # fmt: skip
def test_tempi(text: str, tempo: float) -> None:
    (piece,) = result("CDE|[Q:1/4=60]F", f"X:1\nL:1/8\nQ:{text}\nK:C\n").pieces
    assert piece.tempi == ((0, tempo), (36, 60))


def test_voices_declared_in_the_header_have_instruments_and_shifts() -> None:
    head = HEAD + '%%score (A B)\nV:A clef=treble-8\nV:B name="Drums"\nK:C\n'
    (piece,) = result("V:A\n%%MIDI program 40\nC|\n[V:B]\n%%MIDI channel 10\nC|\n", head).pieces
    fiddle, drums = piece.parts
    assert (fiddle.program, fiddle.notes[0].pitch, fiddle.is_drums) == (40, 48, False)
    assert (drums.notes[0].pitch, drums.is_drums) == (60, True)


def test_tunes_without_numbers() -> None:
    tune = "T:Number {}\nM:4/4\nL:1/4\nK:C\nCDEF|\n\n"
    found = read("tunes.abc", "".join(tune.format(i) for i in range(3)).encode())
    assert [piece.title for piece in found.pieces] == ["Number 0", "Number 1", "Number 2"]
    assert all(piece.note_count == 4 for piece in found.pieces)


def test_titles() -> None:
    head = "X:1\nT:Sch\\\"on \\'e &amp; ``x''\nT:Second\nK:C\n"
    assert result("C", head).pieces[0].title == "Schön é & ``x''"


@pytest.mark.parametrize("data", [HEAD.encode("utf-16"), HEAD.replace("\n", "\r").encode()])
def test_encodings_and_line_ends(data: bytes) -> None:
    rest = "K:C\nCDEF|".encode("utf-16-le") if data.startswith(b"\xff") else b"K:C\rCDEF|"
    (piece,) = read("tune.abc", data + rest).pieces
    assert [note[:3] for note in piece.notes] == spelled(SCALE)


@pytest.mark.parametrize(
    ("body", "name", "count"),
    [
        ('"Am"C"G7"D"^up"E', "chord symbols dropped", 2),
        ("C{de}D", "grace notes dropped", 2),
        ("CDE^|F#", "symbols not understood", 2),
        ("C!wiggle!D", "decorations not understood", 1),
        ("C[Q:fast]D[M:x]E[L:0]F", "fields not understood", 3),
        ("CkD", "symbols not understood", 1),
        ("C[]D[xz]", "symbols not understood", 2),
        ("m: ~n\nm: = C\nCD", "fields not understood", 2),
        ("CDE|\n\nText\nmore", "lines outside tunes", 2),
        ("C>D3", "broken rhythms of unequal notes", 1),
        ("[M:23/32]C", "odd meters", 1),
    ],
)
def test_what_is_left_out_is_counted(body: str, name: str, count: int) -> None:
    assert result(body).counts[name] == count


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Z999999999|C", "has more than 100,000 bars"),
        ("C99999999", "lasts 24,999,999 bars"),
        ("C12345678901234567890", "a length that nobody writes"),
        ("C/0", "a length that nobody writes"),
        ("m:a=" + "a" * 400 + "\n" + "a" * 400, "macros make a line longer"),
        ("[K:D#mix]C", "more than seven sharps"),
        ("z4|", "holds no notes"),
    ],
)
def test_what_nobody_writes_is_refused(body: str, reason: str) -> None:
    assert reason in result(body).reason


def test_a_key_of_its_own_for_every_voice_and_the_first_for_the_piece() -> None:
    (piece,) = result("V:1\nC4|[K:D]C4|\nV:2\nC4|C4|").pieces
    assert piece.keys == ((0, Key(0)), (96, Key(2)))
    assert piece.bars == (0, 96)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_and_control_characters(encoding: str) -> None:
    text = "\0X:1\nT:Für\x02\nM:3/4\0\nL:1/4\n\x7fK:D\x01m\n\x02FA\0d|"
    found = read("tune.abc", text.encode(encoding))
    (piece,) = found.pieces
    assert [note.pitch for note in piece.notes] == [65, 69, 74]
    assert (piece.title, piece.meters, piece.keys[0][1]) == (
        "Für",
        ((0, Meter(3, 4)),),
        Key(-1, "minor"),
    )
    assert found.counts["control characters dropped"] == 7


@pytest.mark.parametrize("opened", ["[", "{", "[r:"])
def test_brackets_that_are_not_closed_are_not_read_to_the_end(opened: str) -> None:
    assert TOKEN.match(opened + "C" * 900 + "]}").end() > 900
    assert TOKEN.match(opened + "C" * 1001 + "]}").lastgroup == "unknown"


def test_tuplets_within_each_other_have_a_limit() -> None:
    (piece,) = result("(3" * 2000 + "C" + "D4").pieces
    assert piece.notes[1].start == round(24 * (2 / 3) ** MOST_TUPLETS)
