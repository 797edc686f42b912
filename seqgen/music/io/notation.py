"""Pieces as a stave has them: voices, bars, ties, and names of notes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import FIFTHS, Key
from seqgen.music.tokens.voices import voices_of

MIDDLE_C = 60
WIDE = 53, 67  # what has pitches below and above is too wide for one stave
KEYBOARDS = {*range(8), *range(16, 20)}  # programs: pianos and organs
LOW = 57  # pitches that are lower on average stand in the bass clef


class Symbol(NamedTuple):
    """A note, a chord or a rest in one bar."""

    ticks: int
    pitches: tuple[int, ...]  # none is a rest
    is_tied: bool = False  # to the next one, over the bar line


class Voice(NamedTuple):
    """One line of notes through the whole piece."""

    part: int  # whose it is
    bars: list[list[Symbol]]


def voices(piece: Piece) -> list[Voice]:
    """The lines of every part, cut at the bar lines; rests fill what is silent.

    Notes of a part that begin and end together are a chord of one voice.

    >>> voices(Piece((Part((Note(24, 96, 60),)),), bars=(0, 96), length=192))[0].bars[1]
    [Symbol(ticks=24, pitches=(60,), is_tied=False), Symbol(ticks=72, pitches=(), is_tied=False)]
    """
    lines = []
    for number, part in enumerate(piece.parts):
        chords: dict[tuple[int, int], list[int]] = {}
        for note in part.notes:
            chords.setdefault(note[:2], []).append(note.pitch)
        highest = (Note(*times, max(pitches)) for times, pitches in chords.items())
        for lane in voices_of(highest):
            lines.append(Voice(number, _bars(lane, chords, piece)))
    return lines or [Voice(0, _bars([], {}, piece))]


def _bars(
    notes: list[Note], chords: dict[tuple[int, int], list[int]], piece: Piece
) -> list[list[Symbol]]:
    coming = [*notes, Note(piece.length, 1, 0)][::-1]
    bars = []
    for start, end in pairwise((*piece.bars, piece.length)):
        bar, now = [], start
        while now < end:
            note = coming[-1]
            if note.start > now:
                stop = min(note.start, end)
                bar.append(Symbol(stop - now, ()))
            else:
                stop = min(note.end, end)
                pitches = tuple(sorted(chords[note[:2]]))
                bar.append(Symbol(stop - now, pitches, note.end > end))
                if note.end <= end:
                    coming.pop()
            now = stop
        bars.append(bar)
    return bars


def hands(part: Part) -> list[Part]:
    """What stands on the upper and the lower stave of a keyboard, apart at middle C; a part that
    one stave holds stays whole.

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
    """Whether they are better read in the bass clef."""
    pitches = [p for voice in voices for bar in voice.bars for each in bar for p in each.pitches]
    return bool(pitches) and sum(pitches) / len(pitches) < LOW


class Spelling(NamedTuple):
    """The name of a pitch on a stave."""

    step: str
    alter: int  # semitones
    octave: int


def spelled(pitch: int, key: Key | None) -> Spelling:
    """The name that a pitch has in a key, by the line of fifths: in C major from Eb to G#, in A
    minor, for its leading tone's sake, from Bb to D#.

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
    """The accidentals that stand at the beginning of a stave.

    >>> signature_of(Key(-2))
    {'B': -1, 'E': -1}
    """
    sharps = key.sharps if key else 0
    if sharps >= 0:
        return dict.fromkeys(FIFTHS[:sharps], 1)
    return dict.fromkeys(FIFTHS[::-1][:-sharps], -1)
