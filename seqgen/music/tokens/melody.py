"""The codec of melodies: one note at a time, its duration first and then its pitch.

| symbol   | tokens, in this order                            | meaning                           |
|----------|--------------------------------------------------|-----------------------------------|
| piece    | meter? key? bar ("bar" meter? key? bar)*         | bars, separated by "bar"          |
| bar      | (duration+ (pitch, "rest" or "tie"))*            | the notes and rests of one bar    |
| duration | "duration:1" … "duration:96"                     | 24 ticks a quarter; they add up   |
| pitch    | "pitch:0" … "pitch:127"                          | a note; MIDI number, 60: middle C |
| rest     | "rest"                                           | silence                           |
| tie      | "tie"                                            | the note before continues         |
| meter    | "meter:6/8" …                                    | from this bar on                  |
| key      | "key:Ador" …                                     | from this bar on                  |

A note that crosses a bar line is a pitch before "bar" and a tie after it. `restrict` removes what
these tokens cannot express: tempo, instrument, velocity, and every note but the highest. `decode`
accepts any list of tokens and ignores those that make no sense where they occur.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from seqgen.music.piece import MOST_TICKS, VELOCITY, Note, Part, Piece
from seqgen.music.tokens.bar_tokens import BAR, BarReader, BarStarts, transpose_key
from seqgen.music.tokens.durations import TickTokens

REST, TIE = "rest", "tie"
DURATIONS = TickTokens("duration")
PITCHES = {f"pitch:{pitch}": pitch for pitch in range(128)}
PITCH_TOKENS = tuple(PITCHES)
TOKENS = frozenset({*DURATIONS.ticks, *PITCHES, REST, TIE, BAR})  # without meters and keys


def restrict(piece: Piece) -> Piece:
    """Remove what this codec has no tokens for.

    Of notes that sound together only the highest remains. A note ends early where a higher one
    begins.

    >>> chord = Part((Note(0, 48, 60), Note(0, 24, 67), Note(24, 24, 65)))
    >>> [note.pitch for note in restrict(Piece((chord,), bars=(0,), length=96)).notes]
    [67, 65]
    """
    if piece.is_melody:
        (part,) = piece.parts
        if part.program or any(velocity != VELOCITY for _, _, _, velocity in part.notes):
            part = Part(tuple(Note(*note[:3]) for note in part.notes))
        elif not piece.tempi:
            return piece
        return replace(piece, parts=(part,), tempi=())
    notes: list[Note] = []
    sounding = (note for part in piece.parts if not part.is_drums for note in part.notes)
    for note in sorted(sounding, key=lambda note: (note.start, -note.pitch)):
        if notes and notes[-1].end > note.start:
            last = notes[-1]
            if note.pitch <= last.pitch or note.start == last.start:
                continue
            notes[-1] = last._replace(duration=note.start - last.start)
        notes.append(Note(note.start, note.duration, note.pitch))
    return replace(piece, parts=(Part(tuple(notes)),), tempi=())


def encode(piece: Piece) -> list[str]:
    """Return the tokens of a piece that `restrict` leaves unchanged.

    >>> piece = Piece((Part((Note(0, 36, 67), Note(36, 60, 69))),), bars=(0, 72), length=96)
    >>> " ".join(encode(piece))
    'duration:36 pitch:67 duration:36 pitch:69 bar duration:24 tie'
    """
    tokens: list[str] = []
    bar_starts = BarStarts(piece)
    remaining = iter(piece.parts[0].notes)
    after_last = Note(piece.length, 0, 0)
    note, is_tied = next(remaining, after_last), False
    for now, end in pairwise((*piece.bars, piece.length)):
        tokens += bar_starts.tokens(now)
        while note.start < end:
            if note.start > now:
                tokens += DURATIONS.spell(note.start - now)
                tokens.append(REST)
                now = note.start
            stop = min(note.start + note.duration, end)
            tokens += DURATIONS.spell(stop - now)
            tokens.append(TIE if is_tied else PITCH_TOKENS[note.pitch])
            now = stop
            is_tied = note.start + note.duration > end
            if is_tied:
                break
            note = next(remaining, after_last)
        if now < end:
            tokens += DURATIONS.spell(end - now)
            tokens.append(REST)
    return tokens


def starts_note(token: str) -> bool:
    """Whether a note begins with this token."""
    return token in PITCHES


def transposed(token: str, semitones: int) -> str | None:
    """Return the token of the transposed piece, or None outside MIDI's range of pitches.

    >>> transposed("pitch:60", 2), transposed("key:Am", 3), transposed("pitch:127", 1)
    ('pitch:62', 'key:Cm', None)
    """
    if token in PITCHES:
        pitch = PITCHES[token] + semitones
        return PITCH_TOKENS[pitch] if 0 <= pitch < 128 else None
    return transpose_key(token, semitones)


def decode(tokens: Iterable[str]) -> Piece:
    """Return the piece that any list of tokens spells.

    >>> decode(["tie", "duration:24", "pitch:67", "bar", "bar", "duration:12", "tie"]).notes
    (Note(start=0, duration=36, pitch=67, velocity=80),)
    """
    now = duration = 0
    bars = BarReader()
    notes: list[Note] = []
    is_sounding = False  # the last note ends at `now`
    for token in tokens:
        if token in DURATIONS.ticks:
            duration += DURATIONS.ticks[token]
        elif token in PITCHES or token in (REST, TIE):
            if not duration or now + duration > MOST_TICKS:
                continue
            if token in PITCHES:
                notes.append(Note(now, duration, PITCHES[token]))
                is_sounding = True
            elif token == TIE and is_sounding:
                notes[-1] = notes[-1]._replace(duration=notes[-1].duration + duration)
            else:
                is_sounding = False
            now += duration
            duration = 0
        else:
            if token == BAR:
                duration = 0
            bars.feed(token, now)
    return bars.piece((Part(tuple(notes)),), bars.length(now))
