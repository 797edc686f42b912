"""Which tokens may come next in several voices, so that time moves on and every bar is filled."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from seqgen.music.tokens.bar_grammar import LONGEST_BAR, BarGrammar, fitting_tokens
from seqgen.music.tokens.bar_tokens import BAR
from seqgen.music.tokens.polyphony import (
    DRUM_ONSETS,
    DRUMS,
    MAX_VOICES,
    MORE_VOICES,
    NOTE_OFFS,
    NOTE_ONS,
    OFF,
    PITCHES,
    PROGRAMS,
    SHIFTS,
    VELOCITIES,
    VOICES,
)
from seqgen.types import Mask

NONE = -1  # in place of a number that a token does not have, or that has not come yet


class PolyphonyGrammar(BarGrammar):
    """Follows a piece token by token and tells which tokens may come next.

    At one tick every voice changes at most once, in the order of voices, and every drum starts at
    most once. So time moves on.

    >>> grammar = PolyphonyGrammar(["program:0", "0:60", "0:off", "shift:96"], bars=1)
    >>> grammar.allowed().tolist()
    [True, False, False, False]
    >>> grammar.feed(0); grammar.feed(1)
    >>> grammar.allowed().tolist()  # voice 0 has changed; now time must pass
    [False, False, False, True]
    """

    def _set_up(self, lowest: int, highest: int) -> None:
        self.in_parts = True  # the list of parts may continue
        self.voice_count = 0
        self.has_drums = False
        self.is_sounding = np.zeros(MAX_VOICES + 1, bool)  # by voice; the last entry is not used
        self.last_voice = NONE  # the last one that changed at this tick
        self.last_drum = NONE  # the last one that started at this tick
        self.named_voice: int | None = None  # that the next token is about
        self.after_velocity = False

        pitch_of = {**PITCHES, **{token: pitch for token, (_, pitch) in NOTE_ONS.items()}}
        pitches = self._numbers(pitch_of)
        in_range = (lowest <= pitches) & (pitches <= highest)
        voice_of = {token: voice for token, (voice, _) in NOTE_ONS.items()}
        self.note_on_voices = np.where(in_range, self._numbers(voice_of), NONE)
        self.note_off_voices = self._numbers(NOTE_OFFS)
        self.voice_numbers = self._numbers(VOICES)
        self.drum_onsets = self._numbers(DRUM_ONSETS)
        self.pitches: Mask = self._members(PITCHES) & in_range
        self.off = self._members({OFF})
        self.velocities = self._members(VELOCITIES)
        self.programs = self._members(PROGRAMS)
        self.bar = self._members({BAR})
        self.drums = self._members({DRUMS})
        self.more_voices = self._members({MORE_VOICES})
        self.shifts = fitting_tokens(self.tokens, SHIFTS.ticks)

    def _numbers(self, numbers: Mapping[str, int]) -> npt.NDArray[np.int_]:
        """The number of each token `(V,)`, or NONE."""
        return np.array([numbers.get(token, NONE) for token in self.tokens])

    def _members(self, kind: Collection[str]) -> Mask:
        """Which tokens are of a kind `(V,)`."""
        return np.array([token in kind for token in self.tokens])

    @property
    def has_notes(self) -> bool:
        """Whether the vocabulary has a note in the range."""
        return bool((self.note_on_voices >= 0).any() or self.pitches.any())

    def allowed(self) -> Mask:
        """Which tokens may come next `(V,)`, apart from the end token."""
        if self.in_parts:
            parts = self._parts()
            return self.header.allowed(parts) if self.header.is_open else parts
        return self._body()

    def _parts(self) -> Mask:
        if self.voice_count >= MAX_VOICES:
            return self._body()
        mask: Mask = self.programs.copy()
        if not self.has_drums:
            mask |= self.drums
        if self.voice_count:
            mask |= self.more_voices
        if self.voice_count or self.has_drums:
            mask |= self._body()
        return mask

    def _body(self) -> Mask:
        if self.named_voice is not None:
            off: Mask = self.off & bool(self.is_sounding[self.named_voice])
            return self.pitches | off
        if self.bars.room == 0:
            return self.bar
        note_ons = self._may_change(self.note_on_voices) | self._may_change(self.voice_numbers)
        if self.is_narrow and note_ons.any() and not self.is_sounding.any():
            return note_ons if self.after_velocity else note_ons | self.velocities
        if self.has_drums:
            note_ons |= self.drum_onsets > self.last_drum
        if self.after_velocity:
            return note_ons
        mask = note_ons | self.shifts(self.bars.room, self.shortest)
        mask |= (self.note_off_voices > self.last_voice) & self.is_sounding[self.note_off_voices]
        if note_ons.any():
            mask |= self.velocities
        # A bar line needs time before it: with other tokens than these a bar might never fill.
        if self.bars.filled and (self.bars.may_close or not mask.any()):
            mask |= self.bar
        return mask

    def _may_change(self, voices: npt.NDArray[np.int_]) -> Mask:
        """Which of the voices `(V,)` exist and may still change at this tick."""
        mask: Mask = (voices > self.last_voice) & (voices < self.voice_count)
        return mask

    def _feed_body(self, token: str) -> None:
        named_voice, self.named_voice, self.after_velocity = self.named_voice, None, False
        if token in PROGRAMS or token == MORE_VOICES:
            self.voice_count += 1
            return
        if token == DRUMS:
            self.has_drums = True
            return
        self.in_parts = False
        if token in NOTE_ONS:
            self._change(NOTE_ONS[token][0], is_sounding=True)
        elif token in NOTE_OFFS:
            self._change(NOTE_OFFS[token], is_sounding=False)
        elif token in VOICES:
            self.named_voice = self.last_voice = VOICES[token]
        elif (token in PITCHES or token == OFF) and named_voice is not None:
            self._change(named_voice, is_sounding=token != OFF)
        elif token in DRUM_ONSETS:
            self.last_drum, self.last_voice = DRUM_ONSETS[token], MAX_VOICES
            self.shortest = LONGEST_BAR
        elif token in VELOCITIES:
            self.after_velocity = True
        elif token in SHIFTS.ticks:
            self.bars.pass_time(SHIFTS.ticks[token])
            self.last_voice = self.last_drum = NONE
            self.shortest = SHIFTS.ticks[token]
        elif token == BAR:
            self.bars.close()
            self.shortest = LONGEST_BAR

    def _change(self, voice: int, is_sounding: bool) -> None:
        self.is_sounding[voice] = is_sounding
        self.last_voice = voice
        self.shortest = LONGEST_BAR
