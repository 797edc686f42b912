"""Names the drum of every unpitched note of a MusicXML file, as players of it need."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from seqgen.music.io.drum_staff import drum_at
from seqgen.music.io.midi_writer import DRUM_CHANNEL

BEFORE_INSTRUMENT = {"grace", "cue", "chord", "pitch", "unpitched", "rest", "duration", "tie"}


def with_drums_named(data: bytes) -> bytes:
    """Return a MusicXML file with an instrument, and its `midi-unpitched`, for every drum.

    Args:
        data: a file in which the place and head of a note tell the drum, as music21 writes it.
    """
    root = ElementTree.fromstring(data)
    listed = {part.get("id"): part for part in root.iterfind("part-list/score-part")}
    is_changed = False
    for part in root.iterfind("part"):
        drums = {_name_drum(note, part) for note in part.iterfind("measure/note")} - {None}
        player = listed.get(part.get("id"))
        if drums and player is not None:
            _list_drums(player, part.get("id", ""), sorted(drum for drum in drums if drum))
            is_changed = True
    return ElementTree.tostring(root, "utf-8", xml_declaration=True) if is_changed else data


def _name_drum(note: Element, part: Element) -> int | None:
    """Add the instrument to a note, and return its drum; None if the note has a pitch."""
    unpitched = note.find("unpitched")
    if unpitched is None:
        return None
    place = f"{unpitched.findtext('display-step')}{unpitched.findtext('display-octave')}"
    drum = drum_at(place, note.findtext("notehead") or "normal")
    instrument = Element("instrument", id=_id(part.get("id", ""), drum))
    note.insert(sum(child.tag in BEFORE_INSTRUMENT for child in note), instrument)
    return drum


def _list_drums(player: Element, part: str, drums: list[int]) -> None:
    """Replace the instrument of a part by its drums."""
    for tag in ("score-instrument", "midi-instrument"):
        for old in player.findall(tag):
            player.remove(old)
    for drum in drums:
        instrument = SubElement(player, "score-instrument", id=_id(part, drum))
        SubElement(instrument, "instrument-name").text = f"drum {drum}"
    for drum in drums:
        midi = SubElement(player, "midi-instrument", id=_id(part, drum))
        SubElement(midi, "midi-channel").text = str(DRUM_CHANNEL)
        SubElement(midi, "midi-unpitched").text = str(drum + 1)  # counted from 1


def _id(part: str, drum: int) -> str:
    return f"{part}-{drum}"
