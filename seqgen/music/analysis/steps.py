"""A piece as steps from note to note, the same in every key: the unit in which copies are counted.

With notes n = 0, 1, … in the order of tokens, `start[n]` in ticks and `pitch[n]` as a MIDI number:

    step[n]     = interval[n] + 4096 * min(start[n] - start[n - 1], LONGEST)
    interval[n] = SAME + pitch[n] - (pitch of the last note before n that is no drum)
                  DRUM + its General MIDI number, where n is a drum
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqgen.music.tokens import melody, polyphony
from seqgen.types import Ids

NONE = -1
SAME, DRUM = 128, 512  # intervals are 1 to 255, drums 512 to 639
LONGEST = 1 << 20  # ticks; longer steps are not told apart
TICKS_SHIFT = 12  # bits

Numbers = npt.NDArray[np.int64]


class Steps:
    """Follows music token by token and returns its steps.

    Args:
        tokens: the vocabulary, in the order of ids.

    >>> tokens = ["duration:24", "pitch:60", "pitch:67", "rest"]
    >>> steps = Steps(tokens)
    >>> steps.of(np.array([0, 1, 0, 3, 0, 2])) == [SAME + 7 + (48 << 12)]
    array([ True])
    >>> for token in (0, 1, 0): steps.feed(token)
    >>> steps.coming()[2] == SAME + 7 + (24 << 12)
    np.True_
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        self.is_melody = any(token in melody.DURATIONS.ticks for token in tokens)
        pitches = {**melody.PITCHES, **{t: p for t, (_, p) in polyphony.NOTE_ONS.items()}}
        ticks = {**melody.DURATIONS.ticks, **polyphony.SHIFTS.ticks}
        self.pitches = np.array([pitches.get(token, NONE) for token in tokens])
        self.drums = np.array([polyphony.DRUM_ONSETS.get(token, NONE) for token in tokens])
        self.ticks = np.array([ticks.get(token, 0) for token in tokens])
        # In a melody the duration comes first; time passes with the note, rest or tie after it.
        others = (melody.REST, melody.TIE)
        self.passes = (self.pitches >= 0) | np.array([token in others for token in tokens])
        self.now = 0  # tick at which the next note starts
        self.duration = 0  # of the next note, in a melody
        self.last: tuple[int, int] | None = None  # pitch and start of the last note

    def of(self, ids: Ids) -> Numbers:
        """Return the steps `(M,)` of a piece's ids `(N,)`: one fewer than it has notes."""
        pitches, drums, now = self.pitches[ids], self.drums[ids], np.cumsum(self.ticks[ids])
        if self.is_melody:
            passed = np.maximum.accumulate(np.where(self.passes[ids], now, 0))
            now = np.concatenate(([0], passed[:-1]))
        notes = np.flatnonzero((pitches >= 0) | (drums >= 0))
        starts, pitches, drums = now[notes], pitches[notes], drums[notes]
        pitched = np.where(pitches >= 0, np.arange(len(notes)), NONE)
        before = np.maximum.accumulate(pitched)[:-1]  # index of the last note that is no drum
        intervals = SAME + np.where(before >= 0, pitches[1:] - pitches[before], 0)
        return _step(np.where(drums[1:] >= 0, DRUM + drums[1:], intervals), np.diff(starts))

    def feed(self, token_id: int) -> int | None:
        """Read the next token and return the step that it completes, if any."""
        step = None
        if self.pitches[token_id] >= 0 or self.drums[token_id] >= 0:
            if self.last is not None:
                step = int(self.coming()[token_id])
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
        return step

    def coming(self) -> Numbers:
        """Return the step that each token would complete next `(V,)`, or NONE."""
        if self.last is None:
            return np.full(len(self.pitches), NONE)
        pitch, start = self.last
        intervals = SAME + (self.pitches - pitch if pitch >= 0 else np.zeros_like(self.pitches))
        intervals = np.where(self.drums >= 0, DRUM + self.drums, intervals)
        steps = _step(intervals, np.full(len(intervals), self.now - start))
        return np.where((self.pitches >= 0) | (self.drums >= 0), steps, NONE)


def _step(interval: Numbers, ticks: Numbers) -> Numbers:
    return np.asarray(interval + (np.clip(ticks, 0, LONGEST) << TICKS_SHIFT))
