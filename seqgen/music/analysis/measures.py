"""What can be measured of a piece, to set new ones beside those that were learned from."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from itertools import pairwise

from seqgen.music.piece import Piece
from seqgen.music.signatures import Key
from seqgen.music.tokens import melody

SIXTEENTH = 6  # ticks

Histogram = dict[Hashable, float]


def pitch_classes(piece: Piece) -> list[int]:
    """Of every note but those of drums."""
    return [note.pitch % 12 for part in piece.parts if not part.is_drums for note in part.notes]


def durations(piece: Piece) -> list[int]:
    """Of every note, in ticks."""
    return [note.duration for part in piece.parts for note in part.notes]


def intervals(piece: Piece) -> list[int]:
    """Semitones from each note of the highest line to the next."""
    return [after.pitch - note.pitch for note, after in pairwise(melody.restrict(piece).notes)]


def histogram(pieces: Iterable[Piece], values: Callable[[Piece], Iterable[Hashable]]) -> Histogram:
    """What share of all values each one has.

    >>> from seqgen.music.pitch_names import piece_of
    >>> histogram([piece_of("C4/4 C5/4 G4/2")], pitch_classes)
    {0: 0.6666666666666666, 7: 0.3333333333333333}
    """
    counts = Counter(value for piece in pieces for value in values(piece))
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()}


def overlap(one: Histogram, other: Histogram) -> float:
    """The area that two histograms share, 1 if they are the same (Yang and Lerch 2020).

    >>> overlap({1: 0.5, 2: 0.5}, {2: 0.25, 3: 0.75})
    0.25
    """
    return sum(min(share, other.get(value, 0.0)) for value, share in one.items())


def scale_consistency(piece: Piece) -> float:
    """The largest share of notes that lie in one major (or natural minor) scale (Mogren 2016).

    >>> from seqgen.music.pitch_names import piece_of
    >>> scale_consistency(piece_of("C4/4 D4/4 E4/4 F#4/4 G4/4 F4/4"))
    0.8333333333333334
    """
    classes = pitch_classes(piece)
    if not classes:
        return 1.0
    scales = [Key(sharps).scale for sharps in range(-5, 7)]
    return max(sum(each in scale for each in classes) for scale in scales) / len(classes)


def full_bars(piece: Piece) -> float:
    """The share of bars that their meter fills, a pick-up left out.

    >>> from seqgen.music.pitch_names import piece_of
    >>> full_bars(piece_of("C4/1 D4/2"))
    0.5
    """
    lengths = list(piece.bar_lengths)
    meters = dict(piece.meters)
    meter, full = piece.meter, 0
    if lengths[0] < meter.ticks and len(lengths) > 1:
        lengths[0] = 0
    for bar, length in zip(piece.bars, lengths, strict=True):
        meter = meters.get(bar, meter)
        full += length == meter.ticks
    return full / sum(length > 0 for length in lengths)


def pitch_class_entropy(piece: Piece) -> float:
    """Bits by which pitch classes are spread, 0 to 3.58 (Wu and Yang 2020).

    >>> from seqgen.music.pitch_names import piece_of
    >>> pitch_class_entropy(piece_of("C4/4 G4/4 C5/4 G5/4"))
    1.0
    """
    shares = histogram([piece], pitch_classes).values()
    return -sum(share * math.log2(share) for share in shares) + 0.0


def pitch_range(piece: Piece) -> int:
    """Semitones from the lowest note to the highest (Dong et al. 2020), drums left out.

    >>> from seqgen.music.pitch_names import piece_of
    >>> pitch_range(piece_of("C4/4 G4/4 E4/4"))
    7
    """
    pitches = [note.pitch for part in piece.parts if not part.is_drums for note in part.notes]
    return max(pitches, default=0) - min(pitches, default=0)


def in_key_share(piece: Piece) -> float:
    """The share of notes in the scale of the key that the piece names (Dong et al. 2018); 1 if it
    names none.

    >>> from seqgen.music.pitch_names import piece_of
    >>> from dataclasses import replace
    >>> in_key_share(replace(piece_of("G4/4 F4/4 A4/4 B4/4"), keys=((0, Key(1)),)))
    0.75
    """
    classes = pitch_classes(piece)
    if not classes or piece.key is None:
        return 1.0
    return sum(each in piece.key.scale for each in classes) / len(classes)


def groove_consistency(piece: Piece) -> float:
    """How alike the rhythms of neighbouring bars are: 1 minus the share of sixteenths at which a
    note begins in one of them only (Wu and Yang 2020).

    >>> from seqgen.music.pitch_names import piece_of
    >>> groove_consistency(piece_of("C4/4 C4/4 C4/2 C4/4 C4/4 C4/4 C4/4"))
    0.9375
    """
    starts = sorted({note.start for part in piece.parts for note in part.notes})
    rhythms = []
    for bar, length in zip(piece.bars, piece.bar_lengths, strict=True):
        inside = starts[bisect_left(starts, bar) : bisect_left(starts, bar + length)]
        rhythms.append((length, {(start - bar) // SIXTEENTH for start in inside}))
    alike = [
        1 - len(one ^ other) / max(math.ceil(length / SIXTEENTH), 1)
        for (length, one), (after, other) in pairwise(rhythms)
        if length == after
    ]
    return sum(alike) / len(alike) if alike else 1.0


def empty_bars(piece: Piece) -> float:
    """The share of bars in which no note sounds (Dong et al. 2018).

    >>> from seqgen.music.pitch_names import piece_of
    >>> empty_bars(piece_of("C4/1 r/1 C4/1 C4/1"))
    0.25
    """
    ends = (*piece.bars[1:], piece.length)
    sounding: set[int] = set()
    for note in (note for part in piece.parts for note in part.notes):
        first, last = bisect_right(ends, note.start), bisect_left(ends, note.end)
        sounding.update(range(first, last + 1))
    return sum(bar not in sounding for bar in range(len(ends))) / len(ends)
