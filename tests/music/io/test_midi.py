"""MIDI files: written by hand, read by other libraries, and damaged."""

import io
import random
import struct

import mido
import pretty_midi
import pytest
import symusic
from hypothesis import given, settings
from music21.midi import MidiFile

from seqgen.errors import MusicError
from seqgen.music.io.midi_writer import midi_bytes
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import Key, Meter
from seqgen.music.tokens.polyphony import restrict
from tests.music.pieces import any_pieces, read_midi

PICK_UP = Piece(
    (Part((Note(0, 12, 62), Note(12, 36, 67), Note(48, 36, 71, 100)), program=40),),
    bars=(0, 12),
    length=84,
    meters=((0, Meter(6, 8)),),
    keys=((0, Key(1, "minor")),),
    tempi=((0, 96.0),),
    title="Tune",
)


def file(*tracks: str, kind: int = 1, division: int = 24) -> bytes:
    """A MIDI file of tracks in hexadecimal."""
    chunks = [bytes.fromhex(track) for track in tracks]
    head = struct.pack(">4sIHHH", b"MThd", 6, kind, len(chunks), division)
    return head + b"".join(struct.pack(">4sI", b"MTrk", len(each)) + each for each in chunks)


@settings(max_examples=60)
@given(any_pieces)
def test_every_note_comes_back(piece: Piece) -> None:
    piece = restrict(piece)
    if not piece.notes:
        return
    again, _ = read_midi(midi_bytes(piece))

    def notes(piece: Piece) -> list[tuple[bool, tuple[Note, ...]]]:
        return sorted((part.is_drums, part.notes) for part in piece.parts)

    assert notes(again) == notes(piece)


def test_bars_meter_key_tempo_program_and_title_come_back() -> None:
    again, counts = read_midi(midi_bytes(PICK_UP))
    assert (again, again.title) == (PICK_UP, "Tune")
    assert not any(counts.values())


def test_mido_reads_what_was_written() -> None:
    read = mido.MidiFile(file=io.BytesIO(midi_bytes(PICK_UP)))
    now, struck, ended = 0, [], []
    for message in read.tracks[1]:
        now += message.time
        if message.type == "note_on":
            struck.append((now * 24 // read.ticks_per_beat, message.note, message.velocity))
        elif message.type == "note_off":
            ended.append((now * 24 // read.ticks_per_beat, message.note))
    assert struck == [(n.start, n.pitch, n.velocity) for n in PICK_UP.notes]
    assert ended == [(n.end, n.pitch) for n in PICK_UP.notes]
    kinds = {message.type: message for message in [*read.tracks[0], *read.tracks[1]]}
    assert kinds["key_signature"].key == "Em"
    assert (kinds["time_signature"].numerator, kinds["time_signature"].denominator) == (6, 8)
    assert kinds["set_tempo"].tempo == 625_000
    assert kinds["program_change"].program == 40


def test_pretty_midi_reads_what_was_written() -> None:
    read = pretty_midi.PrettyMIDI(io.BytesIO(midi_bytes(PICK_UP)))
    quarter = 60 / 96
    assert [(n.pitch, n.velocity) for n in read.instruments[0].notes] == [
        (62, 80), (67, 80), (71, 100)
    ]  # fmt: skip
    starts = [note.start / quarter * 24 for note in read.instruments[0].notes]
    assert starts == pytest.approx([0, 12, 48], abs=0.01)
    assert read.instruments[0].program == 40


def test_symusic_reads_what_was_written() -> None:
    read = symusic.Score.from_midi(midi_bytes(PICK_UP))
    notes = [(n.time // 20, n.duration // 20, n.pitch, n.velocity) for n in read.tracks[0].notes]
    assert notes == [tuple(note) for note in PICK_UP.notes]


def test_music21_reads_what_was_written() -> None:
    read = MidiFile()
    read.readstr(midi_bytes(PICK_UP))
    assert sum(event.isNoteOn() for event in read.tracks[1].events) == 3


def test_channels_of_a_file_of_format_0_are_parts() -> None:
    piece, _ = read_midi(
        file(
            "00 C0 28"  # channel 1 is a violin
            "00 90 3C 40  00 91 43 40  00 99 24 40"  # three channels at once, one of them drums
            "18 80 3C 00  00 81 43 00  00 89 24 00  00 FF 2F 00",
            kind=0,
        )
    )
    assert [(part.program, part.is_drums) for part in piece.parts] == [
        (40, False), (0, False), (0, True)
    ]  # fmt: skip
    assert [part.notes[0].pitch for part in piece.parts] == [60, 67, 36]


def test_running_status_and_velocity_0_as_an_end() -> None:
    piece, _ = read_midi(file("00 90 3C 40  18 3C 00  00 3E 40  18 3E 00  00 FF 2F 00"))
    assert piece.notes == (Note(0, 24, 60, 64), Note(24, 24, 62, 64))


def test_overlapping_notes_of_one_pitch_end_in_the_order_of_their_beginnings() -> None:
    piece, _ = read_midi(file("00 90 3C 40  0C 90 3C 41  0C 80 3C 00  18 80 3C 00  00 FF 2F 00"))
    assert piece.notes == (Note(0, 24, 60, 64), Note(12, 36, 60, 65))


def test_a_note_without_an_end_ends_with_its_track_and_is_counted() -> None:
    piece, counts = read_midi(file("00 90 3C 40  30 FF 2F 00"))
    assert piece.notes == (Note(0, 48, 60, 64),)
    assert counts["notes without an end"] == 1


def test_tracks_that_are_cut_off_or_missing_are_counted() -> None:
    note = "00 90 3C 40  18 80 3C 00"
    whole = f"{note} 00 FF 2F 00"
    for data, cut in (
        (file(whole, whole), 0),
        (file(whole, note), 1),  # ends without saying so
        (file(whole, whole)[:-4], 1),  # shorter than its length says
        (file(whole, whole + "00 00 00")[:-3], 0),  # whole up to its end event
        (file(whole, whole)[: -len(bytes.fromhex(whole))], 1),  # nothing but its head
        (file(whole, whole, whole)[: len(file(whole)) + 3], 2),
    ):
        piece, counts = read_midi(data)
        assert piece.parts[0].notes == (Note(0, 24, 60, 64),)
        assert counts["tracks cut off or missing"] == cut


def test_the_pedal_makes_notes_longer() -> None:
    piece, _ = read_midi(
        file(
            "00 B0 40 7F"  # down
            "00 90 3C 40  0C 80 3C 00"  # lasts an eighth, and sounds on
            "0C 90 3C 41  0C 80 3C 00"  # until it is struck again
            "0C B0 40 00  00 FF 2F 00"  # up
        )
    )
    assert piece.notes == (Note(0, 24, 60, 64), Note(24, 24, 60, 65))


def test_the_pedal_is_the_channels_in_whatever_track_it_stands() -> None:
    piece, _ = read_midi(
        file(
            "00 B0 40 7F  30 B0 40 00  00 FF 2F 00",  # down for two quarters
            "00 90 3C 40  0C 80 3C 00  00 91 40 40  0C 81 40 00  30 FF 2F 00",
        )
    )
    assert piece.notes == (Note(0, 48, 60, 64), Note(12, 12, 64, 64))  # channel 2 has none


def test_a_pedal_that_never_goes_up_holds_to_the_end_of_the_notes_track() -> None:
    piece, _ = read_midi(file("00 B0 40 7F  00 FF 2F 00", "00 90 3C 40  0C 80 3C 00  18 FF 2F 00"))
    assert piece.notes == (Note(0, 36, 60, 64),)


def test_a_program_of_another_track_holds_where_the_notes_have_none_of_their_own() -> None:
    note = "00 90 3C 40  18 80 3C 00  00 FF 2F 00"
    named = "00 C0 05 " + note  # one channel for several instruments, as some programs write
    changes = "00 C0 28  60 C0 29  00 FF 2F 00"
    later = note.replace("00 90", "60 90", 1)
    piece, _ = read_midi(file(note, named, later, changes))
    assert [part.program for part in piece.parts] == [40, 5, 41]


def test_parts_stand_in_the_order_of_their_tracks() -> None:
    piece, _ = read_midi(
        file("18 90 3C 40  18 80 3C 00  00 FF 2F 00", "00 91 40 40  0C 81 40 00  00 FF 2F 00")
    )
    assert [part.notes[0].pitch for part in piece.parts] == [60, 64]


def test_an_event_longer_than_what_is_read_at_once() -> None:
    text = "00 FF 01 A7 08" + "41" * 5000  # 5,000 letters
    piece, _ = read_midi(file(text + "18 90 3C 40  18 80 3C 00  00 FF 2F 00"))
    assert piece.notes == (Note(24, 24, 60, 64),)


def test_a_track_of_many_events() -> None:
    notes = "".join(f"0C 90 {48 + i % 12:02X} 40 0C 80 {48 + i % 12:02X} 00" for i in range(5000))
    piece, _ = read_midi(file(notes + "00 FF 2F 00"))
    assert [note.start for note in piece.notes] == list(range(12, 120_012, 24))


def test_changes_of_meter_key_and_tempo() -> None:
    piece, counts = read_midi(
        file(
            "00 FF 58 04 03 02 18 08  00 FF 59 02 FE 00"  # 3/4, two flats
            "48 FF 58 04 02 02 18 08  00 FF 51 03 0F 42 40"  # 2/4 and 60 quarters a minute
            "00 FF 58 04 17 05 18 08  00 FF 2F 00",  # 23/32, which nobody writes
            "00 90 3C 40  81 10 80 3C 00  00 FF 2F 00",
        )
    )
    assert piece.meters == ((0, Meter(3, 4)), (72, Meter(2, 4)))
    assert piece.bars == (0, 72, 120)
    assert piece.keys == ((0, Key(-2)),)
    assert piece.tempi == ((72, 60.0),)
    assert counts["odd meters"] == 1


def test_keys_move_to_the_nearest_bar_however_many_there_are() -> None:
    key = "84 58 FF 59 02 {:02X} 00"  # 600 ticks after the last: off the bars of 4/4
    keys = " ".join(key.format(i % 7) for i in range(15_000))
    piece, _ = read_midi(file("00 90 3C 40" + keys + "00 80 3C 00 00 FF 2F 00"))
    assert len(piece.bars) == 93_750
    assert piece.keys[:3] == ((576, Key(0)), (1152, Key(1)), (1824, Key(2)))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"MThd", "only the beginning"),
        (file("00 FF 2F 00"), "holds no notes"),
        (file("00 90 3C 40", kind=3), "format 3"),
        (file("00 90 3C 40", division=0xE700), "counts 0 ticks in every of 25 frames"),
        (file("00 90 3C 40", division=0x8028), "40 ticks in every of 128 frames"),
        (file("00 FF 2F 00", "00 FF 2F 00", kind=2), "holds no notes"),
        (file("00 90 3C 40", division=0), "no ticks"),
        (file("00 90 3C 40 FF FF FF 7F 80 3C 00", division=1), "lasts 67,108,863 bars"),
        (file("00 FF 58 04 01 05 18 08 00 90 3C 40 A0 80 00 80 3C 00"), "has 174,763 bars"),
        (file("00 90 3C"), "holds no notes; track 1 has an incomplete event at byte 22"),
        (file("00 3C 40 00"), "holds no notes; track 1 has data without a status at byte 22"),
        (file("81 82 83 84 00"), "track 1 has a number of more than four bytes at byte 22"),
        (file(), "has no tracks"),
        (bytes(33 << 20), "larger than 32 MB"),
    ],
)
def test_what_cannot_be_used_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(MusicError, match=reason):
        read_midi(data)


def test_more_notes_than_anybody_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqgen.music.io.midi_notes.MAX_NOTES", 2)
    with pytest.raises(MusicError, match="holds 3 notes; expected at most 2"):
        read_midi(midi_bytes(PICK_UP))


def test_damaged_files_are_read_or_refused() -> None:
    """Bytes are changed, removed and inserted at random; only `MusicError` may be raised."""
    chance = random.Random(0)
    whole = midi_bytes(PICK_UP)
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8])):
            place = chance.randrange(14, len(data))
            data[place : place + chance.choice([0, 1, 1, 5])] = chance.randbytes(
                chance.choice([0, 1, 1, 3])
            )
        try:
            piece, _ = read_midi(bytes(data))
        except MusicError:
            continue
        assert piece.notes
