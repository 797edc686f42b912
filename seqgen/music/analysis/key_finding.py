"""The key of a piece that names none, and the scale degree on which a piece ends.

After Krumhansl, Cognitive Foundations of Musical Pitch (1990), chapter 4: the key is the one whose
profile correlates best with the time for which each pitch class sounds,

    key = argmax over k of  corr(sounding[0 … 11], profile[k][0 … 11])

where the profile holds how well listeners found each pitch class to fit the key.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from seqgen.music.piece import Piece
from seqgen.music.signatures import Key

# Krumhansl and Kessler's ratings of the twelve pitch classes, from the tonic up.
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
KEYS = tuple(Key(sharps, mode) for mode in ("major", "minor") for sharps in range(-5, 7))
C_MAJOR = KEYS[5]


def key_of(piece: Piece, frequencies: Mapping[str, float] | None = None) -> Key | None:
    """Return the major or minor key that fits best, or None if there are no notes.

    Args:
        piece: the piece; its own key signature is ignored.
        frequencies: how often keys occur in similar music. The shorter the piece is, the more
            this counts, and so does a first note that is the tonic.

    >>> from seqgen.music.pitch_names import piece_of
    >>> str(key_of(piece_of("D4/4 E4/4 F#4/4 G4/4 A4/2 C#5/4 D5/2")))
    'D'
    >>> str(key_of(piece_of("G4/8 A4/8 B4/4"), {"G": 700, "D": 500, "Bm": 40}))
    'G'
    """
    sounding = np.zeros(12)  # ticks for which each pitch class sounds
    for part in piece.parts:
        if not part.is_drums:
            for note in part.notes:
                sounding[note.pitch % 12] += note.duration
    if not sounding.any():
        return None
    if sounding.min() == sounding.max():  # no correlation is defined
        return C_MAJOR
    if not frequencies:
        return max(KEYS, key=lambda key: _correlation(sounding, key))
    highest, first = max(frequencies.values()), min(piece.notes).pitch % 12

    def score(key: Key) -> float:
        prior = frequencies.get(str(key), 0) / highest + (key.tonic == first)
        return _correlation(sounding, key) + prior / (1 + len(piece.notes))

    return max(KEYS, key=score)


def final_degree(piece: Piece) -> tuple[str, int] | None:
    """Return the mode, and the last bass note in semitones above the tonic.

    The last bass note is the lowest of the notes that end last. None if the piece names no key or
    has no notes.

    >>> from dataclasses import replace
    >>> from seqgen.music.pitch_names import piece_of
    >>> final_degree(replace(piece_of("G4/8 F4/8 D4/4"), keys=((0, Key(1)),)))
    ('major', 7)
    """
    ends = [
        (start + duration, -pitch)
        for part in piece.parts
        if not part.is_drums
        for start, duration, pitch, _ in part.notes
    ]
    if not ends or piece.key is None:
        return None
    lowest = -max(ends)[1]
    return piece.key.mode, (lowest - piece.key.tonic) % 12


def _correlation(sounding: npt.NDArray[np.float64], key: Key) -> float:
    profile = np.roll(MAJOR if key.mode == "major" else MINOR, key.tonic)
    return float(np.corrcoef(sounding, profile)[0, 1])
