"""Repeats, endings and jumps of MusicXML are played, and signs of repeated bars written out."""

import re

import pytest

from tests.music.io.musicxml_files import BACK, ending, note, piece, repeat, result, score, style


def test_an_ending_of_several_turns() -> None:
    bars = [
        ending("1-2", "start") + note("C4", 4) + repeat("backward", ' times="3"'),
        ending("3", "start") + note("D4", 4),
    ]
    played = piece(score(bars), expand_repeats=True)
    assert [each.pitch for each in played.notes] == [60, 60, 62]


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


@pytest.mark.parametrize(
    ("times", "expected"), [("0", 1), ("1", 1), ("2", 2), ("3", 3), ("x", 2), ("-1", 1)]
)
def test_how_often_repeats_are_played(times: str, expected: int) -> None:
    text = score([note("C4", 4) + repeat("backward", f' times="{times}"')])
    assert piece(text, expand_repeats=True).note_count == expected


def test_an_ending_is_left_even_if_its_repeat_counts_once() -> None:
    first = '<barline><ending number="1" type="stop"/><repeat direction="backward" times="1"/>'
    bars = [
        note("C4", 4),
        ending("1", "start") + note("D4", 4) + first + "</barline>",
        ending("2", "start") + note("E4", 4),
    ]
    played = piece(score(bars), expand_repeats=True)
    assert [each.pitch for each in played.notes] == [60, 62, 60, 64]


def test_repeats_without_end_are_refused() -> None:
    often = score([note("C4") + repeat("backward", ' times="999999999"')])
    assert "more than 100,000 bars" in result(often, expand_repeats=True).reason
    assert not result(often).reason


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
