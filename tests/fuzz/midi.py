"""Random MIDI files, well-formed and damaged, and what must hold for every one of them.

A file is read, or refused with a `MusicError`; what was read can be written, and then has as many
notes as before.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from seqgen.music.io.midi_reader import read_midi
from seqgen.music.io.midi_writer import midi_bytes
from tests.fuzz.mutate import mutated

MOST_WRITTEN = 1000  # notes; music21, which writes them, takes a second for these
TEXTS = (b"Title", "F\xfcr Elise".encode("latin-1"), "\u3046\u305f".encode("shift-jis"), b"$\0\x1b")


def cases(seed: int) -> Iterator[bytes]:
    """Yield files without end, the same for the same seed."""
    draw = random.Random(seed)
    while True:
        data = _file(draw)
        for _ in range(draw.choice((0, 1, 1, 2, 4, 8))):
            data = draw.choice(CHANGES)(data, draw)
        yield data


def run(data: bytes) -> None:
    """Read a file, and write what it holds.

    Raises:
        MusicError: the file is refused.
        AssertionError: notes were lost.
    """
    result = read_midi(data)
    assert min(result.counts.values()) >= 0
    for piece in result.pieces:
        assert piece.note_count > 0
        if piece.note_count <= MOST_WRITTEN:
            assert read_midi(midi_bytes(piece)).notes == piece.note_count


def _file(draw: random.Random) -> bytes:
    kind = draw.choices((0, 1, 2, draw.randrange(1 << 16)), (6, 12, 2, 1))[0]
    division = draw.choice((24, 96, 480, 480, 1, 32767, 0xE728, 0xE250, draw.randrange(1 << 16)))
    tracks = [_track(draw) for _ in range(draw.choice((0, 1, 1, 2, 3, 17)))]
    head = struct.pack(">4sIHHH", b"MThd", 6, kind, len(tracks), division)
    return head + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


def _track(draw: random.Random) -> bytes:
    events = b"".join(_event(draw) for _ in range(draw.choice((0, 3, 20, 200))))
    return events + draw.choice((b"\0\xff\x2f\0", b"\0\xff\x2f\0", b""))


def _event(draw: random.Random) -> bytes:
    """Return an event after a time: mostly notes of a few pitches, and all others."""
    wait = _number(draw.choice((0, 0, 6, 24, 96, 100, draw.randrange(1 << 14))))
    channel = draw.choice((0, 0, 1, 9))
    pitch, value = draw.randrange(58, 64), draw.choice((0, 63, 64, 127))
    return wait + draw.choice((
        bytes((0x90 | channel, pitch, value)),
        bytes((0x90 | channel, pitch, value)),
        bytes((0x80 | channel, pitch, value)),
        bytes((pitch, value)),  # in running status
        bytes((0xB0 | channel, draw.choice((64, 66, 120, 121, 123, 127)), value)),
        bytes((0xC0 | channel, value)),
        bytes((draw.randrange(0xF0, 0x100),)),
        bytes((0xF0, 3, 1, 2, 0xF7)),
        _meta(draw),
    ))  # fmt: skip


def _meta(draw: random.Random) -> bytes:
    kind = draw.choice((0x01, 0x03, 0x21, 0x51, 0x58, 0x59, draw.randrange(256)))
    content = draw.choice((
        draw.choice(TEXTS),
        draw.randbytes(draw.choice((0, 1, 2, 3, 4, 5))),
        bytes((draw.randrange(8), draw.randrange(6), 24, 8)),
    ))  # fmt: skip
    return bytes((0xFF, kind)) + _number(len(content)) + content


def _number(number: int) -> bytes:
    """Return a number of variable length."""
    data = [number & 0x7F]
    while number := number >> 7:
        data.insert(0, number & 0x7F | 0x80)
    return bytes(data)


def _place(data: bytes, draw: random.Random) -> int:
    return draw.randrange(len(data) + 1)


def _insert_run(data: bytes, draw: random.Random) -> bytes:
    """Insert many equal bytes: numbers that do not end, tracks of zeros, and the like."""
    place = _place(data, draw)
    byte = draw.choice((0x00, 0x7F, 0x80, 0x81, 0x90, 0xC0, 0xF0, 0xF7, 0xF8, 0xFF))
    return data[:place] + bytes((byte,)) * draw.choice((4, 5, 60, 1000, 20_000)) + data[place:]


def _insert_words(data: bytes, draw: random.Random) -> bytes:
    place = _place(data, draw)
    word = draw.choice((
        b"MThd", b"MTrk", b"MTrk\0\0\0\0", b"MTrk\xff\xff\xff\xff", b"XFIH\0\0\0\4abcd", b"RIFF",
        b"\xff\xff\xff\x7f", b"\xff\x58\x04\x01\x05\x18\x08", b"\0\xff\x2f\0", b"\xf0\xff\x7f",
    ))  # fmt: skip
    return data[:place] + word + data[place:]


def _change_length(data: bytes, draw: random.Random) -> bytes:
    """Change the length of a track, or of the header."""
    place = data.find(draw.choice((b"MTrk", b"MTrk", b"MThd")), draw.randrange(99))
    if place < 0:
        return data
    old = int.from_bytes(data[place + 4 : place + 8], "big")
    new = draw.choice((0, 1, old - 1, old + 1, old + 100, 1 << 31, (1 << 32) - 1)) % (1 << 32)
    return data[: place + 4] + new.to_bytes(4, "big") + data[place + 8 :]


CHANGES = (mutated, mutated, mutated, _insert_run, _insert_words, _change_length)
