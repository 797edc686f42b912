"""Random MIDI files, well-formed and damaged, and what must hold for every one of them.

A file is read, or refused with a `MusicError`; what was read can be written, and then has as many
notes as before.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

from seqgen.music.io.midi_reader import read_midi
from seqgen.music.io.midi_writer import midi_bytes

MOST_WRITTEN = 1000  # notes; music21, which writes them, takes a second for so many
TEXTS = (b"Title", "F\xfcr Elise".encode("latin-1"), "\u3046\u305f".encode("shift-jis"), b"$\0\x1b")


def cases(seed: int) -> Iterator[bytes]:
    """Yield files without end, the same for the same seed."""
    chance = random.Random(seed)
    while True:
        data = _file(chance)
        for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
            data = chance.choice(MUTATORS)(chance, data)
        yield data


def run(data: bytes) -> None:
    """Read a file, and write what it holds.

    Raises:
        MusicError: the file is refused.
        AssertionError: notes were lost.
    """
    piece, counts = read_midi(data)
    assert piece.note_count > 0 and min(counts.values()) >= 0
    if piece.note_count <= MOST_WRITTEN:
        again, _ = read_midi(midi_bytes(piece))
        assert again.note_count == piece.note_count


def _file(chance: random.Random) -> bytes:
    kind = chance.choices((0, 1, chance.randrange(1 << 16)), (3, 6, 1))[0]
    division = chance.choice((24, 96, 480, 480, 1, 32767, chance.randrange(1 << 16)))
    tracks = [_track(chance) for _ in range(chance.choice((0, 1, 1, 2, 3, 17)))]
    head = struct.pack(">4sIHHH", b"MThd", 6, kind, len(tracks), division)
    return head + b"".join(struct.pack(">4sI", b"MTrk", len(track)) + track for track in tracks)


def _track(chance: random.Random) -> bytes:
    events = b"".join(_event(chance) for _ in range(chance.choice((0, 3, 20, 200))))
    return events + chance.choice((b"\0\xff\x2f\0", b"\0\xff\x2f\0", b""))


def _event(chance: random.Random) -> bytes:
    """Return an event after a time: mostly notes of a few pitches, and all others."""
    wait = _number(chance.choice((0, 0, 6, 24, 96, 100, chance.randrange(1 << 14))))
    channel = chance.choice((0, 0, 1, 9))
    pitch, value = chance.randrange(58, 64), chance.choice((0, 63, 64, 127))
    return wait + chance.choice((
        bytes((0x90 | channel, pitch, value)),
        bytes((0x90 | channel, pitch, value)),
        bytes((0x80 | channel, pitch, value)),
        bytes((pitch, value)),  # in running status
        bytes((0xB0 | channel, chance.choice((64, 66, 120, 121, 123, 127)), value)),
        bytes((0xC0 | channel, value)),
        bytes((chance.randrange(0xF0, 0x100),)),
        bytes((0xF0, 3, 1, 2, 0xF7)),
        _meta(chance),
    ))  # fmt: skip


def _meta(chance: random.Random) -> bytes:
    kind = chance.choice((0x01, 0x03, 0x21, 0x51, 0x58, 0x59, chance.randrange(256)))
    content = chance.choice((
        chance.choice(TEXTS),
        chance.randbytes(chance.choice((0, 1, 2, 3, 4, 5))),
        bytes((chance.randrange(8), chance.randrange(6), 24, 8)),
    ))  # fmt: skip
    return bytes((0xFF, kind)) + _number(len(content)) + content


def _number(number: int) -> bytes:
    """Return a number of variable length."""
    data = [number & 0x7F]
    while number := number >> 7:
        data.insert(0, number & 0x7F | 0x80)
    return bytes(data)


def _place(chance: random.Random, data: bytes) -> int:
    return chance.randrange(len(data) + 1)


def _replace(chance: random.Random, data: bytes) -> bytes:
    place = _place(chance, data)
    new = chance.randbytes(chance.choice((0, 1, 1, 2, 8)))
    return data[:place] + new + data[place + chance.choice((0, 1, 1, 5)) :]


def _flip(chance: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _cut(chance: random.Random, data: bytes) -> bytes:
    return data[: _place(chance, data)]


def _repeat(chance: random.Random, data: bytes) -> bytes:
    first, last = sorted((_place(chance, data), _place(chance, data)))
    return data[:last] + data[first:last] * chance.choice((1, 2, 20)) + data[last:]


def _insert_run(chance: random.Random, data: bytes) -> bytes:
    """Insert many equal bytes: numbers that do not end, tracks of zeros, and the like."""
    place = _place(chance, data)
    byte = chance.choice((0x00, 0x7F, 0x80, 0x81, 0x90, 0xC0, 0xF0, 0xF7, 0xF8, 0xFF))
    return data[:place] + bytes((byte,)) * chance.choice((4, 5, 60, 1000, 20_000)) + data[place:]


def _insert_words(chance: random.Random, data: bytes) -> bytes:
    place = _place(chance, data)
    word = chance.choice((
        b"MThd", b"MTrk", b"MTrk\0\0\0\0", b"MTrk\xff\xff\xff\xff", b"XFIH\0\0\0\4abcd", b"RIFF",
        b"\xff\xff\xff\x7f", b"\xff\x58\x04\x01\x05\x18\x08", b"\0\xff\x2f\0", b"\xf0\xff\x7f",
    ))  # fmt: skip
    return data[:place] + word + data[place:]


def _change_length(chance: random.Random, data: bytes) -> bytes:
    """Change the length of a track, or of the header."""
    place = data.find(chance.choice((b"MTrk", b"MTrk", b"MThd")), chance.randrange(99))
    if place < 0:
        return data
    old = int.from_bytes(data[place + 4 : place + 8], "big")
    new = chance.choice((0, 1, old - 1, old + 1, old + 100, 1 << 31, (1 << 32) - 1)) % (1 << 32)
    return data[: place + 4] + new.to_bytes(4, "big") + data[place + 8 :]


MUTATORS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _replace, _replace, _flip, _cut, _repeat, _insert_run, _insert_words, _change_length
)  # fmt: skip
