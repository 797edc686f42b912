"""Published measures of pieces, to compare generated pieces with a corpus."""

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
    """Return the pitch class of every note, without drums."""
    return [note.pitch % 12 for part in piece.parts if not part.is_drums for note in part.notes]


def durations(piece: Piece) -> list[int]:
    """Return the duration of every note in ticks."""
    return [note.duration for part in piece.parts for note in part.notes]


def intervals(piece: Piece) -> list[int]:
    """Return the semitones from note to note of the highest voice."""
    return [after.pitch - note.pitch for note, after in pairwise(melody.restrict(piece).notes)]


def histogram(pieces: Iterable[Piece], values: Callable[[Piece], Iterable[Hashable]]) -> Histogram:
    """Return the share of each value in all pieces.

    >>> from seqgen.music.pitch_names import piece_of
    >>> histogram([piece_of("C4/4 C5/4 G4/2")], pitch_classes)
    {0: 0.6666666666666666, 7: 0.3333333333333333}
    """
    counts = Counter(value for piece in pieces for value in values(piece))
    total = sum(counts.values())
    return {value: count / total for value, count in counts.items()}


def overlap(one: Histogram, other: Histogram) -> float:
    """Return the area that two histograms share (Yang and Lerch 2020), 1 if they are the same.

        overlap = sum over v of  min(one[v], other[v])

    >>> overlap({1: 0.5, 2: 0.5}, {2: 0.25, 3: 0.75})
    0.25
    """
    return sum(min(share, other.get(value, 0.0)) for value, share in one.items())


def scale_consistency(piece: Piece) -> float:
    """Return the largest share of notes within one major or natural minor scale (Mogren 2016).

    >>> from seqgen.music.pitch_names import piece_of
    >>> scale_consistency(piece_of("C4/4 D4/4 E4/4 F#4/4 G4/4 F4/4"))
    0.8333333333333334
    """
    classes = pitch_classes(piece)
    if not classes:
        return 1.0
    scales = [Key(sharps).scale for sharps in range(-5, 7)]
    return max(sum(c in scale for c in classes) for scale in scales) / len(classes)


def full_bars(piece: Piece) -> float:
    """Return the share of bars that are as long as their meter says, without a pick-up.

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


def returning_bars(piece: Piece) -> float:
    """Return the share of bars that are the same as an earlier bar with notes.

    Bars are the same if they are equally long, and all notes that start in them have the same
    parts, pitches, durations and times after the bar line. Bars without notes do not return.

    >>> from seqgen.music.pitch_names import piece_of
    >>> returning_bars(piece_of("C4/2 D4/2 E4/1 C4/2 D4/2 C4/1"))
    0.25
    """
    notes: dict[int, list[tuple[int, int, int, int]]] = {}
    for number, part in enumerate(piece.parts):
        for note in part.notes:
            bar = bisect_right(piece.bars, note.start) - 1
            sound = (note.start - piece.bars[bar], number, note.pitch, note.duration)
            notes.setdefault(bar, []).append(sound)
    bars = [(piece.bar_lengths[bar], *sorted(sounds)) for bar, sounds in notes.items()]
    return (len(bars) - len(set(bars))) / len(piece.bars)


def pitch_class_entropy(piece: Piece) -> float:
    """Return the entropy of pitch classes in bits, 0 to 3.58 (Wu and Yang 2020).

        entropy = -sum over c of  share[c] * log2(share[c])

    >>> from seqgen.music.pitch_names import piece_of
    >>> pitch_class_entropy(piece_of("C4/4 G4/4 C5/4 G5/4"))
    1.0
    """
    shares = histogram([piece], pitch_classes).values()
    return -sum(share * math.log2(share) for share in shares) + 0.0


def pitch_range(piece: Piece) -> int:
    """Return the semitones from the lowest to the highest note, without drums (Dong et al. 2020).

    >>> from seqgen.music.pitch_names import piece_of
    >>> pitch_range(piece_of("C4/4 G4/4 E4/4"))
    7
    """
    pitches = [note.pitch for part in piece.parts if not part.is_drums for note in part.notes]
    return max(pitches, default=0) - min(pitches, default=0)


def in_key_share(piece: Piece) -> float:
    """Return the share of notes in the scale of the piece's key (Dong et al. 2018).

    1 if the piece names no key.

    >>> from seqgen.music.pitch_names import piece_of
    >>> from dataclasses import replace
    >>> in_key_share(replace(piece_of("G4/4 F4/4 A4/4 B4/4"), keys=((0, Key(1)),)))
    0.75
    """
    classes = pitch_classes(piece)
    if not classes or piece.key is None:
        return 1.0
    return sum(pitch_class in piece.key.scale for pitch_class in classes) / len(classes)


def groove_consistency(piece: Piece) -> float:
    """Return how similar the rhythms of neighbouring bars are (Wu and Yang 2020).

    Of a pair of bars of the same length it is

        1 - (sixteenths on which a note begins in one bar only) / (sixteenths in a bar)

    and of a piece the mean over its pairs, or 1 if there are none.

    >>> from seqgen.music.pitch_names import piece_of
    >>> groove_consistency(piece_of("C4/4 C4/4 C4/2 C4/4 C4/4 C4/4 C4/4"))
    0.9375
    """
    starts = sorted({note.start for part in piece.parts for note in part.notes})
    rhythms = []
    for bar, length in zip(piece.bars, piece.bar_lengths, strict=True):
        inside = starts[bisect_left(starts, bar) : bisect_left(starts, bar + length)]
        rhythms.append((length, {(start - bar) // SIXTEENTH for start in inside}))
    similarities = [
        1 - len(one ^ other) / max(math.ceil(length / SIXTEENTH), 1)
        for (length, one), (after, other) in pairwise(rhythms)
        if length == after
    ]
    return sum(similarities) / len(similarities) if similarities else 1.0


def empty_bars(piece: Piece) -> float:
    """Return the share of bars in which no note sounds (Dong et al. 2018).

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
