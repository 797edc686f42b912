"""MIDI files → events, however badly they were written.

`seqgen.music.io.midi_scan` finds where the events begin; NumPy then reads times and data of all
events at once. What a file gets wrong is handled as follows:

- Running status continues after system messages and meta events, and real-time bytes take no data.
- A track without a true length extends to its end event, to the next track, or to the end of file.
- A channel message with a data byte above 127 is left out and counted.
- A track ends where it cannot be understood any more, which its `fault` names.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from seqgen.errors import MusicError
from seqgen.music.io.midi_scan import (
    DATA_LENGTHS,
    LONGEST_NUMBER,
    SYSEX,
    TrackScan,
    is_chunk,
    scan_tracks,
)

MAX_BYTES = 32 << 20
MAX_TRACKS = 10_000
HEADER = b"MThd"
COLLECTION = 2  # format of a file of independent tracks
FRAMES_PER_SECOND = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MetaEvent:
    """A meta event, such as a tempo."""

    tick: int  # of the file, like all ticks here: `MidiFile.division` make a quarter
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
    end: int  # tick of the last event
    damaged: int  # number of messages that are left out
    fault: str  # one of those of `midi_scan`, or empty
    stop: int  # the byte at which its events end, or the event with the fault begins


@dataclass(frozen=True)
class MidiFile:
    """The content of a file."""

    division: int  # ticks per quarter
    tracks: list[Track]
    missing: int  # tracks that the header announces and the file does not have
    is_collection: bool = False  # format 2: every track is a piece of its own
    ticks_per_second: float = 0.0  # if time is counted in film frames (SMPTE), not in quarters


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
    if kind not in (0, 1, 2):
        raise MusicError(f"is a MIDI file of format {kind}; expected 0, 1 or 2")
    ticks_per_second = _frame_ticks(division)
    if division == 0:
        raise MusicError("is damaged: a quarter has no ticks")
    offset = begin + 8 + length
    found = scan_tracks(data, offset if is_chunk(data, offset) else begin + 14)
    scans = list(islice(found, MAX_TRACKS + 1))
    if len(scans) > MAX_TRACKS:
        raise MusicError(f"has more than {MAX_TRACKS:,} tracks")
    if not scans:
        raise MusicError("is damaged: it has no tracks")
    everything = np.frombuffer(data, np.uint8)
    tracks = [_decoded(everything, scan) for scan in scans]
    return MidiFile(
        division, tracks, max(count - len(tracks), 0), kind == COLLECTION, ticks_per_second
    )


def _frame_ticks(division: int) -> float:
    """Return the ticks per second of a division that counts film frames; 0 if it does not.

    Raises:
        MusicError: films have no such frames.

    >>> _frame_ticks(480), _frame_ticks(0xE728)  # 25 frames a second, 40 ticks a frame
    (0.0, 1000.0)
    """
    if not division & 0x8000:
        return 0.0
    frames, ticks = 256 - (division >> 8), division & 0xFF
    if frames not in FRAMES_PER_SECOND or ticks == 0:
        raise MusicError(
            f"is damaged: it counts {ticks} ticks in every of {frames} frames a second; expected "
            "24, 25, 29 or 30 frames"
        )
    return FRAMES_PER_SECOND[frames] * ticks


def _decoded(data: npt.NDArray[np.uint8], scan: TrackScan) -> Track:
    """Read the times and data of all events."""
    offsets = np.array(scan.starts, np.int64)
    deltas, offsets = _numbers(data, offsets)
    ticks = np.cumsum(deltas)
    metas = [MetaEvent(int(ticks[i]), kind, content) for i, kind, content in scan.metas]
    end = int(ticks[-1]) if len(ticks) else 0
    is_channel = data[offsets] < SYSEX
    ticks, offsets = ticks[is_channel], offsets[is_channel]
    is_status = data[offsets] >= 0x80  # not a running one
    last_status = np.maximum.accumulate(np.where(is_status, np.arange(len(offsets)), 0))
    statuses = data[offsets][last_status].astype(np.int64)
    offsets = offsets + is_status
    first = data[offsets].astype(np.int64)
    has_second = np.array(DATA_LENGTHS)[statuses] == 2
    second = np.where(has_second, data[np.minimum(offsets + 1, len(data) - 1)], 0).astype(np.int64)
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


def _numbers(data: npt.NDArray[np.uint8], offsets: Ints) -> tuple[Ints, Ints]:
    """Read numbers of variable length.

    Args:
        data: the file.
        offsets: where the numbers begin, `(N,)`.

    Returns:
        The numbers `(N,)` and the offsets after them `(N,)`.
    """
    numbers, offsets = np.zeros_like(offsets), offsets.copy()
    is_open = np.ones(len(offsets), bool)
    for _ in range(LONGEST_NUMBER):
        bytes_ = data[offsets[is_open]]
        numbers[is_open] = numbers[is_open] << 7 | bytes_ & 0x7F
        offsets[is_open] += 1
        is_open[is_open] = bytes_ >= 0x80
        if not is_open.any():
            break
    return numbers, offsets
