"""The codec of music in several voices: lanes that hold.

    piece     meter? key? part+ bar ("bar" meter? key? bar)*
    part      ("program:0" … "program:127" | "drums") "lane"*
    bar       (shift | velocity? attack | off | hit)*
    shift     "shift:1" … "shift:96"          ticks of a 24th of a quarter, added up
    attack    "0:60" …                        lane and pitch, as MIDI counts
              "lane:0" "pitch:60" …           the same where there are many lanes
    off       "0:off" …                       or "lane:0" "off"
    hit       "drum:35" …                     General MIDI's drums
    velocity  "velocity:0" … "velocity:7"     of all attacks up to the next one, where it is kept
    meter     "meter:4/4" …
    key       "key:Bb" …

A note sounds until its lane moves. A part has a lane, and a further one for each "lane"; lanes
are numbered through. What this leaves out (tempo, how long a drum sounds) `restrict` removes. Any
list of tokens is some piece: what makes no sense where it stands is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from seqgen.errors import MusicError
from seqgen.music.piece import MOST_TICKS, VELOCITY, Note, Part, Piece
from seqgen.music.signatures import Key, Meter
from seqgen.music.tokens.durations import BASIS, parts_of
from seqgen.music.tokens.voices import one_of_each_pitch, voices_of

BAR, LANE, DRUMS, OFF = "bar", "lane", "drums", "off"
METER, KEY, PROGRAM, VELOCITY_STEP = "meter:", "key:", "program:", "velocity:"
MOST_JOINT_VOICES = 6  # up to which lane and pitch are one token
MOST_LANES = 128
DRUM_TICKS = 6  # how long a drum sounds
VELOCITY_STEPS = 8
SHIFTS = {f"shift:{ticks}": ticks for ticks in BASIS}
SHIFT_TOKENS = [tuple(f"shift:{part}" for part in parts_of(ticks)) for ticks in range(400)]
HITS = {f"drum:{pitch}": pitch for pitch in range(128)}
JOINT = {f"{lane}:{p}": (lane, p) for lane in range(MOST_JOINT_VOICES) for p in range(128)}
JOINT_OFF = {f"{lane}:off": lane for lane in range(MOST_JOINT_VOICES)}
LANES = {f"lane:{lane}": lane for lane in range(MOST_LANES)}
PITCHES = {f"pitch:{pitch}": pitch for pitch in range(128)}
PROGRAMS = {f"{PROGRAM}{program}": program for program in range(128)}
VELOCITIES = {f"{VELOCITY_STEP}{step}": step for step in range(VELOCITY_STEPS)}


def restrict(piece: Piece, *, velocity: bool = False) -> Piece:
    """The piece without what this codec has no tokens for.

    Args:
        velocity: whether it is kept, in eight steps.

    Raises:
        MusicError: more notes sound at once than anybody can play.
    """

    def adjusted(note: Note) -> Note:
        step = note.velocity * VELOCITY_STEPS // 128
        return note._replace(velocity=_velocity(step) if velocity else VELOCITY)

    parts = [
        replace(part, notes=tuple(map(adjusted, one_of_each_pitch(part.notes))))
        for part in piece.parts
        if part.notes and not part.is_drums
    ]
    if sum(len(voices_of(part.notes)) for part in parts) > MOST_LANES:
        raise MusicError(f"has more than {MOST_LANES} notes that sound at once")
    hits = {
        (note.start, note.pitch): adjusted(note)
        for part in piece.parts
        if part.is_drums
        for note in part.notes
    }
    if hits:
        parts.append(_drum_part(hits.values(), piece.length))
    return replace(piece, parts=tuple(parts), tempi=())


def _velocity(step: int) -> int:
    return (2 * step + 1) * 64 // VELOCITY_STEPS


def _drum_part(hits: Iterable[Note], length: int) -> Part:
    notes = (hit._replace(duration=min(DRUM_TICKS, length - hit.start)) for hit in hits)
    return Part(tuple(one_of_each_pitch(notes)), 0, is_drums=True)


def encode(piece: Piece, *, joint: bool = True, velocity: bool = False) -> list[str]:
    """The tokens of a piece that `restrict` returns unchanged.

    Args:
        joint: lane and pitch are one token, where there are few enough lanes.
        velocity: whether it is written.

    >>> voices = Part((Note(0, 96, 72),), 52), Part((Note(0, 48, 60), Note(48, 48, 62)), 52)
    >>> " ".join(encode(Piece(voices, bars=(0,), length=96)))
    'program:52 program:52 0:72 1:60 shift:48 1:62 shift:48'
    """
    meters, keys = dict(piece.meters), dict(piece.keys)
    parts: list[str] = []
    lanes: list[list[Note]] = []
    hits: list[Note] = []
    for part in piece.parts:
        if part.is_drums:
            hits += part.notes
            parts.append(DRUMS)
        else:
            found = voices_of(part.notes)
            parts += [f"{PROGRAM}{part.program}", *[LANE] * (len(found) - 1)]
            lanes += found
    is_joint = joint and len(lanes) <= MOST_JOINT_VOICES
    moves = _moves(lanes, hits, piece.length)
    tokens: list[str] = []
    loudness = -1
    time, lane, note = next(moves)
    for now, end in pairwise((*piece.bars, piece.length)):
        if now:
            tokens.append(BAR)
        if now in meters:
            tokens.append(f"{METER}{meters[now]}")
        if now in keys:
            tokens.append(f"{KEY}{keys[now]}")
        if now == 0:
            tokens += parts
        while time < end:
            if time > now:
                tokens += _shift(time - now)
                now = time
            if velocity and note is not None:
                step = note.velocity * VELOCITY_STEPS // 128
                if step != loudness:
                    tokens.append(f"{VELOCITY_STEP}{step}")
                    loudness = step
            if lane == MOST_LANES and note is not None:
                tokens.append(f"drum:{note.pitch}")
            elif is_joint:
                tokens.append(f"{lane}:{OFF if note is None else note.pitch}")
            else:
                tokens += (f"lane:{lane}", OFF if note is None else f"pitch:{note.pitch}")
            time, lane, note = next(moves)
        tokens += _shift(end - now)
    return tokens


def starts_note(token: str) -> bool:
    """Whether a note begins with it."""
    return token in JOINT or token in PITCHES or token in HITS


def transposed(token: str, semitones: int) -> str | None:
    """The token of the same music so much higher; None if MIDI has no such pitch.

    >>> transposed("1:60", 2), transposed("key:D", -2), transposed("drum:36", 5)
    ('1:62', 'key:C', 'drum:36')
    """
    if token in JOINT:
        lane, pitch = JOINT[token]
        higher = f"{lane}:{pitch + semitones}"
        return higher if higher in JOINT else None
    if token in PITCHES:
        higher = f"pitch:{PITCHES[token] + semitones}"
        return higher if higher in PITCHES else None
    if token.startswith(KEY):
        return f"{KEY}{Key.parse(token.removeprefix(KEY)).transposed(semitones)}"
    return token


def _moves(
    lanes: list[list[Note]], hits: list[Note], length: int
) -> Iterator[tuple[int, int, Note | None]]:
    """When which lane moves, to what note or none, in order; drums count as the last lane."""
    moves: list[tuple[int, int, Note | None]] = [(hit.start, MOST_LANES, hit) for hit in hits]
    for number, lane in enumerate(lanes):
        moves += [(note.start, number, note) for note in lane]
        for note, after in pairwise((*lane, Note(length, 0, 0))):
            if note.start + note.duration < after.start:
                moves.append((note.start + note.duration, number, None))
    moves.sort(key=lambda move: (move[0], move[1], move[2] and move[2].pitch))
    yield from moves
    yield length, 0, None


def _shift(ticks: int) -> tuple[str, ...]:
    if ticks < len(SHIFT_TOKENS):
        return SHIFT_TOKENS[ticks]
    return tuple(f"shift:{part}" for part in parts_of(ticks))


def decode(tokens: Iterable[str]) -> Piece:
    """The piece that tokens stand for, whatever they are.

    >>> decode(["0:60", "shift:24", "0:off", "shift:72"]).notes
    (Note(start=0, duration=24, pitch=60, velocity=80),)
    """
    return _Decoder().decode(tokens)


class _Decoder:
    """What sounds, while tokens are read."""

    def __init__(self) -> None:
        self.now = 0
        self.velocity = VELOCITY
        self.part_of_lane: list[int] = []
        self.programs: list[int] = []
        self.notes: list[list[Note]] = []  # of each part
        self.hits: dict[tuple[int, int], Note] = {}
        self.sounding: dict[int, tuple[int, int, int]] = {}  # lane → start, pitch, velocity

    def decode(self, tokens: Iterable[str]) -> Piece:
        bars = [0]
        meters: dict[int, Meter] = {}
        keys: dict[int, Key] = {}
        lane: int | None = None  # that the next token is about
        for token in tokens:
            about, lane = lane, None
            if token in SHIFTS:
                self.now = min(self.now + SHIFTS[token], MOST_TICKS)
            elif token in JOINT:
                self._strike(*JOINT[token])
            elif token in JOINT_OFF:
                self._stop(JOINT_OFF[token])
            elif token in LANES:
                lane = LANES[token]
            elif token in PITCHES and about is not None:
                self._strike(about, PITCHES[token])
            elif token == OFF and about is not None:
                self._stop(about)
            elif token in HITS:
                hit = Note(self.now, DRUM_TICKS, HITS[token], self.velocity)
                self.hits[self.now, hit.pitch] = hit
            elif token == BAR:
                if self.now > bars[-1]:
                    bars.append(self.now)
            elif token in VELOCITIES:
                self.velocity = _velocity(VELOCITIES[token])
            elif token in PROGRAMS:
                self._add_part(PROGRAMS[token])
            elif token == LANE and self.programs:
                self.part_of_lane.append(len(self.programs) - 1)
            elif self.now == bars[-1] and token.startswith(METER):
                meters[self.now] = Meter.parse(token.removeprefix(METER))
            elif self.now == bars[-1] and token.startswith(KEY):
                keys[self.now] = Key.parse(token.removeprefix(KEY))
        if self.now == 0:
            self.now = meters.get(0, Meter(4, 4)).ticks
        if bars[-1] == self.now:
            meters.pop(self.now, None)
            keys.pop(self.now, None)
            bars.pop()
        parts = self._parts()
        return Piece(parts, tuple(bars), self.now, tuple(meters.items()), tuple(keys.items()))

    def _add_part(self, program: int) -> None:
        self.part_of_lane.append(len(self.programs))
        self.programs.append(program)
        self.notes.append([])

    def _strike(self, lane: int, pitch: int) -> None:
        while len(self.part_of_lane) <= lane:  # one that the header forgot
            if self.programs:
                self.part_of_lane.append(len(self.programs) - 1)
            else:
                self._add_part(0)
        self._stop(lane)
        self.sounding[lane] = (self.now, pitch, self.velocity)

    def _stop(self, lane: int) -> None:
        if lane in self.sounding:
            start, pitch, velocity = self.sounding.pop(lane)
            if self.now > start:
                note = Note(start, self.now - start, pitch, velocity)
                self.notes[self.part_of_lane[lane]].append(note)

    def _parts(self) -> tuple[Part, ...]:
        for lane in list(self.sounding):
            self._stop(lane)
        parts = [
            Part(tuple(one_of_each_pitch(notes)), program)
            for notes, program in zip(self.notes, self.programs, strict=True)
            if notes
        ]
        hits = [hit for hit in self.hits.values() if hit.start < self.now]
        return (*parts, *([_drum_part(hits, self.now)] if hits else []))
