"""Pitches, ranges and notes as users type them."""

from __future__ import annotations

import re

from seqgen.errors import MusicError
from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import TICKS_PER_WHOLE

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
PITCH = re.compile(r"([A-Ga-g])([#♯b♭]*)(-?\d)")
END_OF_RANGE = r"([A-Ga-g][#♯b♭]*-?[0-9]|[0-9]{1,3})"
RANGE = re.compile(rf"{END_OF_RANGE}\s*-\s*{END_OF_RANGE}")
TYPED = re.compile(r"([A-Ga-g][#♯b♭]*-?\d|[rR])/(\d{1,2})(\.{0,2})(t?)")


def pitch_of(text: str) -> int:
    """Return the MIDI number of a pitch; C4 is middle C.

    Raises:
        MusicError: the text names no pitch.

    >>> pitch_of("C4"), pitch_of("f#5"), pitch_of("Bb3")
    (60, 78, 58)
    """
    found = PITCH.fullmatch(text.strip())
    if found:
        accidental = sum(1 if sign in "#♯" else -1 for sign in found[2])
        pitch = 12 * (int(found[3]) + 1) + STEPS[found[1].upper()] + accidental
        if 0 <= pitch <= 127:
            return pitch
    raise MusicError(f"pitch: expected something like G4, F#5 or Bb3, from C-1 to G9, got {text!r}")


def name_of(pitch: int) -> str:
    """Return the name of a MIDI number, with sharps.

    >>> name_of(60), name_of(78)
    ('C4', 'F#5')
    """
    return f"{SHARPS[pitch % 12]}{pitch // 12 - 1}"


def range_of(text: str) -> tuple[int, int]:
    """Return the lowest and highest pitch of a range of names or of MIDI numbers.

    Raises:
        MusicError: the text names no range.

    >>> range_of("G3-C6"), range_of("55-84"), range_of("C-1 - G3")
    ((55, 84), (55, 84), (0, 55))
    """
    found = RANGE.fullmatch(text.strip())
    if not found:
        raise MusicError(f"range: expected something like G3-C6 or 55-84, got {text!r}")
    lowest, highest = (_pitch_or_number(end) for end in found.groups())
    if lowest > highest:
        raise MusicError(f"range: expected the lower pitch first, got {text!r}")
    return lowest, highest


def _pitch_or_number(text: str) -> int:
    if not text.isdigit():
        return pitch_of(text)
    if int(text) > 127:
        raise MusicError(f"range: expected MIDI numbers from 0 to 127, got {text}")
    return int(text)


def piece_of(text: str) -> Piece:
    """Return the melody that a text spells.

    Notes are separated by spaces. Each is a pitch, or r for a rest, then a slash, and the
    denominator of its length: `G4/8` is an eighth. A dot makes it longer by half, and a t makes it
    a triplet.

    Raises:
        MusicError: the text spells no melody.

    >>> piece_of("G4/8 A4/8. r/4 B4/8t").notes[:2]
    (Note(start=0, duration=12, pitch=67, velocity=80), \
Note(start=12, duration=18, pitch=69, velocity=80))
    """
    notes, now = [], 0
    for word in text.split():
        found = TYPED.fullmatch(word)
        ticks = _ticks(int(found[2]), len(found[3]), bool(found[4])) if found else 0
        if not found or not ticks:
            raise MusicError(
                f'notes: expected something like "G4/8 A4/8 B4/4 r/4 C5/8. D5/8t", got {word!r}'
            )
        if found[1] not in "rR":
            notes.append(Note(now, ticks, pitch_of(found[1])))
        now += ticks
    if not notes:
        raise MusicError('notes: expected something like "G4/8 A4/8 B4/4", got none')
    bars = range(0, now, TICKS_PER_WHOLE)
    return Piece((Part(tuple(notes)),), tuple(bars), now)


def _ticks(denominator: int, dots: int, triplet: bool) -> int:
    """Return the length of a note, or 0 if the grid has no such length."""
    if denominator not in (1, 2, 4, 8, 16, 32):
        return 0
    ticks = TICKS_PER_WHOLE // denominator
    dotted = ticks * (2 ** (dots + 1) - 1)  # times 2**dots
    total, rest = divmod(dotted * (2 if triplet else 1), 2**dots * (3 if triplet else 1))
    return 0 if rest else total
