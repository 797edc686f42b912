"""What may come next while a melody is written: every bar is filled, none is overfilled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np

from seqgen.music.signatures import Meter
from seqgen.music.tokens.bar_grammar import LONGEST_BAR, Bars, Header, fitting, sums
from seqgen.music.tokens.melody import BAR, METER, PITCHES, REST, TICKS, TIE
from seqgen.types import Mask


class MelodyRules:
    """Follows a melody, token by token, and says what may come next.

    Args:
        tokens: the model's, in the order of their ids.
        bars: full bars that are to be written; None: as many as the model likes.
        header: what stands at the beginning: a meter, a key, both or neither; what is missing
            the model writes.
        lowest, highest: the range of pitches.

    >>> rules = MelodyRules(["bar", "duration:96", "duration:48", "pitch:60", "rest"], bars=1)
    >>> rules.allowed().tolist()  # not two pitches without a duration, no empty bar
    [False, True, True, False, False]
    >>> for token in (2, 3): rules.feed(token)
    >>> rules.allowed().tolist()  # half a bar is left; one that has only begun may be a pick-up
    [True, False, True, False, False]
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
        self.duration = 0  # of what is being written, so far
        self.shortest = LONGEST_BAR  # member of it
        self.sounding = False  # whether a note reaches up to it
        self.at_bar_line = False  # whether it begins a bar
        ids = {token: i for i, token in enumerate(tokens)}
        self.bar, self.rest, self.tie = (ids.get(token) for token in (BAR, REST, TIE))
        ticks = np.array([TICKS.get(token, 0) for token in tokens])
        possible = sums(set(ticks.tolist()) - {0}, LONGEST_BAR)
        self.pitches = np.array(
            [token in PITCHES and lowest <= PITCHES[token] <= highest for token in tokens]
        )
        self.durations: Callable[[int, int], Mask] = cache(partial(fitting, ticks, possible))

    @property
    def has_notes(self) -> bool:
        """Whether there is a note in the range."""
        return bool(self.pitches.any())

    @property
    def is_finished(self) -> bool:
        """Whether all bars are written."""
        return self.bars.is_done and not self.duration

    @property
    def may_end(self) -> bool:
        """Whether the model may end the piece here."""
        return self.bars.may_end and not self.duration

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next; whether the end may, says `may_end`."""
        mask: Mask = self.durations(self.bars.room - self.duration, self.shortest).copy()
        if self.header.is_open:
            return self.header.allowed(mask)
        if self.duration:
            mask |= self.pitches
            self._allow(mask, self.rest)
            if self.at_bar_line and self.sounding:
                self._allow(mask, self.tie)
        if not mask.any() or (not self.duration and self.bars.may_close):
            self._allow(mask, self.bar)
        return mask

    def _allow(self, mask: Mask, token: int | None) -> None:
        if token is not None:
            mask[token] = True

    def feed(self, token_id: int) -> None:
        """A token is written."""
        token = self.tokens[token_id]
        if self.header.is_open and self.header.feed(token):
            if token.startswith(METER):
                self.bars.meter = Meter.parse(token.removeprefix(METER))
        elif token in TICKS:
            self.at_bar_line = self.bars.filled == 0
            self.duration += TICKS[token]
            self.shortest = TICKS[token]
        elif token in PITCHES or token in (REST, TIE):
            self.sounding = token in PITCHES or (token == TIE and self.sounding)
            self.bars.pass_time(self.duration)
            self.duration, self.shortest = 0, LONGEST_BAR
        elif token == BAR:
            self.bars.close()
        elif token.startswith(METER):  # in a primer
            self.bars.meter = Meter.parse(token.removeprefix(METER))
