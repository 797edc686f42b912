"""A `<note>` of MusicXML as it is written: before its time, its staff and its key are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from seqgen.music.io.musicxml_numbers import NOTE_VALUES, dotted, parse_number, parse_pitch

SLASH = "slash"  # notehead of a beat that says rhythm only
NORMAL = "normal"


@dataclass(slots=True)
class WrittenNote:
    """What a `<note>` says."""

    pitch: int | None = None  # as written; None for rests and notes without one
    duration: str | None = "0"  # in the divisions of its part
    is_chord: bool = False  # whether it starts with the note before
    is_rest: bool = False
    is_grace: bool = False
    is_cue: bool = False
    is_unpitched: bool = False
    place: str = ""  # step and octave where an unpitched note is drawn
    staff: str = "1"
    instrument: str = ""
    head: str = NORMAL
    ties: set[str] = field(default_factory=set)  # types of its ties: start, stop, continue
    has_tremolo: bool = False
    element: Element | None = None


def parse_note(element: Element) -> WrittenNote:
    """Return what a `<note>` says; of a grace note nothing else.

    Raises:
        MusicError: its pitch is none.

    >>> from xml.etree.ElementTree import fromstring
    >>> rest = parse_note(fromstring("<note><rest/><duration>4</duration></note>"))
    >>> rest.is_rest, rest.duration
    (True, '4')
    """
    note = WrittenNote(element=element)
    for child in element:
        tag = child.tag
        if tag == "pitch":
            note.pitch = parse_pitch(child)
        elif tag == "duration":
            note.duration = child.text
        elif tag == "chord":
            note.is_chord = True
        elif tag == "rest":
            note.is_rest = True
        elif tag == "cue":
            note.is_cue = True
        elif tag == "tie":
            note.ties.add(child.get("type", ""))
        elif tag == "notations":
            note.has_tremolo = child.find("ornaments/tremolo") is not None
            if not note.ties:
                note.ties |= {tied.get("type", "") for tied in child.iterfind("tied")}
        elif tag == "staff":
            note.staff = child.text or "1"
        elif tag == "instrument":
            note.instrument = child.get("id", "")
        elif tag == "notehead":
            note.head = child.text or NORMAL
        elif tag == "unpitched":
            note.is_unpitched = True
            step = child.findtext("display-step", "C")
            note.place = f"{step}{child.findtext('display-octave', '5')}"
        elif tag == "grace":
            return WrittenNote(is_grace=True)
    return note


def unrounded(element: Element, quarters: Fraction, divisions: Fraction) -> Fraction:
    """Return the length that the type of a note says, if its duration is that, rounded.

    Programs with too few divisions of a quarter round durations; the bars of their parts would
    become shorter than those of others.

    Args:
        element: the note.
        quarters: its duration.
        divisions: of a quarter.

    >>> from xml.etree.ElementTree import fromstring
    >>> eighth = fromstring("<note><type>eighth</type></note>")
    >>> unrounded(eighth, Fraction(8, 17), Fraction(17))
    Fraction(1, 2)
    """
    value = NOTE_VALUES.get((element.findtext("type") or "").strip())
    if value is None:
        return quarters
    value = dotted(value, len(element.findall("dot")))
    if (change := element.find("time-modification")) is not None:
        normal, actual = map(parse_number, map(change.findtext, ("normal-notes", "actual-notes")))
        value *= normal / actual if actual else 1
    return value if abs(value - quarters) * divisions < 1 else quarters
