"""The parts of music21's classes that the readers use, since music21 has few types of its own."""

# ruff: noqa: N802, N803, N815 (the names are those of music21)

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Literal, Protocol, overload

Quarters = float | Fraction


class Duration(Protocol):
    """How long a note lasts."""

    isGrace: bool


class Tie(Protocol):
    """A tie from or to a note."""

    type: str  # start, stop or continue


class Pitch(Protocol):
    """A pitch."""

    ps: float  # as MIDI counts, with fractions for microtones


class Instrument(Protocol):
    """An instrument of a part or of a drum note."""

    midiProgram: int | None
    percMapPitch: int | None


class Element(Protocol):
    """A note, chord, drum note or chord symbol; not every attribute exists on every class."""

    offset: Quarters
    quarterLength: Quarters
    duration: Duration
    tie: Tie | None
    notes: Iterable[Element]  # of chords
    pitch: Pitch  # of notes with a pitch
    displayStep: str  # of notes without one, their place on the staff
    displayOctave: int
    notehead: str
    storedInstrument: Instrument | None


class TimeSignature(Protocol):
    """A meter."""

    numerator: int
    denominator: int


class KeySignature(Protocol):
    """A key signature; a `music21.key.Key` also has a mode."""

    sharps: int | None


class MetronomeMark(Protocol):
    """A tempo."""

    def getQuarterBPM(self) -> float | None: ...
    def getOffsetInHierarchy(self, site: Score) -> Quarters: ...


class Measure(Protocol):
    """A bar."""

    offset: Quarters
    highestTime: Quarters
    timeSignature: TimeSignature | None
    keySignature: KeySignature | None


class Elements(Protocol):
    """Elements that can be filtered by the name of their class."""

    @overload
    def getElementsByClass(self, name: Literal["Measure"]) -> list[Measure]: ...
    @overload
    def getElementsByClass(self, name: Literal["TimeSignature"]) -> Iterable[TimeSignature]: ...
    @overload
    def getElementsByClass(self, name: Literal["KeySignature"]) -> Iterable[KeySignature]: ...
    @overload
    def getElementsByClass(self, name: Literal["MetronomeMark"]) -> Iterable[MetronomeMark]: ...


class Notes(Protocol):
    """A stream without measures."""

    notes: Iterable[Element]


class Stream(Elements, Protocol):
    """A part, or a score that has no parts."""

    highestTime: Quarters

    def flatten(self) -> Notes: ...
    def recurse(self) -> Elements: ...
    def getInstrument(self, *, returnDefault: bool) -> Instrument | None: ...


class Metadata(Protocol):
    """What a file says about a score."""

    title: str | None


class Score(Stream, Protocol):
    """A whole piece."""

    parts: Iterable[Stream]
    metadata: Metadata | None

    def expandRepeats(self) -> Score: ...
    def toSoundingPitch(self, *, inPlace: bool) -> None: ...


class MidiEvent(Protocol):
    """An event of a MIDI track."""

    type: object  # a member of music21's `ChannelVoiceMessages` or `MetaEvents`
    channel: int
    parameter1: int
    parameter2: int
    data: object  # bytes of meta events, which the first parameter holds, too
