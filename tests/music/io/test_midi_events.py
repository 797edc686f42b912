"""MIDI files as other programs write them: every kind of mistake, and the notes that come out.

Each track below is a scale, C D E F in quarters, with something odd in it.
"""

import struct
from itertools import islice

import pytest

from seqgen.errors import MusicError
from seqgen.music.io.read import read
from seqgen.music.piece import Note
from tests.fuzz import midi as fuzz
from tests.music.io.test_midi import file
from tests.music.pieces import read_midi

C = "00 90 3C 50  18 80 3C 00"  # note-on at once, note-off after a quarter
D = "00 90 3E 50  18 80 3E 00"
E = "00 90 40 50  18 80 40 00"
F = "00 90 41 50  18 80 41 00"
END = "00 FF 2F 00"
SCALE = f"{C} {D} {E} {F} {END}"
EVERY_NOTE = [(0, 24, 60), (24, 24, 62), (48, 24, 64), (72, 24, 65)]


def notes(data: bytes) -> list[tuple[int, int, int]]:
    return [(note.start, note.duration, note.pitch) for note in read_midi(data)[0].notes]


def counts(data: bytes) -> dict[str, float]:
    return {name: count for name, count in read_midi(data)[1].items() if count}


@pytest.mark.parametrize(
    "odd",
    [
        "00 F8",  # timing clock: one byte without data
        "00 FE 00 FA",  # active sensing, start
        "00 F1 05",  # time code: one byte of data
        "00 F2 05 06",  # song position: two
        "00 F3 05",  # song select: one
        "00 F6  00 F4  00 F5",  # tune request, and two that nobody defined
        "00 F0 03 7E 09 F7",  # system exclusive
        "00 F0 02 43 12",  # without F7
        "00 F0 03 43 12 00  00 F7 03 43 12 00  00 F7 02 43 F7",  # in packets
        "80 80 80 80 80 00 F8",  # a time of six bytes, which is 0
        "00 FF 00 00",  # a sequence number of no bytes
        "00 FF 60 03 61 62 63",  # a meta event that nobody defined
        "00 FF 01 80 80 80 80 02 61 62",  # a length of five bytes, which is 2
        "00 FF 58 02 03 02",  # a meter of two bytes, 3/4
        "00 FF 51 03 00 00 00",  # a tempo of 0
        "00 FF 51 00",  # and none
        "00 FF 59 02 80 00",  # a key of 128 flats
        "00 80 3C 00",  # the end of a note that does not sound
        "00 B0 40 3F",  # a pedal that is almost down
        "00 B0 42 7F",  # sostenuto
        "00 E0 00 20  00 D0 40  00 A0 3C 40  00 C0 05",  # bend, pressures, program
    ],
)
def test_what_is_no_note_changes_no_note(odd: str) -> None:
    assert notes(file(f"{odd} {SCALE}")) == EVERY_NOTE
    assert notes(file(f"{C} {D} {odd} {E} {F} {END}")) == EVERY_NOTE
    assert not counts(file(f"{C} {D} {odd} {E} {F} {END}"))


@pytest.mark.parametrize("odd", ["00 F8", "00 F0 03 7E 09 F7", "00 FF 01 01 61", "00 F2 05 06"])
def test_running_status_continues_after_other_messages(odd: str) -> None:
    assert notes(file(f"00 90 3C 50  18 3C 00  {odd}  00 3E 50  18 3E 00 {END}")) == EVERY_NOTE[:2]


@pytest.mark.parametrize("odd", ["00 90 C8 50", "00 90 3C C8", "00 B0 A8 40", "00 C0 80"])
def test_messages_with_data_above_127_are_left_out_and_counted(odd: str) -> None:
    data = file(f"{C} {odd} {D} {E} {F} {END}")
    assert notes(data) == EVERY_NOTE
    assert counts(data) == {"damaged events": 1}


def test_a_system_exclusive_message_without_its_length() -> None:
    assert notes(file(f"00 F0 7E 7F 09 01 F7 {SCALE}")) == EVERY_NOTE  # 7E is no length


def chunk(name: bytes, content: str, length: int | None = None) -> bytes:
    data = bytes.fromhex(content)
    return struct.pack(">4sI", name, len(data) if length is None else length) + data


HEAD = struct.pack(">4sIHHH", b"MThd", 6, 1, 2, 24)
TEMPO = chunk(b"MTrk", "00 FF 51 03 07 A1 20" + END)
LONG_HEAD = struct.pack(">4sIHHHI", b"MThd", 10, 1, 2, 24, 0)


@pytest.mark.parametrize(
    "data",
    [
        HEAD + TEMPO + chunk(b"MTrk", SCALE, 0),  # written before the length was known
        HEAD + TEMPO + chunk(b"MTrk", SCALE, 0xFFFFFFFF),
        HEAD + TEMPO + chunk(b"MTrk", SCALE, 10),  # too short
        HEAD + TEMPO + chunk(b"MTrk", SCALE, 44),  # too long
        HEAD + chunk(b"MTrk", SCALE, 0) + TEMPO,
        HEAD + chunk(b"MTrk", SCALE, 60) + TEMPO,  # into the next track
        HEAD + chunk(b"MTrk", SCALE, 10) + TEMPO,
        HEAD + TEMPO + b"\0" + chunk(b"MTrk", SCALE),  # a stray byte
        HEAD + TEMPO + chunk(b"MTrk", SCALE) + b"\n",
        HEAD + TEMPO + chunk(b"XFIH", "61 62 63 64") + chunk(b"MTrk", SCALE),  # a chunk of Yamaha
        LONG_HEAD + TEMPO + chunk(b"MTrk", SCALE),
        HEAD[:7] + b"\x09" + HEAD[8:] + TEMPO + chunk(b"MTrk", SCALE),  # a header of wrong length
        bytes(128) + HEAD + TEMPO + chunk(b"MTrk", SCALE),  # a file of an old Macintosh
        b"RIFF\0\0\0\0RMIDLIST\4\0\0\0INFOdata\0\0\0\0" + HEAD + TEMPO + chunk(b"MTrk", SCALE),
    ],
)
def test_tracks_are_found_wherever_they_are(data: bytes) -> None:
    assert notes(data) == EVERY_NOTE
    assert not counts(data)


@pytest.mark.parametrize(
    ("track", "name"),
    [
        (f"{C} {D} {E} {F}", "tracks cut off or missing"),  # no end event
        (f"{C} {D} {E} {F} 00 90 48", "tracks cut off or missing"),
        (f"{C} {D} {E} {F} 00 FF 03 7F 61", "tracks cut off or missing"),
        (f"{C} {D} {E} {F} 81 82 83", "tracks cut off or missing"),
        (f"{C} {D} {E} {F} {'FF' * 1000} 00 {D}",
         "tracks read up to a number of more than four bytes"),
        (f"{C} {D} {E} {F} 00 FF 01 FF FF FF FF 00 {D}",
         "tracks read up to a number of more than four bytes"),
    ],
)  # fmt: skip
def test_a_damaged_track_is_read_up_to_the_damage(track: str, name: str) -> None:
    assert notes(file(track)) == EVERY_NOTE
    assert counts(file(track, SCALE)) == {name: 1}


def test_data_without_a_status_ends_a_track() -> None:
    data = file(f"00 3C 50 {SCALE}", SCALE)
    assert notes(data) == EVERY_NOTE
    assert counts(data) == {"tracks read up to data without a status": 1}


def test_endless_numbers_do_not_take_endless_time() -> None:
    """An event loop before this one hung on them."""
    with pytest.raises(MusicError, match="a number of more than four bytes at byte 22"):
        read_midi(file("FF" * 1000 + "00 90 3C 50"))
    many = "FF" * 40 + "00 90 3C 50"
    with pytest.raises(MusicError, match="holds no notes; track 1 has"):
        read_midi(file(*[many] * 60))


# A note-off that is missing must not change any note but its own.
ON, OFF = "90 3C 50", "80 3C 00"


@pytest.mark.parametrize(
    ("track", "expected", "unended"),
    [
        # The first note has no note-off: it ends where the second begins.
        (f"00 {ON}  30 {ON}  18 {OFF}  60 {ON}  18 {OFF}", [(0, 48), (48, 24), (168, 24)], 1),
        # The second has none.
        (f"00 {ON}  18 {OFF}  18 {ON}  18 {ON}  18 {OFF}", [(0, 24), (48, 24), (72, 24)], 1),
        # The last has none; the others end where the next begins, note-ons first.
        (f"00 {ON}  18 {ON}  00 {OFF}  18 {ON}  00 {OFF}", [(0, 24), (24, 24), (48, 24)], 1),
        # All have one, and overlap: the first to begin is the first to end.
        (f"00 {ON}  0C {ON}  0C {OFF}  18 {OFF}", [(0, 24), (12, 36)], 0),
        # One begins twice at once.
        (f"00 {ON}  00 {ON}  18 {OFF}", [(0, 24), (0, 24)], 1),
        # Overlapping ones before a gap keep their ends.
        (f"00 {ON}  0C {ON}  0C {OFF}  0C {OFF}  0C {ON}  18 {ON}  18 {OFF}",
         [(0, 24), (12, 24), (48, 24), (72, 24)], 1),
        # A note of no length.
        (f"00 {ON}  00 {OFF}  18 {ON}  18 {OFF}", [(0, 1), (24, 24)], 0),
    ],
)  # fmt: skip
def test_missing_note_offs(track: str, expected: list[tuple[int, int]], unended: int) -> None:
    piece, found = read_midi(file(f"{track} 18 FF 2F 00"))
    assert [(note.start, note.duration) for note in piece.notes] == expected
    assert found["notes without an end"] == unended


@pytest.mark.parametrize("controller", ["78", "7B", "7C", "7F"])
def test_all_notes_off_ends_all_notes_of_the_channel(controller: str) -> None:
    data = file(
        "00 90 3C 50  00 91 43 50"  # C on channel 1, G on channel 2
        f"18 B0 {controller} 00"
        f"00 90 3E 50  18 80 3E 00  18 81 43 00 {END}"  # D; G ends
    )
    assert notes(data) == [(0, 24, 60), (0, 72, 67), (24, 24, 62)]
    assert not counts(data)


def test_the_pedal_is_lifted_by_a_reset_and_holds_what_all_notes_off_ends() -> None:
    down = "00 B0 40 7F"
    assert notes(file(f"{down} {C} 18 B0 79 00 {D} {END}")) == [(0, 48, 60), (48, 24, 62)]
    held = f"{down} 00 90 3C 50  18 B0 7B 00  18 B0 40 00 {END}"
    assert notes(file(held)) == [(0, 48, 60)]
    silenced = f"{down} 00 90 3C 50  18 B0 78 00  18 B0 40 00 {END}"
    assert notes(file(silenced)) == [(0, 24, 60)]


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("Für Elise".encode(), "Für Elise"),
        ("Für Elise".encode("latin-1"), "Für Elise"),
        ("L\u2019été, élégie".encode("cp1252"), "L\u2019été, élégie"),
        ("さくら さくら".encode("shift-jis"), "さくら さくら"),
        ("交響曲第5番".encode("shift-jis"), "交響曲第5番"),
        (b"\0Tune\x1b[2J\n\0 ", "Tune [2J"),
    ],
)
def test_titles_in_any_encoding(data: bytes, title: str) -> None:
    piece, _ = read_midi(file(f"00 FF 03 {len(data):02X} {data.hex()} {SCALE}"))
    assert piece.title == title


def test_programs_and_pedals_in_the_order_of_a_track() -> None:
    """What follows a note in its own track does not change it, even at the same tick."""
    piece, _ = read_midi(file(f"00 90 3C 50  00 C0 28  18 80 3C 00 {D} {END}"))
    assert [(part.program, part.notes[0].pitch) for part in piece.parts] == [(0, 60), (40, 62)]
    assert notes(file(f"00 90 3C 50  18 80 3C 00  00 B0 40 7F  18 B0 40 00 {END}")) == [(0, 24, 60)]


def test_a_file_may_hold_more_tracks_than_its_header_says() -> None:
    data = HEAD[:10] + b"\0\1" + HEAD[12:] + TEMPO + chunk(b"MTrk", SCALE)
    assert notes(data) == EVERY_NOTE


def test_wrong_names_do_not_hide_midi() -> None:
    assert read("tune.txt", file(SCALE)).pieces[0].notes[0] == Note(0, 24, 60, 80)


def test_every_track_of_format_2_is_a_piece() -> None:
    slow = f"00 FF 51 03 0F 42 40 {C} {END}"
    result = read("a.mid", file(slow, END, f"{D} {E} {END}", kind=2))
    first, second = result.pieces
    assert [note.pitch for note in first.notes] == [60]
    assert [note[:2] for note in second.notes] == [(0, 24), (24, 24)]
    assert (first.tempi, second.tempi) == (((0, 60),), ())
    assert len(result.skipped) == 1  # the empty track


FRAMES = 0xE728  # 25 frames of 40 ticks: a tick is a millisecond


def test_time_in_film_frames() -> None:
    half_seconds = "00 90 3C 50  83 74 80 3C 00  00 90 3E 50  83 74 80 3E 00"
    assert notes(file(f"{half_seconds} {END}", division=FRAMES)) == EVERY_NOTE[:2]


def test_time_in_film_frames_follows_changes_of_tempo() -> None:
    """At 60 quarters a minute, half a second is an eighth; later, at 120, a quarter."""
    slow, fast = "00 FF 51 03 0F 42 40", "00 FF 51 03 07 A1 20"
    half = "83 74"
    track = f"{slow} 00 90 3C 50 {half} 80 3C 00 {fast} 00 90 3E 50 {half} 80 3E 00 {END}"
    piece, _ = read_midi(file(track, division=FRAMES))
    assert [note[:3] for note in piece.notes] == [(0, 12, 60), (12, 24, 62)]
    assert piece.tempi == ((0, 60), (12, 120))


def test_tempi_that_nobody_plays() -> None:
    """15 million microseconds a quarter are 4 quarters a minute; 1 is 60 million."""
    odd = "00 FF 51 03 E4 E1 C0 00 FF 51 03 00 00 01 00 FF 51 03 0F 42 40"
    data = file(f"{odd} {SCALE}")
    assert read_midi(data)[0].tempi == ((0, 60),)
    assert counts(data) == {"odd tempi": 2}


@pytest.mark.parametrize("seed", range(3))
def test_random_files_are_read_or_refused(seed: int) -> None:
    """`make fuzz` tries many more."""
    read_, refused = 0, 0
    for data in islice(fuzz.cases(seed), 100):
        try:
            fuzz.run(data)
        except MusicError:
            refused += 1
        else:
            read_ += 1
    assert read_ > 20 and refused > 5


@pytest.mark.parametrize(
    ("limit", "most", "reason"),
    [
        ("midi_scan.MAX_EVENTS", 8, "holds 9 events, 1 of them meta events; expected at most 8"),
        ("midi_scan.MAX_METAS", 0, "1 of them meta events; expected at most 3,000,000 and 0"),
        ("midi_events.MAX_TRACKS", 1, "has more than 1 tracks"),
    ],
)
def test_more_than_any_music_has(
    limit: str, most: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = file(SCALE, SCALE) if limit == "midi_events.MAX_TRACKS" else file(SCALE)
    monkeypatch.setattr(f"seqgen.music.io.{limit}", most)
    with pytest.raises(MusicError, match=reason):
        read_midi(data)
