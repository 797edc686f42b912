"""MusicXML is read as it sounds, in every form in which programs write it."""

import io
import re
import zipfile

import pytest

from seqgen.music.io.read import is_music, read
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import Piece
from seqgen.music.signatures import Key, Meter

FIRST = (
    "<attributes><divisions>2</divisions><key><fifths>0</fifths></key>"
    "<time><beats>2</beats><beat-type>4</beat-type></time></attributes>"
)


def note(name: str, duration: int = 2, extra: str = "") -> str:
    """A note such as C5 or F#5, or r; `extra` comes before the pitch, or after the duration."""
    pitch = "<rest/>"
    if name != "r":
        alter = f"<alter>{name.count('#') - name.count('b')}</alter>"
        pitch = f"<pitch><step>{name[0]}</step>{alter}<octave>{name[-1]}</octave></pitch>"
    before, after = (extra, "") if extra.startswith(("<chord", "<grace", "<cue")) else ("", extra)
    length = "" if extra.startswith("<grace") else f"<duration>{duration}</duration>"
    return f"<note>{before}{pitch}{length}{after}</note>"


def score(*parts: list[str], instruments: str = "", first: str = FIRST) -> str:
    """A score of parts, each a list of the contents of its measures."""
    listed = "".join(
        f'<score-part id="P{i}"><part-name>{i}</part-name>{instruments}</score-part>'
        for i in range(len(parts))
    )
    written = ""
    for i, measures in enumerate(parts):
        contents = [first + measures[0], *measures[1:]]
        bars = "".join(f'<measure number="1">{content}</measure>' for content in contents)
        written += f'<part id="P{i}">{bars}</part>'
    return f"<score-partwise><part-list>{listed}</part-list>{written}</score-partwise>"


def result(text: str, *, expand_repeats: bool = False) -> ReadResult:
    return read("score.musicxml", text.encode(), expand_repeats=expand_repeats)


def piece(text: str, *, expand_repeats: bool = False) -> Piece:
    (found,) = result(text, expand_repeats=expand_repeats).pieces
    return found


def notes(*parts: list[str]) -> list[tuple[int, int, int]]:
    return [each[:3] for each in piece(score(*parts)).notes]


TIE, STOP = '<tie type="start"/>', '<tie type="stop"/>'
BACK = "<backup><duration>4</duration></backup>"


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        ([note("C5") + note("F#5")], [(0, 24, 72), (24, 24, 78)]),
        ([note("C4", 4) + note("E4", 4, "<chord/>")], [(0, 48, 60), (0, 48, 64)]),
        # ties, of every member of a chord for itself
        ([note("C4", 4, TIE), note("C4", 4, STOP)], [(0, 96, 60)]),
        ([note("C4", 4, TIE), note("C4", 4, STOP + TIE), note("C4", 4, STOP)], [(0, 144, 60)]),
        (
            [note("C4", 4, TIE) + note("E4", 4, "<chord/>"), note("C4", 4, STOP)
             + note("E4", 4, "<chord/>")],
            [(0, 48, 64), (0, 96, 60), (48, 48, 64)],
        ),
        (
            [note("C4", 4, '<notations><tied type="start"/></notations>'),
             note("C4", 4, '<notations><tied type="stop"/></notations>')],
            [(0, 96, 60)],
        ),
        # voices
        ([note("C5", 4) + BACK + note("C4") + note("D4")],
         [(0, 24, 60), (0, 48, 72), (24, 24, 62)]),
        ([note("C5", 4) + BACK + "<forward><duration>2</duration></forward>" + note("D4")],
         [(0, 48, 72), (24, 24, 62)]),
        # bars
        ([note("C4"), note("D4", 4)], [(0, 24, 60), (24, 48, 62)]),
        ([note("C4", 4), "", note("D4", 4)], [(0, 48, 60), (96, 48, 62)]),
        ([note("r", 4), note("D4", 4)], [(48, 48, 62)]),
        ([note("C4") + note("r", 8), note("D4", 4)], [(0, 24, 60), (48, 48, 62)]),
        ([note("C4", 6), note("D4", 4)], [(0, 72, 60), (72, 48, 62)]),
        # what takes no time or does not sound
        ([note("C4") + note("D4", 2, "<grace/>") + note("E4")], [(0, 24, 60), (24, 24, 64)]),
        ([note("C4") + note("D4", 2, "<cue/>")], [(0, 24, 60)]),
        # other divisions
        ([note("C4", 4), "<attributes><divisions>3</divisions></attributes>" + note("D4", 1)
          + note("E4", 2)], [(0, 48, 60), (48, 8, 62), (56, 16, 64)]),
        ([note("C4", "1.5") + note("D4", "2.5")], [(0, 18, 60), (18, 30, 62)]),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_notes(measures: list[str], expected: list[tuple[int, int, int]]) -> None:
    assert notes(measures) == expected


def test_parts_of_one_name_do_not_hide_one_another() -> None:
    text = score([note("C4")], [note("E4")]).replace("P1", "P0")
    assert [each.pitch for each in piece(text).notes] == [60, 64]


def test_a_tie_that_leads_to_another_staff() -> None:
    bars = [note("C4", 4, TIE + "<staff>1</staff>"), note("C4", 4, STOP + "<staff>2</staff>")]
    assert notes(bars) == [(0, 96, 60)]
    lower = "<staff>2</staff>"
    both = [
        note("C4", 4, TIE) + BACK + note("C4", 4, TIE + lower),
        note("C4", 4, STOP) + BACK + note("C4", 4, STOP + lower),
    ]
    assert notes(both) == [(0, 96, 60), (0, 96, 60)]


def test_an_ending_of_several_turns() -> None:
    bars = [
        ending("1-2", "start") + note("C4", 4) + repeat("backward", ' times="3"'),
        ending("3", "start") + note("D4", 4),
    ]
    played = piece(score(bars), expand_repeats=True)
    assert [each.pitch for each in played.notes] == [60, 60, 62]


def transposed(chromatic: int, octave: int = 0, fifths: int = 0) -> str:
    return (
        f"<attributes><divisions>2</divisions><key><fifths>{fifths}</fifths></key><transpose>"
        f"<chromatic>{chromatic}</chromatic><octave-change>{octave}</octave-change></transpose>"
        "</attributes>"
    )


def test_transposing_instruments_sound() -> None:
    clarinet = piece(score([note("C5") + note("D5")], first=transposed(-2, fifths=2)))
    assert [each.pitch for each in clarinet.notes] == [70, 72]
    assert clarinet.key == Key(0)
    guitar = piece(score([note("C5")], first=transposed(0, -1)))
    assert guitar.notes[0].pitch == 60


def test_the_key_is_that_of_a_part_that_does_not_transpose() -> None:
    horn, flute = [transposed(-7) + note("C5")], [FIRST.replace("<fifths>0", "<fifths>-1")]
    flute[0] += note("F5")
    both = piece(score(horn, flute, first=""))
    assert both.key == Key(-1)
    assert [each.pitch for each in both.notes] == [65, 77]


def test_staves_are_parts_and_transpose_by_themselves() -> None:
    attributes = (
        "<attributes><divisions>2</divisions><staves>2</staves>"
        '<transpose number="2"><chromatic>0</chromatic><octave-change>-1</octave-change>'
        "</transpose></attributes>"
    )
    right = note("C5", 4, "<staff>1</staff>") + BACK
    found = piece(score([right + note("C4", 4, "<staff>2</staff>")], first=attributes))
    assert [[each.pitch for each in part.notes] for part in found.parts] == [[72], [48]]


def unpitched(place: str, extra: str = "") -> str:
    return (
        f"<note><unpitched><display-step>{place[0]}</display-step><display-octave>{place[1]}"
        f"</display-octave></unpitched><duration>2</duration>{extra}</note>"
    )


def test_drums() -> None:
    instruments = (
        '<score-instrument id="D1"><instrument-name>Kick</instrument-name></score-instrument>'
        '<midi-instrument id="D1"><midi-channel>10</midi-channel><midi-program>1</midi-program>'
        "<midi-unpitched>37</midi-unpitched></midi-instrument>"
    )
    measure = unpitched("F4", '<instrument id="D1"/>') + unpitched("G5", "<notehead>x</notehead>")
    (part,) = piece(score([measure], instruments=instruments)).parts
    assert part.is_drums
    assert [each.pitch for each in part.notes] == [36, 42]  # MusicXML counts from 1


def test_a_drum_that_is_written_as_a_pitch() -> None:
    instruments = (
        '<midi-instrument id="D1"><midi-channel>10</midi-channel>'
        "<midi-unpitched>37</midi-unpitched></midi-instrument>"
    )
    text = score([note("C4", 2, '<instrument id="D1"/>')], instruments=instruments)
    assert piece(text).notes[0].pitch == 36


def test_instruments() -> None:
    midi = '<midi-instrument id="x"><midi-program>41</midi-program></midi-instrument>'
    assert piece(score([note("C4")], instruments=midi)).parts[0].program == 40
    named = score([note("C4")]).replace("<part-name>0", "<part-name>Violin")
    for name, program in (
        ("Violin", 40),
        ("Violin II", 40),
        ("Violoncello", 42),
        ("Soprano", 0),
        ("Clarinet in B-flat", 71),
        ("Flute 1", 73),
    ):
        assert piece(named.replace("Violin", name)).parts[0].program == program, name


@pytest.mark.parametrize(
    ("time", "meter"),
    [
        ("<beats>3+2</beats><beat-type>8</beat-type>", Meter(5, 8)),
        ("<beats>2</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type>",
         Meter(7, 8)),
        ("<beats>6</beats><beat-type>8</beat-type>", Meter(6, 8)),
    ],
)  # fmt: skip
def test_meters(time: str, meter: Meter) -> None:
    first = f"<attributes><divisions>2</divisions><time>{time}</time></attributes>"
    found = piece(score(["", note("C4")], first=first))
    assert found.meter == meter
    assert found.bars == (0, meter.ticks)  # an empty bar is a full one


def test_tempi_keys_and_title() -> None:
    mark = (
        "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><beat-unit-dot/>"
        "<per-minute>c. 60</per-minute></metronome></direction-type></direction>"
    )
    key = "<attributes><key><fifths>-3</fifths><mode>minor</mode></key></attributes>"
    text = score(['<sound tempo="66"/>' + note("C4", 4), key + note("C4") + mark + note("D4")])
    found = piece(
        text.replace("<part-list>", "<movement-title>A  Song</movement-title><part-list>")
    )
    assert found.tempi == ((0, 66), (72, 90))
    assert found.keys == ((0, Key(0)), (48, Key(-3, "minor")))
    assert found.title == "A Song"


def repeat(direction: str, more: str = "") -> str:
    return f'<barline><repeat direction="{direction}"{more}/></barline>'


def ending(number: str, kind: str) -> str:
    return f'<barline><ending number="{number}" type="{kind}"/></barline>'


def test_repeats_and_endings_that_stand_in_the_first_part_alone() -> None:
    first = [
        repeat("forward") + note("C4", 4),
        ending("1", "start") + note("D4", 4) + repeat("backward") + ending("1", "stop"),
        ending("2", "start") + note("E4", 4) + ending("2", "stop"),
        note("F4", 4),
    ]
    second = [note(name, 4) for name in ("C3", "D3", "E3", "F3")]
    assert [each.pitch for each in piece(score(first, second)).parts[1].notes] == [48, 50, 52, 53]
    played = piece(score(first, second), expand_repeats=True)
    upper, lower = ([each.pitch for each in part.notes] for part in played.parts)
    assert upper == [60, 62, 60, 64, 65]
    assert lower == [pitch - 12 for pitch in upper]
    thrice = piece(score([note("C4") + repeat("backward", ' times="3"')]), expand_repeats=True)
    assert thrice.note_count == 3


def test_scores_by_time() -> None:
    by_time = (
        '<score-timewise><part-list><score-part id="A"/><score-part id="B"/></part-list>'
        f'<measure><part id="A">{FIRST}{note("C5", 4)}</part></measure>'
        f'<measure><part id="A">{note("D5", 4)}</part>'
        f'<part id="B">{FIRST}{note("C4", 4)}</part></measure></score-timewise>'
    )
    assert [each[:3] for each in piece(by_time).notes] == [(0, 48, 72), (48, 48, 60), (48, 48, 74)]


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


def test_repeats_without_end_are_refused() -> None:
    often = score([note("C4") + repeat("backward", ' times="999999999"')])
    assert "more than 100,000 bars" in result(often, expand_repeats=True).reason
    assert not result(often).reason


@pytest.mark.parametrize(
    ("content", "name", "count"),
    [
        ("<harmony><root/></harmony>" * 2, "chord symbols dropped", 2),
        (note("C4", 2, "<grace/>"), "grace notes dropped", 1),
        (note("C4", 2, "<cue/>"), "cue notes dropped", 1),
        (note("C4", -2) + note("C4", 0), "notes without a duration dropped", 2),
        (note("C9") + note("G9") + note("G#9"), "notes out of range dropped", 1),
        ("<attributes><key><fifths>8</fifths></key></attributes>", "keys not understood", 1),
        ("<attributes><time><beats>3</beats></time></attributes>", "odd meters", 1),
        (
            "<direction><direction-type><metronome><beat-unit>x</beat-unit></metronome>"
            "</direction-type></direction>",
            "tempo marks not understood", 1,
        ),
        (
            '<attributes><measure-style><measure-repeat type="start">1</measure-repeat>'
            "</measure-style></attributes>",
            "repeated bars not written out", 1,
        ),
        (
            '<attributes><measure-style><slash type="start"/></measure-style></attributes>'
            "</measure><measure>",
            "bars of slashes without notes", 1,
        ),
        (note("B4", 2, "<notehead>slash</notehead>"), "slashes dropped", 1),
        ('<barline location="middle"><repeat direction="forward"/></barline>',
         "repeats inside bars not understood", 1),
    ],
)  # fmt: skip
def test_what_is_left_out_is_counted(content: str, name: str, count: int) -> None:
    assert result(score([note("C4") + content])).counts[name] == count


def sound(**attributes: str) -> str:
    texts = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<direction><sound {texts}/></direction>"


def words(text: str) -> str:
    return f"<direction><direction-type>{text}</direction-type></direction>"


CODA = words("<coda/>")


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (["C", "D" + sound(fine="yes"), "E" + sound(dacapo="yes")], "CDECD"),
        (["C", sound(segno="1") + "D", "E" + sound(dalsegno="1"), "F"], "CDEDEF"),
        (["C" + sound(tocoda="1"), "D" + sound(dacapo="yes"), sound(coda="1") + "E"], "CDCE"),
        (["C" + CODA, "D" + words("<words>D.C. al Coda</words>"), CODA + "E"], "CDCE"),
        (["C" + words("<words>Fine</words>"), "D" + words("<words>D.C. al Fine</words>")], "CDC"),
        (["C", words("<segno/>") + "D", "E" + words("<words>D.S.</words>")], "CDEDE"),
        # without repeats after the jump, with the last ending
        (["C" + repeat("backward"), "D" + sound(dacapo="yes")], "CCDCD"),
        (["C" + repeat("backward", ' after-jump="yes"'), "D" + sound(dacapo="yes")], "CCDCCD"),
        (
            ["C", ending("1", "start") + "D" + repeat("backward") + ending("1", "stop"),
             ending("2", "start") + "E" + ending("2", "stop"), "F" + sound(dacapo="yes")],
            "CDCEFCEF",
        ),
        # in the coda there are repeats again
        (
            ["C" + sound(tocoda="1"), "D" + sound(dacapo="yes"),
             sound(coda="1") + "E" + repeat("backward")],
            "CDCEE",
        ),
        (["C" + sound(dacapo="no"), "D" + sound(dalsegno="1", tempo="90")], "CD"),
    ],
)  # fmt: skip
def test_jumps(measures: list[str], expected: str) -> None:
    contents = [re.sub(r"(?<![\w<.])[C-F](?![\w.])", lambda m: note(f"{m[0]}4", 4), text)
                for text in measures]  # fmt: skip
    text = score(contents, [note("C3", 4)] * len(contents))
    found = piece(text, expand_repeats=True).parts[0]
    assert "".join("C D EF"[each.pitch - 60] for each in found.notes) == expected
    assert len(piece(text).parts[1].notes) == len(measures)


def test_jumps_that_lead_nowhere_are_counted() -> None:
    text = score([note("C4") + sound(dalsegno="1") + sound(tocoda="1")])
    assert result(text, expand_repeats=True).counts["jumps not followed"] == 2


def style(content: str, staff: str = "") -> str:
    return f"<attributes><measure-style{staff}>{content}</measure-style></attributes>"


def repeated(kind: str, bars: int = 1) -> str:
    return style(f'<measure-repeat type="{kind}">{bars}</measure-repeat>')


WHOLE_REST = '<note><rest measure="yes"/><duration>4</duration></note>'


@pytest.mark.parametrize(
    ("measures", "expected"),
    [
        (["C4", repeated("start"), WHOLE_REST, repeated("stop") + "D4"], "C C C D"),
        (["C4", repeated("start") + "C4", "C4", repeated("stop") + WHOLE_REST], "C C C -"),
        (["C4", "D4", repeated("start", 2), "", repeated("stop", 2) + "E4"], "C D C D E"),
        (["C4", "D4", repeated("start", 2), "", "", ""], "C D C D C D"),
    ],
)
def test_repeated_bars_are_written_out(measures: list[str], expected: str) -> None:
    contents = [re.sub(r"[CDE]4", lambda m: note(m[0], 4), text) for text in measures]
    found = piece(score(contents))
    assert [each[:3] for each in found.notes] == [
        (48 * i, 48, {"C": 60, "D": 62, "E": 64}[name])
        for i, name in enumerate(expected.split())
        if name != "-"
    ]
    assert found.bars == tuple(48 * i for i in range(len(measures)))


def test_repeated_bars_of_one_staff() -> None:
    upper = style('<measure-repeat type="start">1</measure-repeat>', ' number="1"')
    bars = [note("C5", 4) + BACK + note("C3", 4, "<staff>2</staff>"),
            upper + note("r", 4) + BACK + note("D3", 4, "<staff>2</staff>")]  # fmt: skip
    parts = piece(score(bars)).parts
    assert [[each[:3] for each in part.notes] for part in parts] == [
        [(0, 48, 72), (48, 48, 72)],
        [(0, 48, 48), (48, 48, 50)],
    ]


def test_copies_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqgen.music.io.musicxml_styles.MOST_NOTES", 2)
    bars = [note("C4", 4), repeated("start"), "", ""]
    assert "repeats bars of more than 2 notes" in result(score(bars)).reason


def test_styles_of_more_staves_than_there_are_cost_no_time() -> None:
    sign = '<measure-repeat type="start">1</measure-repeat><slash type="start"/>'
    styles = "".join(style(sign, f' number="{i}"') for i in range(2000))
    counts = result(score([styles + note("C4", 4), *[""] * 2000])).counts
    assert counts["bars of slashes without notes"] <= 8 * 2001


def test_what_the_notes_do_not_depend_on_may_be_wrong() -> None:
    text = score(
        [
            '<sound tempo="90,5"/><attributes><key><fifths>x</fifths></key></attributes>'
            + note("C4", 4)
            + repeat("backward", ' times="two"')
        ]
    )
    counts = result(text).counts
    names = ("tempo marks", "keys", "repeats")
    assert [counts[f"{name} not understood"] for name in names] == [1, 1, 1]


def test_tempi_that_nobody_plays() -> None:
    text = score(["".join(f'<sound tempo="{tempo}"/>' for tempo in (0, 4, 60, 1001)) + note("C4")])
    assert piece(text).tempi == ((0, 60),)
    assert result(text).counts["odd tempi"] == 3
