"""Which tokens may come next in a melody, so that every bar is filled exactly."""

from __future__ import annotations

import numpy as np

from seqgen.music.tokens.bar_grammar import LONGEST_BAR, BarGrammar, fitting_tokens
from seqgen.music.tokens.bar_tokens import BAR
from seqgen.music.tokens.melody import DURATIONS, PITCHES, REST, TIE
from seqgen.types import Mask


class MelodyGrammar(BarGrammar):
    """Follows a melody token by token and tells which tokens may come next.

    >>> grammar = MelodyGrammar(["bar", "duration:96", "duration:48", "pitch:60", "rest"], bars=1)
    >>> grammar.allowed().tolist()  # a duration comes before a pitch, and no bar is empty
    [False, True, True, False, False]
    >>> for token in (2, 3): grammar.feed(token)
    >>> grammar.allowed().tolist()  # half a bar is left, or this bar is a pick-up
    [True, False, True, False, False]
    """

    def _set_up(self, lowest: int, highest: int) -> None:
        self.duration = 0  # of the note or rest that is being written, so far
        self.is_sounding = False  # the token before was a note or its tie
        self.at_bar_line = False  # the note or rest begins a bar
        ids = {token: i for i, token in enumerate(self.tokens)}
        self.bar, self.rest, self.tie = (ids.get(token) for token in (BAR, REST, TIE))
        self.pitches = np.array(
            [token in PITCHES and lowest <= PITCHES[token] <= highest for token in self.tokens],
            bool,
        )
        self.durations = fitting_tokens(self.tokens, DURATIONS.ticks)

    @property
    def has_notes(self) -> bool:
        """Whether the vocabulary has a note in the range."""
        return bool(self.pitches.any())

    @property
    def is_finished(self) -> bool:
        """Whether all bars are written."""
        return super().is_finished and not self.duration

    @property
    def may_end(self) -> bool:
        """Whether the end token may come next."""
        return super().may_end and not self.duration

    def allowed(self) -> Mask:
        """Which tokens may come next `(V,)`, apart from the end token."""
        mask: Mask = self.durations(self.bars.room - self.duration, self.shortest).copy()
        if self.header.is_open:
            return self.header.allowed(mask)
        if self.duration:
            mask |= self.pitches
            if not self.is_narrow:
                _allow(mask, self.rest)
            if self.at_bar_line and self.is_sounding:
                _allow(mask, self.tie)
        # A bar line needs time before it: with other tokens than these a bar might never fill.
        if self.bars.filled and (not mask.any() or (not self.duration and self.bars.may_close)):
            _allow(mask, self.bar)
        return mask

    def _feed_body(self, token: str) -> None:
        if token in DURATIONS.ticks:
            self.at_bar_line = self.bars.filled == 0
            self.duration += DURATIONS.ticks[token]
            self.shortest = DURATIONS.ticks[token]
        elif token in PITCHES or token in (REST, TIE):
            self.is_sounding = token in PITCHES or (token == TIE and self.is_sounding)
            self.bars.pass_time(self.duration)
            self.duration, self.shortest = 0, LONGEST_BAR
        elif token == BAR:
            self.bars.close()


def _allow(mask: Mask, token_id: int | None) -> None:
    if token_id is not None:
        mask[token_id] = True
