"""MusicXML is read as it sounds, and what is not understood is counted."""

import pytest

from seqgen.music.signatures import Key, Meter
from tests.music.io.musicxml_files import (
    BACK,
    FIRST,
    STOP,
    TIE,
    note,
    notes,
    piece,
    repeat,
    result,
    score,
)


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


def test_durations_that_are_rounded_are_as_long_as_their_notes() -> None:
    first = FIRST.replace("<divisions>2<", "<divisions>17<")
    sixteenth = "<type>16th</type>"
    tied = TIE + sixteenth
    bars = [
        note("C5", 4, sixteenth) * 7 + note("D5", 4, tied)
        + "<backup><duration>32</duration></backup>"
        + note("E4", 25, "<type>quarter</type><dot/>") + note("F4", 8, "<type>eighth</type>")
        + "<backup><duration>8</duration></backup>" + note("G4", 8, "<type>eighth</type>"),
        note("D5", 4, STOP + sixteenth),
    ]  # fmt: skip
    found = [each[:3] for each in piece(score(bars, first=first)).notes]
    assert found == sorted(
        [(6 * i, 6, 72) for i in range(7)] + [(42, 12, 74), (0, 36, 64), (36, 12, 65), (36, 12, 67)]
    )
    triplet = "<type>eighth</type><time-modification><actual-notes>{}</actual-notes>"
    triplet += "<normal-notes>2</normal-notes></time-modification>"
    three = note("C4", 6, triplet.format(3)) * 3 + note("D4", 17, "<type>quarter</type>")
    assert [each[:2] for each in piece(score([three], first=first)).notes] == [
        (0, 8), (8, 8), (16, 8), (24, 24),
    ]  # fmt: skip
    damaged = note("C4", 6, triplet.format(0)) + note("D4", 6, "<type>x</type>")
    assert len(piece(score([damaged], first=first)).notes) == 2


def test_a_tempo_that_holds_later_or_earlier_than_it_stands() -> None:
    late, early, wrong = (
        f'<sound tempo="{tempo}"><offset>{offset}</offset></sound>'
        for tempo, offset in ((60, 2), (70, -1), (80, "x"))
    )
    found = result(score([late + note("C4", 4), note("D4", 2) + early + note("E4", 2), wrong]))
    assert found.pieces[0].tempi == ((24, 60), (60, 70), (96, 80))
    assert found.counts["tempo marks not understood"] == 1


def test_scores_by_time() -> None:
    by_time = (
        '<score-timewise><part-list><score-part id="A"/><score-part id="B"/></part-list>'
        f'<measure><part id="A">{FIRST}{note("C5", 4)}</part></measure>'
        f'<measure><part id="A">{note("D5", 4)}</part>'
        f'<part id="B">{FIRST}{note("C4", 4)}</part></measure></score-timewise>'
    )
    assert [each[:3] for each in piece(by_time).notes] == [(0, 48, 72), (48, 48, 60), (48, 48, 74)]


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
        (
            '<sound><midi-instrument id="I"><midi-program>9</midi-program></midi-instrument>'
            "</sound>",
            "instrument changes dropped", 1,
        ),
        (
            note("B4", 2, '<notations><ornaments><tremolo type="single">2</tremolo></ornaments>'
                 "</notations>"),
            "tremolos not written out", 1,
        ),
        (note("B4", 2, "<notehead>slash</notehead>"), "slashes dropped", 1),
        ('<barline location="middle"><repeat direction="forward"/></barline>',
         "repeats inside bars not understood", 1),
    ],
)  # fmt: skip
def test_what_is_left_out_is_counted(content: str, name: str, count: int) -> None:
    assert result(score([note("C4") + content])).counts[name] == count


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
