"""The codec of melodies: one note at a time, its duration and then its pitch.

    tune      meter? key? bar ("bar" meter? key? bar)*
    bar       (duration+ (pitch | "rest" | "tie"))*
    duration  "duration:1" … "duration:96"    ticks of a 24th of a quarter, added up
    pitch     "pitch:0" … "pitch:127"         as MIDI counts
    "rest"    silence
    "tie"     the note before goes on over the bar line
    meter     "meter:6/8" …
    key       "key:Ador" …

What this leaves out (tempo, instrument, velocity) `restrict` removes. Any list of tokens is some
tune: what makes no sense where it stands is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from seqgen.music.piece import MOST_TICKS, VELOCITY, Note, Part, Piece
from seqgen.music.signatures import Key, Meter
from seqgen.music.tokens.durations import BASIS, parts_of

BAR, REST, TIE = "bar", "rest", "tie"
METER, KEY = "meter:", "key:"
TICKS = {f"duration:{ticks}": ticks for ticks in BASIS}
PITCHES = {f"pitch:{pitch}": pitch for pitch in range(128)}
PITCH_TOKENS = tuple(PITCHES)
DURATION_TOKENS = [tuple(f"duration:{part}" for part in parts_of(ticks)) for ticks in range(400)]


def restrict(piece: Piece) -> Piece:
    """The piece without what this codec has no tokens for.

    Of notes that sound at once the highest is kept, and goes on if it began before.

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
    """The tokens of a piece that `restrict` returns unchanged.

    >>> piece = Piece((Part((Note(0, 36, 67), Note(36, 60, 69))),), bars=(0, 72), length=96)
    >>> " ".join(encode(piece))
    'duration:36 pitch:67 duration:36 pitch:69 bar duration:24 tie'
    """
    tokens: list[str] = []
    meters, keys = dict(piece.meters), dict(piece.keys)
    coming = iter(piece.parts[0].notes)
    nothing = Note(piece.length, 0, 0)
    note, is_tied_over = next(coming, nothing), False
    for now, end in pairwise((*piece.bars, piece.length)):
        if now:
            tokens.append(BAR)
        if now in meters:
            tokens.append(f"{METER}{meters[now]}")
        if now in keys:
            tokens.append(f"{KEY}{keys[now]}")
        while note.start < end:
            if note.start > now:
                tokens += _duration(note.start - now)
                tokens.append(REST)
                now = note.start
            stop = min(note.start + note.duration, end)
            tokens += _duration(stop - now)
            tokens.append(TIE if is_tied_over else PITCH_TOKENS[note.pitch])
            now = stop
            is_tied_over = note.start + note.duration > end
            if is_tied_over:
                break
            note = next(coming, nothing)
        if now < end:
            tokens += _duration(end - now)
            tokens.append(REST)
    return tokens


def starts_note(token: str) -> bool:
    """Whether a note begins with it."""
    return token in PITCHES


def transposed(token: str, semitones: int) -> str | None:
    """The token of the same music so much higher; None if MIDI has no such pitch.

    >>> transposed("pitch:60", 2), transposed("key:Am", 3), transposed("pitch:127", 1)
    ('pitch:62', 'key:Cm', None)
    """
    if token in PITCHES:
        higher = PITCHES[token] + semitones
        return PITCH_TOKENS[higher] if 0 <= higher < 128 else None
    if token.startswith(KEY):
        return f"{KEY}{Key.parse(token.removeprefix(KEY)).transposed(semitones)}"
    return token


def _duration(ticks: int) -> tuple[str, ...]:
    if ticks < len(DURATION_TOKENS):
        return DURATION_TOKENS[ticks]
    return tuple(f"duration:{part}" for part in parts_of(ticks))


def decode(tokens: Iterable[str]) -> Piece:
    """The piece that tokens stand for, whatever they are.

    >>> decode(["tie", "duration:24", "pitch:67", "bar", "bar", "duration:12", "tie"]).notes
    (Note(start=0, duration=36, pitch=67, velocity=80),)
    """
    now = duration = 0
    bars: list[int] = [0]
    notes: list[Note] = []
    meters: dict[int, Meter] = {}
    keys: dict[int, Key] = {}
    sounding = False  # whether the last note reaches to now
    for token in tokens:
        if token in TICKS:
            duration += TICKS[token]
        elif token in PITCHES or token in (REST, TIE):
            if not duration or now + duration > MOST_TICKS:
                continue
            if token in PITCHES:
                notes.append(Note(now, duration, PITCHES[token]))
                sounding = True
            elif token == TIE and sounding:
                notes[-1] = notes[-1]._replace(duration=notes[-1].duration + duration)
            else:
                sounding = False
            now += duration
            duration = 0
        elif token == BAR:
            duration = 0
            if now > bars[-1]:
                bars.append(now)
        elif now == bars[-1] and token.startswith(METER):
            meters[now] = Meter.parse(token.removeprefix(METER))
        elif now == bars[-1] and token.startswith(KEY):
            keys[now] = Key.parse(token.removeprefix(KEY))
    if now == 0:
        now = meters.get(0, Meter(4, 4)).ticks
    if bars[-1] == now:
        meters.pop(now, None)
        keys.pop(now, None)
        bars.pop()
    return Piece(
        (Part(tuple(notes)),), tuple(bars), now, tuple(meters.items()), tuple(keys.items())
    )
