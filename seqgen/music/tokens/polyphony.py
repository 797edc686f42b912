"""The codec of music in several voices: note-ons, note-offs, and the time between them.

| symbol     | tokens, in this order                          | meaning                           |
|------------|------------------------------------------------|-----------------------------------|
| piece      | meter? key? part+ bar ("bar" meter? key? bar)* | bars, separated by "bar"          |
| part       | ("program:0" … "program:127") "lane"*          | an instrument and its first voice |
|            |                                                | one more voice for each "lane"    |
|            | "drums"                                        | the drums, which have no voices   |
| bar        | (shift, velocity, note-on, note-off or         | events in order; at one tick by   |
|            | drum onset)*                                   | voice, with the drums last        |
| shift      | "shift:1" … "shift:96"                         | ticks that pass; they add up      |
| note-on    | "0:60" …                                       | voice 0 starts pitch 60, middle C |
|            | "lane:0" "pitch:60" …                          | the same, with many voices        |
| note-off   | "0:off" …                                      | voice 0 falls silent              |
|            | "lane:0" "off" …                               | the same, with many voices        |
| drum onset | "drum:35" …                                    | a drum by its General MIDI number |
| velocity   | "velocity:0" … "velocity:7"                    | of all notes until the next one;  |
|            |                                                | only with the option `velocity`   |
| meter      | "meter:4/4" …                                  | from this bar on                  |
| key        | "key:Bb" …                                     | from this bar on                  |

Voices are numbered across all parts, from 0; the tokens call a voice "lane". A note sounds until
the next note-on or note-off of its voice. With up to six voices, voice and pitch are one token.
`restrict` removes what these tokens cannot express: tempo, and how long a drum sounds. `decode`
accepts any list of tokens and ignores those that make no sense where they occur.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from seqgen.errors import MusicError
from seqgen.music.piece import MOST_TICKS, VELOCITY, Note, Part, Piece
from seqgen.music.tokens.bar_tokens import BAR, BarReader, BarStarts, transpose_key
from seqgen.music.tokens.durations import TickTokens
from seqgen.music.tokens.voices import one_of_each_pitch, voices_of

MORE_VOICES, DRUMS, OFF = "lane", "drums", "off"
MAX_JOINT_VOICES = 6  # with more voices, voice and pitch are two tokens
MAX_VOICES = 128
DRUM_VOICE = MAX_VOICES  # sorts drum onsets after all voices
DRUM_TICKS = 6  # length of every drum note
VELOCITY_LEVELS = 8
SHIFTS = TickTokens("shift")
NOTE_ONS = {f"{voice}:{p}": (voice, p) for voice in range(MAX_JOINT_VOICES) for p in range(128)}
NOTE_OFFS = {f"{voice}:{OFF}": voice for voice in range(MAX_JOINT_VOICES)}
VOICES = {f"lane:{voice}": voice for voice in range(MAX_VOICES)}
PITCHES = {f"pitch:{pitch}": pitch for pitch in range(128)}
DRUM_ONSETS = {f"drum:{pitch}": pitch for pitch in range(128)}
PROGRAMS = {f"program:{program}": program for program in range(128)}
VELOCITIES = {f"velocity:{level}": level for level in range(VELOCITY_LEVELS)}
TOKENS = frozenset(  # without meters and keys
    {
        *SHIFTS.ticks, *NOTE_ONS, *NOTE_OFFS, *VOICES, *PITCHES, *DRUM_ONSETS, *PROGRAMS,
        *VELOCITIES, MORE_VOICES, DRUMS, OFF, BAR,
    }
)  # fmt: skip

Event = tuple[int, int, Note | None]  # tick, voice, the note that starts there or None


def require_voices(piece: Piece) -> None:
    """Raise `MusicError` if more notes sound together than there are voices."""
    if piece.note_count <= MAX_VOICES:
        return
    pitched = (one_of_each_pitch(part.notes) for part in piece.parts if not part.is_drums)
    if sum(len(voices_of(notes)) for notes in pitched) > MAX_VOICES:
        raise MusicError(f"has more than {MAX_VOICES} notes that sound at once")


def restrict(piece: Piece, *, velocity: bool = False) -> Piece:
    """Remove what this codec has no tokens for.

    Args:
        piece: any piece.
        velocity: keep velocities, rounded to eight levels.

    Raises:
        MusicError: more notes sound together than there are voices.
    """

    def adjusted(note: Note) -> Note:
        return note._replace(velocity=_velocity(_level(note)) if velocity else VELOCITY)

    require_voices(piece)
    parts = [
        replace(part, notes=tuple(map(adjusted, one_of_each_pitch(part.notes))))
        for part in piece.parts
        if part.notes and not part.is_drums
    ]
    drum_onsets = {
        (note.start, note.pitch): adjusted(note)
        for part in piece.parts
        if part.is_drums
        for note in part.notes
    }
    if drum_onsets:
        parts.append(_drum_part(drum_onsets.values(), piece.length))
    return replace(piece, parts=tuple(parts), tempi=())


def _level(note: Note) -> int:
    return note.velocity * VELOCITY_LEVELS // 128


def _velocity(level: int) -> int:
    """Return the velocity in the middle of a level."""
    return (2 * level + 1) * 64 // VELOCITY_LEVELS


def _drum_part(onsets: Iterable[Note], length: int) -> Part:
    notes = (note._replace(duration=min(DRUM_TICKS, length - note.start)) for note in onsets)
    return Part(tuple(one_of_each_pitch(notes)), 0, is_drums=True)


def encode(piece: Piece, *, joint: bool = True, velocity: bool = False) -> list[str]:
    """Return the tokens of a piece that `restrict` leaves unchanged.

    Args:
        piece: the piece.
        joint: write voice and pitch as one token, if there are at most six voices.
        velocity: write velocities.

    >>> parts = Part((Note(0, 96, 72),), 52), Part((Note(0, 48, 60), Note(48, 48, 62)), 52)
    >>> " ".join(encode(Piece(parts, bars=(0,), length=96)))
    'program:52 program:52 0:72 1:60 shift:48 1:62 shift:48'
    """
    part_list: list[str] = []
    voices: list[list[Note]] = []
    drum_onsets: list[Note] = []
    for part in piece.parts:
        if part.is_drums:
            drum_onsets += part.notes
            part_list.append(DRUMS)
        else:
            found = voices_of(part.notes)
            part_list += [f"program:{part.program}", *[MORE_VOICES] * (len(found) - 1)]
            voices += found
    is_joint = joint and len(voices) <= MAX_JOINT_VOICES
    events = _events(voices, drum_onsets, piece.length)
    bar_starts = BarStarts(piece)
    tokens: list[str] = []
    last_level = -1
    tick, voice, note = next(events)
    for now, end in pairwise((*piece.bars, piece.length)):
        tokens += bar_starts.tokens(now)
        if now == 0:
            tokens += part_list
        while tick < end:
            if tick > now:
                tokens += SHIFTS.spell(tick - now)
                now = tick
            if velocity and note is not None and (level := _level(note)) != last_level:
                tokens.append(f"velocity:{level}")
                last_level = level
            tokens += _event_tokens(voice, note, is_joint)
            tick, voice, note = next(events)
        tokens += SHIFTS.spell(end - now)
    return tokens


def _events(voices: list[list[Note]], drum_onsets: list[Note], length: int) -> Iterator[Event]:
    """Yield note-ons, note-offs and drum onsets in order, then an event at the end of the piece.

    A note that another one of its voice follows at once needs no note-off.
    """
    events: list[Event] = [(onset.start, DRUM_VOICE, onset) for onset in drum_onsets]
    for number, voice in enumerate(voices):
        events += [(note.start, number, note) for note in voice]
        for note, after in pairwise((*voice, Note(length, 0, 0))):
            if note.start + note.duration < after.start:
                events.append((note.start + note.duration, number, None))
    events.sort(key=lambda event: (event[0], event[1], event[2] and event[2].pitch))
    yield from events
    yield length, 0, None


def _event_tokens(voice: int, note: Note | None, is_joint: bool) -> tuple[str, ...]:
    if voice == DRUM_VOICE and note is not None:
        return (f"drum:{note.pitch}",)
    if is_joint:
        return (f"{voice}:{OFF if note is None else note.pitch}",)
    return f"lane:{voice}", OFF if note is None else f"pitch:{note.pitch}"


def starts_note(token: str) -> bool:
    """Whether a note begins with this token."""
    return token in NOTE_ONS or token in PITCHES or token in DRUM_ONSETS


def transposed(token: str, semitones: int) -> str | None:
    """Return the token of the transposed piece, or None outside MIDI's range of pitches.

    >>> transposed("1:60", 2), transposed("key:D", -2), transposed("drum:36", 5)
    ('1:62', 'key:C', 'drum:36')
    """
    if token in NOTE_ONS:
        voice, pitch = NOTE_ONS[token]
        other = f"{voice}:{pitch + semitones}"
        return other if other in NOTE_ONS else None
    if token in PITCHES:
        other = f"pitch:{PITCHES[token] + semitones}"
        return other if other in PITCHES else None
    return transpose_key(token, semitones)


def decode(tokens: Iterable[str]) -> Piece:
    """Return the piece that any list of tokens spells.

    >>> decode(["0:60", "shift:24", "0:off", "shift:72"]).notes
    (Note(start=0, duration=24, pitch=60, velocity=80),)
    """
    decoder = _Decoder()
    for token in tokens:
        decoder.feed(token)
    return decoder.piece()


class _Decoder:
    """Reads tokens and keeps track of the notes that sound."""

    def __init__(self) -> None:
        self.now = 0
        self.velocity = VELOCITY
        self.bars = BarReader()
        self.voice: int | None = None  # named by the token before
        self.part_of_voice: list[int] = []
        self.programs: list[int] = []  # one for every part
        self.notes: list[list[Note]] = []  # one list for every part
        self.drum_onsets: dict[tuple[int, int], Note] = {}  # by tick and pitch
        self.sounding: dict[int, Note] = {}  # by voice; their durations are not known yet

    def feed(self, token: str) -> None:
        """Read one token."""
        voice, self.voice = self.voice, None
        if token in SHIFTS.ticks:
            self.now = min(self.now + SHIFTS.ticks[token], MOST_TICKS)
        elif token in NOTE_ONS:
            self._note_on(*NOTE_ONS[token])
        elif token in NOTE_OFFS:
            self._note_off(NOTE_OFFS[token])
        elif token in VOICES:
            self.voice = VOICES[token]
        elif token in PITCHES and voice is not None:
            self._note_on(voice, PITCHES[token])
        elif token == OFF and voice is not None:
            self._note_off(voice)
        elif token in DRUM_ONSETS:
            onset = Note(self.now, DRUM_TICKS, DRUM_ONSETS[token], self.velocity)
            self.drum_onsets[self.now, onset.pitch] = onset
        elif token in VELOCITIES:
            self.velocity = _velocity(VELOCITIES[token])
        elif token in PROGRAMS:
            self._add_part(PROGRAMS[token])
        elif token == MORE_VOICES:
            if self.programs:
                self.part_of_voice.append(len(self.programs) - 1)
        else:
            self.bars.feed(token, self.now)

    def piece(self) -> Piece:
        """Return the piece; notes that still sound end with it."""
        self.now = self.bars.length(self.now)
        for voice in list(self.sounding):
            self._note_off(voice)
        parts = [
            Part(tuple(one_of_each_pitch(notes)), program)
            for notes, program in zip(self.notes, self.programs, strict=True)
            if notes
        ]
        onsets = [onset for onset in self.drum_onsets.values() if onset.start < self.now]
        if onsets:
            parts.append(_drum_part(onsets, self.now))
        return self.bars.piece(tuple(parts), self.now)

    def _add_part(self, program: int) -> None:
        self.part_of_voice.append(len(self.programs))
        self.programs.append(program)
        self.notes.append([])

    def _note_on(self, voice: int, pitch: int) -> None:
        while len(self.part_of_voice) <= voice:  # the list of parts does not mention this voice
            if self.programs:
                self.part_of_voice.append(len(self.programs) - 1)
            else:
                self._add_part(0)
        self._note_off(voice)
        self.sounding[voice] = Note(self.now, 0, pitch, self.velocity)

    def _note_off(self, voice: int) -> None:
        note = self.sounding.pop(voice, None)
        if note is not None and self.now > note.start:
            note = note._replace(duration=self.now - note.start)
            self.notes[self.part_of_voice[voice]].append(note)
