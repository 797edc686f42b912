"""What may come next while polyphony is written: every bar is filled, and time goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from seqgen.music.signatures import Meter
from seqgen.music.tokens.bar_grammar import LONGEST_BAR, Bars, Header, fitting, sums
from seqgen.music.tokens.polyphony import (
    BAR,
    DRUMS,
    HITS,
    JOINT,
    JOINT_OFF,
    LANE,
    LANES,
    METER,
    MOST_LANES,
    OFF,
    PITCHES,
    PROGRAMS,
    SHIFTS,
    VELOCITIES,
)
from seqgen.types import Mask


class PolyphonyRules:
    """Follows a piece, token by token, and says what may come next.

    At one time each lane moves at most once, the lower before the higher, so that time goes on.

    Args:
        tokens: the model's, in the order of their ids.
        bars: full bars that are to be written; None: as many as the model likes.
        header: what stands at the beginning: a meter, a key, both or neither; what is missing,
            and the parts, the model writes.
        lowest, highest: the range of pitches.

    >>> rules = PolyphonyRules(["program:0", "0:60", "0:off", "shift:96"], bars=1)
    >>> rules.allowed().tolist()
    [True, False, False, False]
    >>> rules.feed(0); rules.feed(1)
    >>> rules.allowed().tolist()  # the lane has moved; then time must go on
    [False, False, False, True]
    """

    def __init__(
        self,
        tokens: Sequence[str],
        *,
        bars: int | None = None,
        header: Sequence[str] = (),
        lowest: int = 0,
        highest: int = 127,
    ) -> None:
        self.tokens = tokens
        self.bars = Bars(bars)
        self.header = Header(tokens, header)
        self.in_parts = True  # the list of them is not over
        self.lanes = 0
        self.has_drums = False
        self.sounding = np.zeros(MOST_LANES + 1, bool)
        self.shortest = LONGEST_BAR  # of the shifts that are added up
        self.moved = -1  # the last lane that did, at this time
        self.hit = -1  # the last drum that was, at this time
        self.lane: int | None = None  # that the next token is about
        self.after_velocity = False
        self._read_tokens(lowest, highest)

    def _read_tokens(self, lowest: int, highest: int) -> None:
        """What each token is, as arrays `(V,)`."""
        tokens = self.tokens
        pitches = [JOINT[t][1] if t in JOINT else PITCHES.get(t, -1) for t in tokens]
        in_range = np.array([lowest <= pitch <= highest for pitch in pitches])
        self.attack_lanes = np.array([JOINT[t][0] if t in JOINT else -1 for t in tokens])
        self.attack_lanes[~in_range] = -1
        self.off_lanes = np.array([JOINT_OFF.get(t, -1) for t in tokens])
        self.lane_numbers = np.array([LANES.get(t, -1) for t in tokens])
        self.pitches = np.array([t in PITCHES for t in tokens]) & in_range
        self.off = np.array([t == OFF for t in tokens])
        self.hits = np.array([HITS.get(t, -1) for t in tokens])
        self.velocities = np.array([t in VELOCITIES for t in tokens])
        self.programs = np.array([t in PROGRAMS for t in tokens])
        self.bar, self.drums, self.further_lane = (
            np.array([t == each for t in tokens]) for each in (BAR, DRUMS, LANE)
        )
        ticks = np.array([SHIFTS.get(t, 0) for t in tokens])
        possible = sums(set(ticks.tolist()) - {0}, LONGEST_BAR)
        self.shifts: Callable[[int, int], Mask] = cache(partial(fitting, ticks, possible))

    @property
    def has_notes(self) -> bool:
        """Whether there is a note in the range."""
        return bool((self.attack_lanes >= 0).any() or self.pitches.any())

    @property
    def is_finished(self) -> bool:
        """Whether all bars are written."""
        return self.bars.is_done

    @property
    def may_end(self) -> bool:
        """Whether the model may end the piece here."""
        return self.bars.may_end

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next; whether the end may, says `may_end`."""
        if self.in_parts:
            parts = self._parts()
            return self.header.allowed(parts) if self.header.is_open else parts
        return self._body()

    def _parts(self) -> Mask:
        if self.lanes >= MOST_LANES:
            return self._body()
        mask: Mask = self.programs.copy()
        if not self.has_drums:
            mask |= self.drums
        if self.lanes:
            mask |= self.further_lane
        if self.lanes or self.has_drums:
            mask |= self._body()
        return mask

    def _body(self) -> Mask:
        if self.lane is not None:
            mask: Mask = self.pitches | self.off if self.sounding[self.lane] else self.pitches
            return mask
        if self.bars.room == 0:
            return np.asarray(self.bar)
        attacks = (self.attack_lanes > self.moved) & (self.attack_lanes < self.lanes)
        attacks |= (self.lane_numbers > self.moved) & (self.lane_numbers < self.lanes)
        if self.has_drums:
            attacks |= self.hits > self.hit
        if self.after_velocity:
            return attacks
        mask = attacks | self.shifts(self.bars.room, self.shortest)
        mask |= (self.off_lanes > self.moved) & self.sounding[self.off_lanes]
        if attacks.any():
            mask |= self.velocities
        if self.bars.may_close or not mask.any():
            mask |= self.bar
        return mask

    def feed(self, token_id: int) -> None:
        """A token is written."""
        token = self.tokens[token_id]
        about, self.lane, self.after_velocity = self.lane, None, False
        if self.header.is_open and self.header.feed(token):
            if token.startswith(METER):
                self.bars.meter = Meter.parse(token.removeprefix(METER))
            return
        if token in PROGRAMS or token == LANE:
            self.lanes += 1
            return
        if token == DRUMS:
            self.has_drums = True
            return
        self.in_parts = False
        if token in JOINT:
            self._move(JOINT[token][0], True)
        elif token in JOINT_OFF:
            self._move(JOINT_OFF[token], False)
        elif token in LANES:
            self.lane = LANES[token]
            self.moved = self.lane
        elif (token in PITCHES or token == OFF) and about is not None:
            self._move(about, token != OFF)
        elif token in HITS:
            self.hit, self.moved, self.shortest = HITS[token], MOST_LANES, LONGEST_BAR
        elif token in VELOCITIES:
            self.after_velocity = True
        elif token in SHIFTS:
            self.bars.pass_time(SHIFTS[token])
            self.moved = self.hit = -1
            self.shortest = SHIFTS[token]
        elif token == BAR:
            self.bars.close()
            self.shortest = LONGEST_BAR
        elif token.startswith(METER):  # in a primer
            self.bars.meter = Meter.parse(token.removeprefix(METER))

    def _move(self, lane: int, sounds: bool) -> None:
        self.sounding[min(lane, MOST_LANES)] = sounds
        self.moved = lane
        self.shortest = LONGEST_BAR
