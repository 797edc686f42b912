"""A piece as moves from note to note, the same in every key: how copies are told.

A move is an interval in semitones and the time since the note before began; of a drum, which one it
is instead of an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.music.tokens import melody, polyphony

NONE = -1
SAME, DRUM = 128, 512  # moves up and down lie round the one, drums above the other
LONGEST = 1 << 20  # ticks that are told apart

Numbers = npt.NDArray[np.int64]


class Steps:
    """Follows music, token by token, and says what moves there are.

    Args:
        tokens: the model's, in the order of their ids.

    >>> tokens = ["duration:24", "pitch:60", "pitch:67", "rest"]
    >>> moves = Steps(tokens)
    >>> moves.of(np.array([0, 1, 0, 3, 0, 2])) == [SAME + 7 + (48 << 12)]
    array([ True])
    >>> for token in (0, 1, 0): moves.feed(token)
    >>> moves.coming()[2] == SAME + 7 + (24 << 12)
    np.True_
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.is_melody = any(token in melody.TICKS for token in tokens)
        pitches = {**melody.PITCHES, **{t: p for t, (_, p) in polyphony.JOINT.items()}}
        ticks = {**melody.TICKS, **polyphony.SHIFTS}
        self.pitches = np.array([pitches.get(token, NONE) for token in tokens])
        self.drums = np.array([polyphony.HITS.get(token, NONE) for token in tokens])
        self.ticks = np.array([ticks.get(token, 0) for token in tokens])
        # A melody's durations count when the note or rest comes that they are of.
        ends = (melody.REST, melody.TIE)
        self.passes = (self.pitches >= 0) | np.array([token in ends for token in tokens])
        self.now = 0  # when what comes begins
        self.duration = 0  # of what comes, in a melody
        self.last: tuple[int, int] | None = None  # pitch of the last note, and when it began

    def of(self, ids: npt.NDArray[Any]) -> Numbers:
        """The moves `(M,)` of a piece's ids `(N,)`, one fewer than it has notes."""
        pitches, drums, now = self.pitches[ids], self.drums[ids], np.cumsum(self.ticks[ids])
        if self.is_melody:
            passed = np.maximum.accumulate(np.where(self.passes[ids], now, 0))
            now = np.concatenate(([0], passed[:-1]))
        notes = np.flatnonzero((pitches >= 0) | (drums >= 0))
        starts, pitches, drums = now[notes], pitches[notes], drums[notes]
        pitched = np.where(pitches >= 0, np.arange(len(notes)), NONE)
        before = np.maximum.accumulate(pitched)[:-1]  # the last note that was no drum
        intervals = SAME + np.where(before >= 0, pitches[1:] - pitches[before], 0)
        return _move(np.where(drums[1:] >= 0, DRUM + drums[1:], intervals), np.diff(starts))

    def feed(self, token_id: int) -> int | None:
        """A token is written; what move it is, if it is one."""
        move = None
        if self.pitches[token_id] >= 0 or self.drums[token_id] >= 0:
            if self.last is not None:
                move = int(self.coming()[token_id])
            pitch = int(self.pitches[token_id])
            if pitch < 0:
                pitch = self.last[0] if self.last else NONE
            self.last = (pitch, self.now)
        if not self.is_melody:
            self.now += int(self.ticks[token_id])
        elif self.passes[token_id]:
            self.now, self.duration = self.now + self.duration, 0
        else:
            self.duration += int(self.ticks[token_id])
        return move

    def coming(self) -> Numbers:
        """The move `(V,)` that each token would be; NONE where it would be none."""
        if self.last is None:
            return np.full(len(self.pitches), NONE)
        pitch, start = self.last
        intervals = SAME + (self.pitches - pitch if pitch >= 0 else np.zeros_like(self.pitches))
        intervals = np.where(self.drums >= 0, DRUM + self.drums, intervals)
        moves = _move(intervals, np.full(len(intervals), self.now - start))
        return np.where((self.pitches >= 0) | (self.drums >= 0), moves, NONE)


def _move(interval: Numbers, ticks: Numbers) -> Numbers:
    return np.asarray(interval + (np.clip(ticks, 0, LONGEST) << 12))
