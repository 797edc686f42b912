"""The key of a piece that does not say it.

After Krumhansl, Cognitive Foundations of Musical Pitch (1990), chapter 4: how long each pitch
class sounds is compared with how well listeners found each to fit a key.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from seqgen.music.piece import Piece
from seqgen.music.signatures import Key

# Krumhansl and Kessler's ratings of the twelve pitch classes, from the tonic up.
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
KEYS = tuple(Key(sharps, mode) for mode in ("major", "minor") for sharps in range(-5, 7))


def key_of(piece: Piece, common: Mapping[str, float] | None = None) -> Key | None:
    """The major or minor key that fits best; None if there are no notes.

    Args:
        piece: whose key it is.
        common: how often keys occur in music like it; the fewer notes there are, the more it tells,
            and where they begin.

    >>> from seqgen.music.pitch_names import piece_of
    >>> str(key_of(piece_of("D4/4 E4/4 F#4/4 G4/4 A4/2 C#5/4 D5/2")))
    'D'
    >>> str(key_of(piece_of("G4/8 A4/8 B4/4"), {"G": 700, "D": 500, "Bm": 40}))
    'G'
    """
    sounding = np.zeros(12)
    for part in piece.parts:
        if not part.is_drums:
            for note in part.notes:
                sounding[note.pitch % 12] += note.duration
    if not sounding.any():
        return None
    if sounding.min() == sounding.max():
        return KEYS[5]
    if not common:
        return max(KEYS, key=lambda key: _fit(sounding, key))
    most, first = max(common.values()), min(piece.notes).pitch % 12

    def likely(key: Key) -> float:
        expected = common.get(str(key), 0) / most + (key.tonic == first)
        return _fit(sounding, key) + expected / (1 + len(piece.notes))

    return max(KEYS, key=likely)


def close_of(piece: Piece) -> tuple[str, int] | None:
    """The mode of a piece, and its last bass note, in semitones above the tonic; None if it names
    no key, or has no notes.

    >>> from dataclasses import replace
    >>> from seqgen.music.pitch_names import piece_of
    >>> close_of(replace(piece_of("G4/8 F4/8 D4/4"), keys=((0, Key(1)),)))
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
    lowest = -max(ends)[1]  # of the notes that end last
    return piece.key.mode, (lowest - piece.key.tonic) % 12


def _fit(sounding: np.ndarray, key: Key) -> float:
    profile = np.roll(MAJOR if key.mode == "major" else MINOR, key.tonic)
    return float(np.corrcoef(sounding, profile)[0, 1])
