"""The tokens of a Humdrum `**kern` spine: notes, chords and rests."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from seqgen.errors import MusicError
from seqgen.music.signatures import STEPS

DURATION = re.compile(r"(\d{1,4})(?:%(\d{1,4}))?(\.{0,8})")
PITCH = re.compile(r"([a-g]{1,6}|[A-G]{1,6})(#{1,3}|-{1,3}|)")
LONG = {"0": 2, "00": 4, "000": 8}  # in whole notes


class Sound(NamedTuple):
    """A note of a token."""

    pitch: int
    begins_tie: bool
    ends_tie: bool


class Token(NamedTuple):
    """A note, a chord or a rest. `quarters` is None for grace notes."""

    quarters: Fraction | None
    sounds: tuple[Sound, ...]
    not_understood: int


@lru_cache(4096)
def parse_token(text: str) -> Token:
    """Return what a token says.

    Raises:
        MusicError: it has a duration that nobody writes.

    >>> parse_token("4.c#").quarters, parse_token("4c 4e-").sounds[1].pitch
    (Fraction(3, 2), 63)
    >>> parse_token("[2GG").sounds[0]
    Sound(pitch=43, begins_tie=True, ends_tie=False)
    """
    quarters: Fraction | None = None
    sounds: list[Sound] = []
    not_understood = 0
    is_grace = "q" in text
    for note in text.split(" "):
        if quarters is None and (found := DURATION.search(note)):
            quarters = _quarters(found[1], found[2], found[3])
        if "r" in note:
            continue
        pitch = PITCH.search(note)
        if pitch is None:
            not_understood += bool(note)
            continue
        sounds.append(
            Sound(
                _pitch(pitch[1], pitch[2]), "[" in note or "_" in note, "]" in note or "_" in note
            )
        )
    if quarters is None and not is_grace:
        not_understood += not not_understood
        is_grace, sounds = True, []
    return Token(None if is_grace else quarters, tuple(sounds), not_understood)


def _quarters(number: str, divisor: str | None, dots: str) -> Fraction:
    """
    >>> _quarters("4", None, "."), _quarters("3", "2", ""), _quarters("00", None, "")
    (Fraction(3, 2), Fraction(8, 3), Fraction(16, 1))
    """
    if number in LONG:
        whole = Fraction(LONG[number])
    elif int(number) == 0 or (divisor and int(divisor) == 0):
        raise MusicError(f"has a length that nobody writes: {number}")
    else:
        whole = Fraction(int(divisor or 1), int(number))
    return 4 * whole * (2 - Fraction(1, 2 ** len(dots)))


def _pitch(letters: str, accidentals: str) -> int:
    """
    >>> _pitch("c", ""), _pitch("cc", "#"), _pitch("C", "-"), _pitch("CC", "")
    (60, 73, 47, 36)
    """
    octave = len(letters) - 1 if letters.islower() else -len(letters)
    alteration = len(accidentals) * (1 if accidentals.startswith("#") else -1)
    return 60 + 12 * octave + STEPS[letters[0].upper()] + alteration
