"""The position and note head of each General MIDI drum on a staff, different for every drum.

A MusicXML file need not say which drum a note is: music21, which writes it, does not. No drum has a
normal head on B4, where music21 puts notes without a position.
"""

from __future__ import annotations

POSITIONS = ("E4", "F4", "G4", "A4", "B4", "C5", "D5", "E5", "F5")  # from the lowest line up
KIT: dict[int, tuple[str, str]] = {
    35: ("E4", "normal"), 36: ("F4", "normal"),  # bass drums
    37: ("C5", "x"), 38: ("C5", "normal"), 40: ("C5", "slashed"),  # side stick and snares
    41: ("G4", "normal"), 43: ("A4", "normal"), 45: ("D5", "slashed"),  # toms
    47: ("D5", "normal"), 48: ("E5", "normal"), 50: ("F5", "normal"),
    42: ("G5", "x"), 46: ("G5", "circle-x"), 44: ("D4", "x"),  # hi-hats: closed, open, pedal
    49: ("A5", "x"), 57: ("B5", "x"), 52: ("A5", "circle-x"), 55: ("B5", "circle-x"),  # crashes
    51: ("F5", "x"), 59: ("E5", "x"), 53: ("F5", "circle-x"),  # rides
}  # fmt: skip
HAND_HEADS = ("triangle", "diamond", "square")
HAND = (39, 54, 56, 58, *range(60, 82))  # hand percussion
PLACES: dict[int, tuple[str, str]] = KIT | {
    drum: (POSITIONS[i % 9], ("triangle", "diamond", "square")[i // 9])
    for i, drum in enumerate(HAND)
}
DRUMS: dict[tuple[str, str], int] = {place: drum for drum, place in PLACES.items()}
SNARE = 38  # stands for unknown drums


def place_of(drum: int) -> tuple[str, str]:
    """Return the position in the treble clef and the head of a drum, or those of the snare.

    >>> place_of(36), place_of(42), place_of(3)
    (('F4', 'normal'), ('G5', 'x'), ('C5', 'normal'))
    """
    return PLACES.get(drum, PLACES[SNARE])


def drum_at(place: str, head: str) -> int:
    """Return the drum of a position and head; with an unknown head, the one with a normal head.

    >>> drum_at("G5", "x"), drum_at("F4", "cluster"), drum_at("C8", "normal")
    (42, 36, 38)
    """
    return DRUMS.get((place, head), DRUMS.get((place, "normal"), SNARE))
