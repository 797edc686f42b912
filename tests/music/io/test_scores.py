"""Scores are written and read again; formats that music21 reads."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from seqgen.music.io.abc_writer import abc_text
from seqgen.music.io.drum_staff import PLACES, drum_at, place_of
from seqgen.music.io.musicxml_writer import musicxml
from seqgen.music.io.read import is_music, read, read_file
from seqgen.music.io.write import write
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.pitch_names import piece_of
from seqgen.music.signatures import Key, Meter
from tests.music.pieces import any_pieces, tunes

TUNE = """X:1
T:A Tune
M:6/8
L:1/8
Q:1/4=100
K:Ador
E|A2B cBA|e3- e2{g}f|"Am"[ce]2 z (3cBA z|A3 A2|]

X:2
T:Another
M:3/4
L:1/4
K:Bb
|:B c d|[1 e3:|[2 f3|]
"""


def test_a_file_of_several_tunes() -> None:
    reading = read("tunes.abc", TUNE.encode())
    first, second = reading.pieces
    assert (first.title, second.title) == ("A Tune", "Another")
    assert (first.meter, first.key, first.tempo) == (Meter(6, 8), Key(1, "dorian"), 100)
    assert first.bar_lengths == (12, 72, 72, 72, 60)  # the pick-up and what it takes at the end
    tied = next(note for note in first.notes if note.start == 84)
    assert (tied.duration, tied.pitch) == (60, 76)  # e3-e2 is one note
    assert reading.counts["grace notes dropped"] == 1
    assert [n.pitch for n in first.notes if n.start == 156] == [72, 76]  # no chord symbol sounds
    triplet = [note for note in first.notes if note.duration == 8]
    assert [note.start for note in triplet] == [192, 200, 208]
    assert second.key == Key(-2)


def test_an_accidental_holds_to_the_end_of_its_bar() -> None:
    tune = "X:1\nM:4/4\nL:1/4\nK:C\n^FGFG|FGAB|cdef|]\n"
    assert [note.pitch for note in read("a.abc", tune.encode()).pieces[0].notes[:5]] == [
        66, 67, 66, 67, 65
    ]  # fmt: skip


def test_repeats_are_written_out_only_if_asked() -> None:
    as_written = read("tunes.abc", TUNE.encode()).pieces[1]
    expanded = read("tunes.abc", TUNE.encode(), expand_repeats=True).pieces[1]
    assert [note.pitch for note in as_written.notes] == [70, 72, 74, 75, 77]
    assert [note.pitch for note in expanded.notes] == [70, 72, 74, 75, 70, 72, 74, 77]


def test_bars_that_do_not_fill_their_meter_stay_as_they_are() -> None:
    tune = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GA:|Bc|defg|]\n"
    assert read("tune.abc", tune.encode()).pieces[0].bar_lengths == (96, 48, 48, 96)


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("page.musicxml", b"<score-partwise><part", "cannot be read as music"),
        ("empty.abc", b"", "is empty"),
        ("silent.abc", b"X:1\nM:4/4\nK:C\nz4|]\n", "holds no notes"),
        ("letter.txt", b"Dear Sir", "is no music"),
        ("score.mxl", b"PK\x03\x04broken", "cannot be read as music"),
        ("tune.mid", b"Dear Sir", "is no MIDI file"),
    ],
)
def test_what_cannot_be_used_says_why(name: str, data: bytes, reason: str) -> None:
    assert reason in read(name, data).reason


def test_humdrum() -> None:
    kern = "**kern\t**kern\n*M3/4\t*M3/4\n*k[f#]\t*k[f#]\n=1\t=1\n4GG\t4g\n4D\t8a\n.\t8b\n"
    kern += "4GG\t4cc\n=2\t=2\n2.GG\t2.dd\n==\t==\n*-\t*-\n"
    (piece,) = read("waltz.krn", kern.encode()).pieces
    assert (piece.meter, piece.key, piece.bar_lengths) == (Meter(3, 4), Key(1), (72, 72))
    assert sorted(len(part.notes) for part in piece.parts) == [4, 5]


MEI = """<?xml version="1.0"?><mei xmlns="http://www.music-encoding.org/ns/mei"><music><body><mdiv>
<score><scoreDef meter.count="2" meter.unit="4"><staffGrp><staffDef n="1" lines="5" clef.shape="G"
clef.line="2" trans.semi="-2" trans.diat="-1"/></staffGrp></scoreDef><section>
<measure n="1"><staff n="1"><layer n="1"><chord dur="2"><note pname="c" oct="5" tie="i"/>
<note pname="e" oct="5"/></chord></layer></staff></measure>
<measure n="2"><staff n="1"><layer n="1"><chord dur="2"><note pname="c" oct="5" tie="t"/>
<note pname="e" oct="5"/></chord></layer></staff></measure></section></score>
</mdiv></body></music></mei>"""


def test_mei_is_read_as_it_sounds_with_ties_for_every_note_of_a_chord() -> None:
    (piece,) = read("song.mei", MEI.encode()).pieces
    assert [note[:3] for note in piece.notes] == [(0, 48, 74), (0, 96, 70), (48, 48, 74)]


def test_whatever_music21_raises_is_a_reason() -> None:
    assert "cannot be read as music" in read("song.mei", MEI[:-40].encode()).reason


def test_one_bad_tune_does_not_cost_the_others() -> None:
    bad = "X:8\nM:4/4\nK:C\n[[[(((||[\n\nX:9\nT:Silence\nM:4/4\nL:1/4\nK:C\nz4|]\n\n"
    reading = read("tunes.abc", (bad + TUNE).encode())
    assert [piece.title for piece in reading.pieces] == ["A Tune", "Another"]
    assert reading.skipped == (
        "X:8 holds no notes", "X:9 holds no notes"
    )  # fmt: skip


def test_what_stands_before_the_first_tune_holds_for_all_and_no_number_hides_another() -> None:
    tunes = "M:3/4\nL:1/4\n\nX:1\nK:G\nGAB|\n\nX:1\nK:D\nDEF|\n"
    first, second = read("tunes.abc", tunes.replace("\n", "\r\n").encode()).pieces
    assert (first.meter, first.key, first.length) == (Meter(3, 4), Key(1), 72)
    assert (second.meter, second.key, second.length) == (Meter(3, 4), Key(2), 72)


def test_abc_in_latin_1() -> None:
    tune = "X:1\nT:Café\nM:4/4\nL:1/4\nK:C\nCDEF|\n"
    for encoding in ("utf-8", "utf-8-sig", "latin-1"):
        (piece,) = read("a.abc", tune.encode(encoding)).pieces
        assert piece.title == "Café", encoding


@pytest.mark.filterwarnings("default")
def test_reading_is_silent_and_guesses_are_counted(capfd: pytest.CaptureFixture[str]) -> None:
    one = Part((Note(0, 96, 60),))
    crowd = musicxml(Piece((one,) * 17, (0,), 96))  # more parts than MIDI has channels
    capfd.readouterr()
    assert not read("a.musicxml", crowd).counts.get("music21 warnings")
    assert capfd.readouterr().err == ""


def test_what_is_music() -> None:
    assert is_music("a.MID", b"") and is_music("noending", b"MThd") and is_music("b.krn", b"")
    assert is_music("c.xml", b'<?xml version="1.0"?><score-partwise version="4.0">')
    assert not is_music("c.xml", b"<html>") and not is_music("d.txt", b"X:1")


@settings(max_examples=150, deadline=None)
@given(tunes())
def test_abc_and_musicxml_are_read_back(piece: Piece) -> None:
    for name, data in (("a.abc", abc_text(piece).encode()), ("a.musicxml", musicxml(piece))):
        again = read(name, data).pieces[0]
        assert again.notes == piece.notes, name
        assert again.bars == piece.bars, name
        assert (again.meter, again.key) == (piece.meter, piece.key), name


TRIPLETS = "C4/8t D4/8t E4/8t F4/4t G4/8t r/4 A4/16t B4/16t C5/16t D5/8"


def test_triplets_have_signs() -> None:
    piece = piece_of(TRIPLETS)
    # Three notes in the time of two; and two, as long as three would be.
    assert "(3CDE (3:2:2F2G z2 (3A/2B/2c/2d|" in abc_text(piece)
    score = musicxml(piece).decode()
    signs = re.findall(r'<tuplet [^>]*type="(\w+)"', score)
    assert signs == ["start", "stop"] * 3
    assert score.count('bracket="yes"') == 3
    assert score.count("<time-modification>") == 8
    for name, data in (("a.abc", abc_text(piece).encode()), ("a.musicxml", musicxml(piece))):
        assert read(name, data).pieces[0].notes == piece.notes, name


def test_a_triplet_cut_by_a_bar_line_has_signs_on_both_sides() -> None:
    piece = Piece((Part((Note(80, 32, 60), Note(112, 16, 62))),), (0, 96), 192)
    assert "(3:2:2z10C2-| (3C2D2z8|]" in abc_text(piece)
    signs = re.findall(r'<tuplet [^>]*type="(\w+)"', musicxml(piece).decode())
    assert signs == ["start", "stop"] * 2
    assert read("a.abc", abc_text(piece).encode()).pieces[0].notes == piece.notes
    assert read("a.xml", musicxml(piece)).pieces[0].notes == piece.notes


@pytest.mark.parametrize(
    "title", ["Bell\a \x1b[31mred\r\nX:2", "100 % & <b> \\'e", "\ud800\uffff \x85", "$x$", "うた"]
)
def test_titles_of_any_characters(title: str) -> None:
    piece = replace(piece_of("C4/4"), title=title)
    for name, data in (("a.abc", abc_text(piece).encode()), ("a.musicxml", musicxml(piece))):
        (again,) = read(name, data).pieces
        assert again.notes == piece.notes
        assert again.title.split() == (piece.title or "tune").split(), name


@pytest.mark.parametrize("name", ["a.mid", "a.midi", "a.xml", "a.musicxml", "a.mxl", "a.abc"])
def test_what_can_be_read_can_be_written(name: str, tmp_path: Path) -> None:
    write(piece_of(TRIPLETS), tmp_path / name)
    assert read_file(tmp_path / name).pieces[0].notes == piece_of(TRIPLETS).notes
    assert (tmp_path / name).read_bytes().startswith(b"PK") == (name == "a.mxl")


def test_voices_are_written_to_abc_and_musicxml() -> None:
    voices = Part((Note(0, 48, 72), Note(48, 48, 74)), 40), Part((Note(0, 96, 48),), 42)
    piece = Piece(voices, (0,), 96, ((0, Meter(4, 4)),), ((0, Key(0)),))
    for name, data in (("a.abc", abc_text(piece).encode()), ("a.musicxml", musicxml(piece))):
        again = read(name, data).pieces[0]
        assert [part.notes for part in again.parts] == [part.notes for part in piece.parts], name
    assert "clef=bass" in abc_text(piece)
    assert [part.program for part in read("a.musicxml", musicxml(piece)).pieces[0].parts] == [
        40,
        42,
    ]


def test_chords_and_overlaps_share_a_stave() -> None:
    chord = Note(0, 48, 60), Note(0, 48, 64), Note(0, 48, 67), Note(0, 96, 48), Note(48, 48, 65)
    piece = Piece((Part(chord),), (0, 96), 192, ((0, Meter(4, 4)),), ((0, Key(0)),))
    assert "[CEG]4" in abc_text(piece)
    (part,) = read("a.musicxml", musicxml(piece)).pieces[0].parts
    assert part.notes == piece.notes
    lines = read("a.abc", abc_text(piece).encode()).pieces[0]
    assert lines.notes == piece.notes


@settings(max_examples=50, deadline=None)
@given(any_pieces)
def test_whatever_there_is_can_be_written(piece: Piece) -> None:
    assert abc_text(piece) and musicxml(piece)


def test_chords_write_every_accidental_since_some_carry_none_into_them() -> None:
    notes = (Note(0, 24, 61), Note(24, 24, 61), Note(24, 24, 66), Note(48, 48, 60))
    piece = Piece((Part(notes),), (0,), 96, ((0, Meter(4, 4)),), ((0, Key(0)),))
    assert "^C2 [^C^F]2 =C4" in abc_text(piece)
    assert read("a.abc", abc_text(piece).encode()).pieces[0].notes == notes


def test_players_of_abc_are_told_the_instruments() -> None:
    fiddle, drums = Part((Note(0, 96, 72),), 40), Part((Note(0, 96, 36),), is_drums=True)
    lines = abc_text(Piece((fiddle, drums), (0,), 96)).splitlines()
    assert lines.index("%%MIDI program 40") == lines.index("V:1 clef=treble") + 1
    assert lines.index("%%MIDI channel 10") == lines.index("V:2 clef=bass") + 1
    assert "%%MIDI" not in abc_text(piece_of("C4/1"))


def test_drums_stay_drums() -> None:
    kit = (36, 38, 42, 46, 36, 49, 60, 76)
    beats = *(Note(24 * i, 24, drum) for i, drum in enumerate(kit)), Note(24, 24, 42)
    parts = Part((Note(0, 192, 60),), 40), Part((*beats, Note(192, 192, 81)), is_drums=True)
    piece = Piece(parts, (0, 96, 192, 288), 384, ((0, Meter(4, 4)),), ((0, Key(2)),))
    data = musicxml(piece)
    for word in (b"<sign>percussion", b"<midi-channel>10<", b"<part-name>drums<", b">x</notehead>"):
        assert word in data
    assert data.count(b"<fifths>2") == 1  # drums have no key
    fiddle, drums = read("a.musicxml", data).pieces[0].parts
    assert (fiddle.program, fiddle.is_drums) == (40, False)
    assert drums == parts[1]
    elsewhere = re.sub(rb"<display-step>.", b"<display-step>B", data)  # other programs' places
    assert read("a.musicxml", elsewhere).pieces[0].parts[1] == parts[1]
    assert read("a.musicxml", musicxml(replace(piece, parts=parts[::-1]))).pieces[0].key == Key(2)


def test_more_parts_than_midi_has_channels(capfd: pytest.CaptureFixture[str]) -> None:
    notes = (Note(0, 96, 60),)
    parts = [Part(notes, program, is_drums=program in (2, 18)) for program in range(20)]
    written = musicxml(Piece(tuple(parts), (0,), 96)).decode()
    channels = [int(each) for each in re.findall(r"<midi-channel>(\d+)<", written)]
    assert channels == [1, 2, 10, *range(3, 10), *range(11, 17), 1, 2, 10, 3]
    assert capfd.readouterr().err == ""


def test_every_drum_has_a_place_of_its_own() -> None:
    assert sorted(PLACES) == list(range(35, 82))
    assert all(drum_at(*place_of(drum)) == drum for drum in PLACES)


def test_parts_have_names_and_a_pick_up_is_no_bar() -> None:
    strings = Part((Note(0, 12, 60), Note(12, 60, 72)), 48)
    piece = Piece((strings,), (0, 12), 84, ((0, Meter(6, 8)),), ((0, Key(0)),))
    written = musicxml(piece).decode()
    assert "<part-name>string ensemble 1</part-name>" in written
    assert 'number="0"' in written and 'number="1"' in written and 'number="2"' not in written
    dotted, quarter = written.index("<dot />"), written.rindex("<type>quarter</type>")
    assert dotted < quarter  # the beat of three eighths, tied to what is left


def test_accidentals_are_written_once_in_a_bar() -> None:
    piece = piece_of("C#4/4 C#4/4 C4/2 C#4/1")
    assert abc_text(piece).splitlines()[-1] == "^C2 C2 =C4| ^C8|]"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_file(tmp_path / "tune.mid")
