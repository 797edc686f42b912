"""MIDI files → where their tracks and events begin.

A loop in Python follows the bytes, since every event says where the next one begins. It only notes
offsets, in bytes from the start of the file; `seqgen.music.io.midi_events` reads the events there.
For most events the loop adds a step that NumPy has computed for every byte, as if an event began
there: many are never used, but that takes a tenth of the time of reading the bytes one by one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from seqgen.errors import MusicError

MAX_EVENTS = 3_000_000
MAX_METAS = 200_000  # meta events, of which every one becomes an object
TRACK = b"MTrk"
META, SYSEX, SYSEX_END = 0xFF, 0xF0, 0xF7
END_OF_TRACK = 0x2F
SYSTEM_LENGTHS = {0xF1: 2, 0xF2: 3, 0xF3: 2}  # bytes with the status; the others have no data
# Status → bytes of data; two for most channel messages.
DATA_LENGTHS = [1 if 0xC0 <= status < 0xE0 else 2 for status in range(256)]
LONGEST_NUMBER = 4  # bytes of a number of variable length, seven bits in every byte
MOST_STEP = LONGEST_NUMBER + 3  # bytes of a channel message and the time before it
# Byte after the time → bytes of the event from there on, if messages have two bytes of data: a
# running status has begun before, other messages are read byte by byte, which 0 stands for.
EVENT_LENGTHS = np.array(
    [2 if byte < 0x80 else 3 * (byte < SYSEX and DATA_LENGTHS[byte] == 2) for byte in range(256)],
    np.uint8,
)

# Why a track could not be read to its end.
NO_END, INCOMPLETE = "no end event", "an incomplete event"
NO_STATUS, LONG_NUMBER = "data without a status", "a number of more than four bytes"


def scan_tracks(data: bytes, offset: int) -> Iterator[TrackScan]:
    """Scan one track after the other, and skip chunks of other kinds and stray bytes.

    Args:
        data: the file.
        offset: of its first chunk after the header.

    Raises:
        MusicError: there are too many events.
    """
    events = metas = 0
    steps = event_steps(data)
    while True:
        if not is_chunk(data, offset):
            offset = data.find(TRACK, offset)
        if offset < 0 or offset + 8 > len(data):
            return
        size = int.from_bytes(data[offset + 4 : offset + 8], "big")
        after = offset + 8 + size
        if data[offset : offset + 4] != TRACK:
            offset = after
            continue
        # A length of 0 is that of a program which had no time to fill it in.
        is_length_right = size > 0 and (after == len(data) or is_chunk(data, after))
        if not is_length_right:
            following = data.find(TRACK, offset + 8, after) if size else -1
            after = len(data) if following < 0 else following
        scan = TrackScan(data, offset + 8, after, steps)
        scan.run()
        events, metas = events + len(scan.starts), metas + len(scan.metas)
        if events > MAX_EVENTS or metas > MAX_METAS:
            raise MusicError(
                f"holds {events:,} events, {metas:,} of them meta events; expected at most "
                f"{MAX_EVENTS:,} and {MAX_METAS:,}"
            )
        yield scan
        offset = after if is_length_right else scan.stop


def is_chunk(data: bytes, offset: int) -> bool:
    """Whether a chunk begins here: a track, or one of another kind that ends within the file."""
    name = data[offset : offset + 4]
    end = offset + 8 + int.from_bytes(data[offset + 4 : offset + 8], "big")
    return name == TRACK or (len(name) == 4 and name.isalnum() and end <= len(data))


def event_steps(data: bytes) -> bytes:
    """Return the length of the event that may begin with each byte of a file, `(N,)`.

    It is 0 where it is no channel message of two bytes of data, or near the end.

    >>> list(event_steps(bytes.fromhex("00 90 3C 40  81 00 3C 00  00 C0 05") + bytes(8)))[:9:4]
    [4, 4, 0]
    """
    content = np.frombuffer(data, np.uint8)
    steps = np.zeros(len(content), np.uint8)
    last = len(content) - MOST_STEP
    if last <= 0:
        return steps.tobytes()
    is_open = np.ones(last, bool)  # whether the time goes on
    rest = EVENT_LENGTHS[content]
    for i in range(LONGEST_NUMBER):
        is_high = content[i : last + i] >= 0x80
        after = rest[i + 1 : last + i + 1]
        is_time = is_open & ~is_high & (after > 0)
        steps[:last] += is_time * (after + np.uint8(i + 1))
        is_open &= is_high
    return steps.tobytes()


class _TrackError(Exception):
    """What follows in the track cannot be understood."""


class TrackScan:
    """Finds where the events of a track begin, and where it ends.

    Args:
        data: the file.
        offset: where the events of the track begin.
        end: where they end at the latest.
        steps: what `event_steps` says about `data`.

    >>> data = bytes.fromhex("00 90 3C 40  18 3C 00  00 FF 2F 00")
    >>> track = TrackScan(data, 0, 11, event_steps(data))
    >>> track.run()
    >>> track.starts.tolist(), track.metas, track.fault
    ([0, 4, 7], [(2, 47, b'')], '')
    """

    def __init__(self, data: bytes, offset: int, end: int, steps: bytes) -> None:
        self.data = data
        self.steps = steps
        self.stop = offset  # after the last event that was read
        self.end = end
        self.starts = array("i")  # offsets of all events
        self.metas: list[tuple[int, int, bytes]] = []  # number of the event, kind, data
        self.fault = ""
        self.is_ended = False  # by an end event, or by too many meta events

    def run(self) -> None:
        """Read to the end event, to the end of the track, or to a fault."""
        try:
            self._follow()
            if not self.is_ended:
                self.fault = NO_END
        except IndexError:
            self.fault = INCOMPLETE
        except _TrackError as error:
            self.fault = str(error)
        if self.starts and self.starts[-1] >= self.stop:
            self.starts.pop()  # the event with the fault

    def _follow(self) -> None:
        data, end, append = self.data, self.end, self.starts.append
        sizes, size = DATA_LENGTHS, 0  # bytes of data, of the running status
        steps, last = self.steps, end - MOST_STEP
        offset = self.stop
        while offset < end:
            if size == 2:
                while offset < last and (step := steps[offset]):
                    append(offset)
                    offset += step
            self.stop = start = offset
            if data[offset] >= 0x80:
                while data[offset] >= 0x80:
                    offset += 1
                if offset - start >= LONGEST_NUMBER:
                    start = self._without_zeros(start, offset + 1)
            append(start)
            status = data[offset + 1]
            if status < 0x80:
                if not size:
                    raise _TrackError(NO_STATUS)
                offset += 1 + size
            elif status < SYSEX:
                size = sizes[status]
                offset += 2 + size
            else:
                offset = self._after_system_message(offset + 1)
                if self.is_ended:
                    break
        if offset > end:
            raise IndexError
        self.stop = offset

    def _without_zeros(self, start: int, after: int) -> int:
        """Return where the last four bytes of a number begin, if those before are zeros."""
        begin = after - LONGEST_NUMBER
        if self.data[start:begin].strip(b"\x80"):
            raise _TrackError(LONG_NUMBER)
        return begin

    def _after_system_message(self, offset: int) -> int:
        """Return the offset after a system message or meta event, and keep the latter."""
        status = self.data[offset]
        if status not in (META, SYSEX, SYSEX_END):
            return offset + SYSTEM_LENGTHS.get(status, 1)
        kind = self.data[offset + 1] if status == META else 0
        begin, length = self._number(offset + (2 if status == META else 1))
        after = begin + length
        if after > self.end:
            return self._after_bare_sysex(offset)
        if status == META:
            self.metas.append((len(self.starts) - 1, kind, self.data[begin:after]))
            self.is_ended = kind == END_OF_TRACK or len(self.metas) > MAX_METAS
        return after

    def _number(self, offset: int) -> tuple[int, int]:
        """Return the offset after a number of variable length, and the number."""
        start = offset
        while self.data[offset] >= 0x80:
            offset += 1
        offset += 1
        if offset - start > LONGEST_NUMBER:
            start = self._without_zeros(start, offset)
        number = 0
        for byte in self.data[start:offset]:
            number = number << 7 | byte & 0x7F
        return offset, number

    def _after_bare_sysex(self, offset: int) -> int:
        """Return the offset after a system exclusive message that was written without a length."""
        last = self.data.find(bytes([SYSEX_END]), offset, self.end)
        content = self.data[offset + 1 : last]
        if self.data[offset] != SYSEX or last < 0 or not content.isascii():
            raise IndexError
        return last + 1
