"""Pieces as they are notated on a staff: voices, bars, ties, and spelled pitches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import FIFTHS, Key
from seqgen.music.tokens.voices import voices_of

MIDDLE_C = 60
WIDE = 53, 67  # a part with pitches below and above both needs two staves
KEYBOARDS = {*range(8), *range(16, 20)}  # programs: pianos and organs
SHORTEST_BINARY = 3  # ticks of a note value without a triplet
LOW = 57  # mean pitch below which the bass clef is used


class Symbol(NamedTuple):
    """A note, a chord or a rest in one bar."""

    ticks: int
    pitches: tuple[int, ...]  # empty for a rest
    is_tied: bool = False  # to the first symbol of the next bar


class Voice(NamedTuple):
    """One voice through the whole piece."""

    part: int  # index of its part
    bars: list[list[Symbol]]


def voices(piece: Piece) -> list[Voice]:
    """Return the voices of all parts, cut at the bar lines and filled with rests.

    Notes of a part that begin and end together are one chord.

    >>> voices(Piece((Part((Note(24, 96, 60),)),), bars=(0, 96), length=192))[0].bars[1]
    [Symbol(ticks=24, pitches=(60,), is_tied=False), Symbol(ticks=72, pitches=(), is_tied=False)]
    """
    found = []
    for number, part in enumerate(piece.parts):
        chords: dict[tuple[int, int], list[int]] = {}
        for note in part.notes:
            chords.setdefault(note[:2], []).append(note.pitch)
        highest = (Note(*times, max(pitches)) for times, pitches in chords.items())
        for voice in voices_of(highest):
            found.append(Voice(number, _bars(voice, chords, piece)))
    return found or [Voice(0, _bars([], {}, piece))]


def _bars(
    notes: list[Note], chords: dict[tuple[int, int], list[int]], piece: Piece
) -> list[list[Symbol]]:
    remaining = [*notes, Note(piece.length, 1, 0)][::-1]
    bars = []
    for start, end in pairwise((*piece.bars, piece.length)):
        bar, now = [], start
        while now < end:
            note = remaining[-1]
            if note.start > now:
                stop = min(note.start, end)
                bar.append(Symbol(stop - now, ()))
            else:
                stop = min(note.end, end)
                pitches = tuple(sorted(chords[note[:2]]))
                bar.append(Symbol(stop - now, pitches, note.end > end))
                if note.end <= end:
                    remaining.pop()
            now = stop
        bars.append(bar)
    return bars


def triplets(lengths: Sequence[int]) -> list[range]:
    """Return which symbols of a bar form triplets.

    A triplet begins with a length that is no sum of binary note values, and ends where the lengths
    so far are, or with the bar.

    Args:
        lengths: of the symbols, in ticks.

    >>> triplets([24, 8, 8, 8, 16, 8, 12])
    [range(1, 4), range(4, 6)]
    """
    found: list[range] = []
    first, ticks = 0, 0
    for i, length in enumerate(lengths):
        ticks += length
        if length == ticks:
            first = i
        if ticks % SHORTEST_BINARY == 0:
            if length != ticks:
                found.append(range(first, i + 1))
            ticks = 0
    if ticks:
        found.append(range(first, len(lengths)))
    return found


def hands(part: Part) -> list[Part]:
    """Split a wide keyboard part at middle C into two staves; leave any other part whole.

    >>> wide = Part((Note(0, 96, 72), Note(0, 96, 48)))
    >>> [[note.pitch for note in hand.notes] for hand in hands(wide)]
    [[72], [48]]
    >>> len(hands(replace(wide, program=40)))
    1
    """
    pitches = [note.pitch for note in part.notes]
    is_wide = bool(pitches) and min(pitches) < WIDE[0] and max(pitches) > WIDE[1]
    if part.is_drums or part.is_monophonic or part.program not in KEYBOARDS or not is_wide:
        return [part]
    upper = tuple(note for note in part.notes if note.pitch >= MIDDLE_C)
    lower = tuple(note for note in part.notes if note.pitch < MIDDLE_C)
    return [replace(part, notes=upper), replace(part, notes=lower)]


def is_low(voices: Iterable[Voice]) -> bool:
    """Whether voices are better written in the bass clef."""
    pitches = [
        p for voice in voices for bar in voice.bars for symbol in bar for p in symbol.pitches
    ]
    return bool(pitches) and sum(pitches) / len(pitches) < LOW


class Spelling(NamedTuple):
    """The name of a pitch on a staff."""

    step: str
    alter: int  # semitones
    octave: int


def spelled(pitch: int, key: Key | None) -> Spelling:
    """Spell a pitch in a key, by the line of fifths.

    In C major spellings reach from Eb to G#; in A minor from Bb to D#, to include the leading
    tone.

    >>> spelled(63, Key(-3)), spelled(63, Key(1, "minor")), spelled(60, Key(7))
    (Spelling(step='E', alter=-1, octave=4), Spelling(step='D', alter=1, octave=4), \
Spelling(step='B', alter=1, octave=3))
    """
    key = key or Key(0)
    lowest = key.sharps - (2 if key.mode == "minor" else 3)
    fifths = next(k for k in range(lowest, lowest + 12) if 7 * k % 12 == pitch % 12)
    step, alter = FIFTHS[(fifths + 1) % 7], (fifths + 1) // 7
    natural = pitch - alter
    return Spelling(step, alter, natural // 12 - 1)


def signature_of(key: Key | None) -> dict[str, int]:
    """Return the accidentals of a key signature.

    >>> signature_of(Key(-2))
    {'B': -1, 'E': -1}
    """
    sharps = key.sharps if key else 0
    if sharps >= 0:
        return dict.fromkeys(FIFTHS[:sharps], 1)
    return dict.fromkeys(FIFTHS[::-1][:-sharps], -1)
