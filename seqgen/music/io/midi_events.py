"""MIDI files → events, however badly they were written.

A loop follows the events from one to the next and notes where each begins; NumPy then reads times
and data of all events at once. What a file gets wrong is handled as follows:

- Running status continues after system messages and meta events, and real-time bytes take no data.
- A track without a true length extends to its end event, to the next track, or to the end of file.
- A channel message with a data byte above 127 is left out and counted.
- A track ends where it cannot be understood any more, which its `fault` names.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from seqgen.errors import MusicError

MAX_BYTES = 32 << 20
MAX_TRACKS = 10_000
MAX_EVENTS = 3_000_000
MAX_METAS = 200_000  # meta events, each of which is an object
HEADER, TRACK = b"MThd", b"MTrk"
META, SYSEX, SYSEX_END = 0xFF, 0xF0, 0xF7
END_OF_TRACK = 0x2F
SYSTEM_LENGTHS = {0xF1: 2, 0xF2: 3, 0xF3: 2}  # bytes with the status; the others have no data
# Status → bytes of data; two for most channel messages.
DATA_LENGTHS = [1 if 0xC0 <= status < 0xE0 else 2 for status in range(256)]
LONGEST_NUMBER = 4  # bytes

# Why a track could not be read to its end.
NO_END, INCOMPLETE = "no end event", "an incomplete event"
NO_STATUS, LONG_NUMBER = "data without a status", "a number of more than four bytes"

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MetaEvent:
    """A meta event, such as a tempo."""

    tick: int
    kind: int
    data: bytes


@dataclass(frozen=True)
class Track:
    """The events of a track; arrays `(N,)` hold its channel messages in their order."""

    ticks: Ints
    statuses: Ints
    first: Ints  # data bytes, 0 to 127
    second: Ints  # 0 in messages of one data byte
    metas: list[MetaEvent]
    end: int  # tick
    damaged: int  # number of messages that are left out
    fault: str  # one of those above, or empty
    stop: int  # the byte at which its events end, or the event with the fault begins


@dataclass(frozen=True)
class MidiFile:
    """The content of a file."""

    division: int  # ticks per quarter
    tracks: list[Track]
    missing: int  # tracks that the header announces and the file does not have


def read_events(data: bytes) -> MidiFile:
    """Read the events of a MIDI file; bytes before its header are skipped.

    Raises:
        MusicError: the file has no header or tracks, is too large, or of a kind that is not read.

    >>> track = bytes.fromhex("00 90 3C 40  18 80 3C 00  00 FF 2F 00")
    >>> head = struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, 24, b"MTrk", len(track))
    >>> read_events(head + track).tracks[0].ticks
    array([ 0, 24])
    """
    if len(data) > MAX_BYTES:
        raise MusicError(f"is larger than {MAX_BYTES >> 20} MB")
    begin = data.find(HEADER)
    if begin < 0 or len(data) < begin + 14:
        raise MusicError("is no MIDI file, or only the beginning of one")
    length, kind, count, division = struct.unpack_from(">IHHH", data, begin + 4)
    if kind not in (0, 1):
        raise MusicError(f"is a MIDI file of format {kind}; expected 0 or 1")
    if division & 0x8000:
        raise MusicError("counts time in film frames (SMPTE), not in beats")
    if division == 0:
        raise MusicError("is damaged: a quarter has no ticks")
    place = begin + 8 + length
    found = _tracks(data, place if _is_chunk(data, place) else begin + 14)
    scans = list(islice(found, MAX_TRACKS + 1))
    if len(scans) > MAX_TRACKS:
        raise MusicError(f"has more than {MAX_TRACKS:,} tracks")
    if not scans:
        raise MusicError("is damaged: it has no tracks")
    everything = np.frombuffer(data, np.uint8)
    tracks = [_decoded(everything, scan) for scan in scans]
    return MidiFile(division, tracks, max(count - len(tracks), 0))


def _tracks(data: bytes, place: int) -> Iterator[_Scan]:
    """Scan one track after the other, and skip chunks of other kinds and stray bytes."""
    events = metas = 0
    while True:
        if not _is_chunk(data, place):
            place = data.find(TRACK, place)
        if place < 0 or place + 8 > len(data):
            return
        size = int.from_bytes(data[place + 4 : place + 8], "big")
        after = place + 8 + size
        if data[place : place + 4] != TRACK:
            place = after
            continue
        # A length of 0 is that of a program which had no time to fill it in.
        is_length_right = size > 0 and (after == len(data) or _is_chunk(data, after))
        if not is_length_right:
            following = data.find(TRACK, place + 8, after) if size else -1
            after = len(data) if following < 0 else following
        scan = _Scan(data, place + 8, after)
        scan.run()
        events, metas = events + len(scan.starts), metas + len(scan.metas)
        if events > MAX_EVENTS or metas > MAX_METAS:
            raise MusicError(
                f"holds {events:,} events, {metas:,} of them meta events; expected at most "
                f"{MAX_EVENTS:,} and {MAX_METAS:,}"
            )
        yield scan
        place = after if is_length_right else scan.stop


def _is_chunk(data: bytes, place: int) -> bool:
    """Whether a chunk begins here: a track, or one of another kind that ends within the file."""
    name = data[place : place + 4]
    end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "big")
    return name == TRACK or (len(name) == 4 and name.isalnum() and end <= len(data))


class _TrackError(Exception):
    """What follows in the track cannot be understood."""


class _Scan:
    """Finds where the events of a track begin, and where it ends.

    Args:
        data: the file.
        place: where the events of the track begin.
        end: where they end at the latest.
    """

    def __init__(self, data: bytes, place: int, end: int) -> None:
        self.data = data
        self.stop = place  # after the last event that was read
        self.end = end
        self.starts = array("i")  # of all events
        self.metas: list[tuple[int, int, bytes]] = []  # number of the event, kind, data
        self.fault = ""
        self.is_ended = False  # by an end event

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
        place = self.stop
        while place < end:
            self.stop = start = place
            if data[place] >= 0x80:
                while data[place] >= 0x80:
                    place += 1
                if place - start >= LONGEST_NUMBER:
                    start = self._without_zeros(start, place + 1)
            append(start)
            status = data[place + 1]
            if status < 0x80:
                if not size:
                    raise _TrackError(NO_STATUS)
                place += 1 + size
            elif status < SYSEX:
                size = sizes[status]
                place += 2 + size
            else:
                place = self._after_system_message(place + 1)
                if self.is_ended:
                    break
        if place > end:
            raise IndexError
        self.stop = place

    def _without_zeros(self, start: int, after: int) -> int:
        """Return where the last four bytes of a number begin, if those before are zeros."""
        begin = after - LONGEST_NUMBER
        if self.data[start:begin].strip(b"\x80"):
            raise _TrackError(LONG_NUMBER)
        return begin

    def _after_system_message(self, place: int) -> int:
        """Return the place after a system message or meta event, and keep the latter."""
        status = self.data[place]
        if status not in (META, SYSEX, SYSEX_END):
            return place + SYSTEM_LENGTHS.get(status, 1)
        kind = self.data[place + 1] if status == META else 0
        begin, length = self._number(place + (2 if status == META else 1))
        after = begin + length
        if after > self.end:
            return self._after_bare_sysex(place)
        if status == META:
            self.metas.append((len(self.starts) - 1, kind, self.data[begin:after]))
            self.is_ended = kind == END_OF_TRACK or len(self.metas) > MAX_METAS
        return after

    def _number(self, place: int) -> tuple[int, int]:
        """Return the place after a number of variable length, and the number."""
        start = place
        while self.data[place] >= 0x80:
            place += 1
        place += 1
        if place - start > LONGEST_NUMBER:
            start = self._without_zeros(start, place)
        number = 0
        for byte in self.data[start:place]:
            number = number << 7 | byte & 0x7F
        return place, number

    def _after_bare_sysex(self, place: int) -> int:
        """Return the place after a system exclusive message that was written without a length."""
        last = self.data.find(bytes([SYSEX_END]), place, self.end)
        content = self.data[place + 1 : last]
        if self.data[place] != SYSEX or last < 0 or not content.isascii():
            raise IndexError
        return last + 1


def _decoded(data: npt.NDArray[np.uint8], scan: _Scan) -> Track:
    """Read the times and data of all events."""
    places = np.array(scan.starts, np.int64)
    deltas, places = _numbers(data, places)
    ticks = np.cumsum(deltas)
    metas = [MetaEvent(int(ticks[i]), kind, content) for i, kind, content in scan.metas]
    end = int(ticks[-1]) if len(ticks) else 0
    is_channel = data[places] < SYSEX
    ticks, places = ticks[is_channel], places[is_channel]
    is_status = data[places] >= 0x80  # not a running one
    last_status = np.maximum.accumulate(np.where(is_status, np.arange(len(places)), 0))
    statuses = data[places][last_status].astype(np.int64)
    places = places + is_status
    first = data[places].astype(np.int64)
    has_second = np.array(DATA_LENGTHS)[statuses] == 2
    second = np.where(has_second, data[np.minimum(places + 1, len(data) - 1)], 0).astype(np.int64)
    is_whole = (first | second) < 0x80
    return Track(
        ticks[is_whole],
        statuses[is_whole],
        first[is_whole],
        second[is_whole],
        metas,
        end,
        int(np.sum(~is_whole)),
        scan.fault,
        scan.stop,
    )


def _numbers(data: npt.NDArray[np.uint8], places: Ints) -> tuple[Ints, Ints]:
    """Read numbers of variable length.

    Args:
        data: the file.
        places: where the numbers begin, `(N,)`.

    Returns:
        The numbers `(N,)` and the places after them `(N,)`.
    """
    numbers = np.zeros_like(places)
    is_open = np.ones(len(places), bool)
    for _ in range(LONGEST_NUMBER):
        bytes_ = data[places[is_open]]
        numbers[is_open] = numbers[is_open] << 7 | bytes_ & 0x7F
        places[is_open] += 1
        is_open[is_open] = bytes_ >= 0x80
        if not is_open.any():
            break
    return numbers, places
