"""Time signatures and key signatures."""

from __future__ import annotations

import re
from typing import NamedTuple

from seqgen.errors import MusicError

TICKS_PER_WHOLE = 96
LEAST_TEMPO, MOST_TEMPO = 5, 1000  # quarters a minute

# Mode → fifths from the tonic of the major key of the same signature up to its own tonic, and the
# suffix of its name.
MODES = {
    "major": (0, ""),
    "minor": (3, "m"),
    "dorian": (2, "dor"),
    "mixolydian": (1, "mix"),
    "lydian": (-1, "lyd"),
    "phrygian": (4, "phr"),
    "locrian": (5, "loc"),
}
FIFTHS = "FCGDAEB"  # F is one fifth below C
MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
STEPS = dict(zip("CDEFGAB", MAJOR_SCALE, strict=True))  # letter → semitones above C
KEY = re.compile(r"([A-Ga-g])[\s-]?(#|b|♯|♭|sharp|flat)?\s*-?\s*([A-Za-z]*)")
GERMAN_KEY = re.compile(r"([A-Ha-h])(is|es|s)?[\s-]*(dur|moll)?", re.IGNORECASE)
ACCIDENTALS = {"#": 7, "♯": 7, "sharp": 7, "b": -7, "♭": -7, "flat": -7}  # fifths


class Meter(NamedTuple):
    """A time signature.

    >>> str(Meter(6, 8)), Meter(6, 8).ticks
    ('6/8', 72)
    """

    beats: int
    beat_type: int  # 4 is a quarter

    def __str__(self) -> str:
        return f"{self.beats}/{self.beat_type}"

    @property
    def ticks(self) -> int:
        """The length of a full bar in ticks."""
        return self.beats * TICKS_PER_WHOLE // self.beat_type

    @property
    def beat_ticks(self) -> int:
        """The length of a beat in ticks: in compound meters such as 6/8 three eighths."""
        ticks = TICKS_PER_WHOLE // self.beat_type
        is_compound = self.beat_type >= 8 and self.beats % 3 == 0 and self.beats > 3
        return 3 * ticks if is_compound else ticks

    @classmethod
    def parse(cls, text: str) -> Meter:
        """Return the meter that a text names.

        Raises:
            MusicError: the text names no meter.

        >>> Meter.parse("3/4")
        Meter(beats=3, beat_type=4)
        """
        found = re.fullmatch(r"(\d{1,2})/(\d{1,2})", text.strip())
        if not found or not is_real_meter(int(found[1]), int(found[2])):
            raise MusicError(f"meter: expected something like 4/4 or 6/8, got {text!r}")
        return cls(int(found[1]), int(found[2]))


def is_real_meter(beats: int, beat_type: int) -> bool:
    """Whether people write such a meter; software invents 23/32 and the like for odd bars.

    >>> is_real_meter(6, 8), is_real_meter(23, 32)
    (True, False)
    """
    most = {1: 4, 2: 8, 4: 15, 8: 24, 16: 24, 32: 9}
    return 1 <= beats <= most.get(beat_type, 0)


def is_real_tempo(tempo: float) -> bool:
    """Whether people play at a tempo, in quarters a minute.

    >>> is_real_tempo(120), is_real_tempo(0), is_real_tempo(1e9)
    (True, False, False)
    """
    return LEAST_TEMPO <= tempo <= MOST_TEMPO


class Key(NamedTuple):
    """A key signature and its mode.

    >>> str(Key(1)), str(Key(1, "minor")), str(Key(1, "dorian")), str(Key(-2))
    ('G', 'Em', 'Ador', 'Bb')
    """

    sharps: int  # negative for flats
    mode: str = "major"

    def __str__(self) -> str:
        offset, suffix = MODES[self.mode]
        fifths = self.sharps + offset + 1  # above F
        accidentals = fifths // 7
        sign = "#" * accidentals if accidentals > 0 else "b" * -accidentals
        return f"{FIFTHS[fifths % 7]}{sign}{suffix}"

    @property
    def tonic(self) -> int:
        """The pitch class of the tonic, 0 for C."""
        return 7 * (self.sharps + MODES[self.mode][0]) % 12

    @property
    def scale(self) -> frozenset[int]:
        """The pitch classes of the scale."""
        return frozenset((7 * self.sharps + step) % 12 for step in MAJOR_SCALE)

    def transposed(self, semitones: int) -> Key:
        """Return the transposed key, spelled with five flats to six sharps.

        >>> str(Key.parse("D").transposed(1)), str(Key.parse("Em").transposed(-12))
        ('Eb', 'Em')
        """
        if semitones % 12 == 0:
            return self
        return Key((self.sharps + 7 * semitones + 5) % 12 - 5, self.mode)

    @property
    def semitones_to_c(self) -> int:
        """The transposition to C major or to a mode without accidentals, from -5 to 6 semitones.

        >>> [Key.parse(name).semitones_to_c for name in ("D", "F", "Em")]
        [-2, -5, 5]
        """
        return next(shift for shift in range(-5, 7) if self.transposed(shift).sharps == 0)

    def respelled(self) -> list[Key]:
        """Return the enharmonic spellings of the key, this one first.

        >>> [str(key) for key in Key.parse("Gb").respelled()]
        ['Gb', 'F#']
        """
        near = (self.sharps, self.sharps - 12, self.sharps + 12)
        return [Key(sharps, self.mode) for sharps in near if -7 <= sharps <= 7]

    @classmethod
    def parse(cls, text: str) -> Key:
        """Return the key that a text names in English or German.

        Such as `G`, `Em`, `E minor`, `Ador`, `D mixolydian`, `Bb`, `B-flat major`, `H-Moll`, `Es`.

        Raises:
            MusicError: the text names no key.

        >>> Key.parse("a dorian"), Key.parse("F#m")
        (Key(sharps=1, mode='dorian'), Key(sharps=3, mode='minor'))
        >>> str(Key.parse("B-flat major")), str(Key.parse("H-moll")), str(Key.parse("B-Dur"))
        ('Bb', 'Bm', 'Bb')
        """
        named = _english(text.strip()) or _german(text.strip())
        if named is None:
            raise MusicError(
                f"key: expected something like G, Em, Bb, Ador or D mixolydian, got {text!r}"
            )
        fifths, mode = named
        sharps = fifths - MODES[mode][0]
        if not -7 <= sharps <= 7:
            raise MusicError(f"key: {text!r} has more than seven sharps or flats")
        return cls(sharps, mode)


def _english(text: str) -> tuple[int, str] | None:
    """Return the fifths from C to the tonic, and the mode; None if this is no key.

    >>> _english("C# minor"), _english("e flat"), _english("As-Dur")
    ((7, 'minor'), (-3, 'major'), None)
    """
    found = KEY.fullmatch(text)
    mode = _mode(found[3]) if found else None
    if found is None or mode is None:
        return None
    return FIFTHS.index(found[1].upper()) - 1 + ACCIDENTALS.get(found[2], 0), mode


def _german(text: str) -> tuple[int, str] | None:
    """Return the fifths from C to the tonic, and the mode; None if this is no key.

    H is the B of English, and B its B flat.

    >>> _german("cis-moll"), _german("Es"), _german("B-Dur"), _german("H")
    ((7, 'minor'), (-3, 'major'), (-2, 'major'), (5, 'major'))
    """
    found = GERMAN_KEY.fullmatch(text)
    if found is None:
        return None
    letter, suffix = found[1].upper(), (found[2] or "").lower()
    if suffix == "s" and letter not in "AE":
        return None
    fifths = FIFTHS.index("B" if letter == "H" else letter) - 1
    fifths += 7 if suffix == "is" else -7 if suffix or letter == "B" else 0
    return fifths, "minor" if (found[3] or "").lower() == "moll" else "major"


def _mode(text: str) -> str | None:
    """
    >>> _mode("m"), _mode("min"), _mode("Dorian"), _mode(""), _mode("x")
    ('minor', 'minor', 'dorian', 'major', None)
    """
    if text == "m":
        return "minor"
    if text == "M" or not text:
        return "major"
    text = {"ionian": "major", "aeolian": "minor", "ion": "major", "aeo": "minor"}.get(
        text.lower(), text.lower()
    )
    found = [mode for mode in MODES if len(text) >= 3 and mode.startswith(text)]
    return found[0] if found else None
