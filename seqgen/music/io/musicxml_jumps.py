"""The marks of jumps in MusicXML: attributes of `<sound>`, or else signs and words to be seen."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from seqgen.music.io.jumps import CODA, DA_CAPO, DAL_SEGNO, FINE, SEGNO, TO_CODA, mark_of

SOUNDS = {
    "segno": SEGNO, "coda": CODA, "fine": FINE,
    "tocoda": TO_CODA, "dacapo": DA_CAPO, "dalsegno": DAL_SEGNO,
}  # fmt: skip


def marks_of_sound(sound: Element) -> set[str]:
    """Return the marks that the attributes of a `<sound>` stand for.

    >>> marks_of_sound(Element("sound", dacapo="yes", tempo="60"))
    {'da capo'}
    """
    return {mark for name, mark in SOUNDS.items() if sound.get(name, "no") not in ("no", "")}


def marks_of_direction(direction: Element) -> set[str]:
    """Return the marks that the signs and words of a `<direction>` stand for."""
    marks = set()
    for sign in direction.iterfind("direction-type/*"):
        mark = sign.tag if sign.tag in (SEGNO, CODA) else None
        if sign.tag == "words":
            mark = mark_of(sign.text or "")
        if mark:
            marks.add(mark)
    if TO_CODA in marks:  # the words beside the sign
        marks.discard(CODA)
    return marks
