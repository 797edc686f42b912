"""Numbers and pitches of MusicXML."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from xml.etree.ElementTree import Element

from seqgen.errors import MusicError
from seqgen.music.signatures import STEPS

NOTE_VALUES = {  # in quarters
    name: Fraction(16, 2**i)
    for i, name in enumerate(
        ("long", "breve", "whole", "half", "quarter", "eighth",
         "16th", "32nd", "64th", "128th", "256th")
    )
}  # fmt: skip
MOST_DOTS = 8
NUMBER = re.compile(r"[+-]?\d{1,12}(?:\.\d{1,9})?")


def parse_pitch(element: Element) -> int:
    """Return the MIDI number of a `<pitch>`, as written.

    Raises:
        MusicError: it has no step, or no octave.
    """
    step, octave, alter = map(element.findtext, ("step", "octave", "alter"))
    return _midi_number(step, octave, alter)


@lru_cache(1024)
def _midi_number(step: str | None, octave: str | None, alter: str | None) -> int:
    """
    >>> _midi_number("B", "3", "-1")
    58
    """
    letter = (step or "").strip().upper()
    if letter not in STEPS:
        raise MusicError(f"has a pitch without a step from A to G: {(step or '')[:20]!r}")
    pitch = 12 * (parse_number(octave) + 1) + STEPS[letter]
    return int(pitch + round(parse_number(alter or "0")))


def dotted(value: Fraction, dots: int) -> Fraction:
    """Return the length of a note value with dots.

    >>> dotted(Fraction(1), 2)
    Fraction(7, 4)
    """
    return value * (2 - Fraction(1, 2 ** min(dots, MOST_DOTS)))


@lru_cache(4096)
def parse_number(text: str | None) -> Fraction:
    """Return a decimal number, exactly.

    Raises:
        MusicError: it is none.

    >>> parse_number(" 3 "), parse_number("-1.5")
    (Fraction(3, 1), Fraction(-3, 2))
    """
    found = NUMBER.fullmatch((text or "").strip())
    if found is None:
        raise MusicError(f"expected a number, got {(text or '')[:40]!r}")
    return Fraction(found[0])
