"""MIDI files that count time in film frames (SMPTE) → the same events, in ticks of quarters.

Such a file says at which second a note begins, whatever its tempo. With tempi r_i from the seconds
s_i on, in quarters per second, an event at second s in s_k to s_{k+1} is at the quarter

    q(s) = r_0 (s_1 - s_0) + ... + r_{k-1} (s_k - s_{k-1}) + r_k (s - s_k)

where r_0 = 2 holds from s_0 = 0 on, unless the file begins with a tempo.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seqgen.music.io.midi_events import MetaEvent, MidiFile, Track
from seqgen.music.piece import TEMPO
from seqgen.music.signatures import is_real_tempo

DIVISION = 9600  # ticks per quarter; more exact than the frames
LAST_TICK = 1 << 50  # far beyond the end of any piece
SET_TEMPO = 0x51

Ints = npt.NDArray[np.int64]


def in_quarters(file: MidiFile) -> MidiFile:
    """Return a file with its times in ticks of quarters."""
    if not file.ticks_per_second:
        return file
    events = [event for track in file.tracks for event in track.metas]
    tempi = {0: TEMPO / 60}  # tick → quarters per second
    for event in sorted(events, key=lambda event: event.tick):
        if (tempo := tempo_of(event)) is not None and is_real_tempo(tempo):
            tempi[event.tick] = tempo / 60
    starts, rates = np.array(list(tempi)), np.array(list(tempi.values()))
    seconds = starts / file.ticks_per_second
    quarters = np.concatenate(([0.0], np.cumsum(rates[:-1] * np.diff(seconds))))

    def moved(ticks: Ints) -> Ints:
        last = np.searchsorted(starts, ticks, side="right") - 1
        found = quarters[last] + rates[last] * (ticks / file.ticks_per_second - seconds[last])
        return np.rint(np.minimum(found * DIVISION, LAST_TICK)).astype(np.int64)

    def moved_track(track: Track) -> Track:
        ticks = moved(np.array([*(event.tick for event in track.metas), track.end], np.int64))
        metas = [replace(e, tick=t) for e, t in zip(track.metas, ticks.tolist(), strict=False)]
        return replace(track, ticks=moved(track.ticks), metas=metas, end=int(ticks[-1]))

    return replace(
        file, division=DIVISION, tracks=list(map(moved_track, file.tracks)), ticks_per_second=0.0
    )


def tempo_of(event: MetaEvent) -> float | None:
    """Return the tempo that an event sets, in quarters per minute; None if it sets none.

    >>> tempo_of(MetaEvent(0, SET_TEMPO, bytes([0x07, 0xA1, 0x20])))
    120.0
    """
    if event.kind != SET_TEMPO or not any(event.data[:3]):
        return None
    return round(60_000_000 / int.from_bytes(event.data[:3], "big"), 3)
