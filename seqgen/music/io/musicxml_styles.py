"""Bars of a MusicXML part that stand for others: signs of repeated bars and beats, and slashes.

A file should hold the notes all the same. Where it does not, bars are copied from those before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from xml.etree.ElementTree import Element

from seqgen.errors import MusicError
from seqgen.music.io.score import MOST_NOTES, ScorePart

SLASHES = ("slash", "beat-repeat")
MOST_STYLES = 8  # that hold at once: of as many staves


class MeasureStyles:
    """The styles that hold in a part, and the bars that it has.

    Args:
        counts: counts of what cannot be written out, which are increased.
    """

    def __init__(self, counts: Counter[str]) -> None:
        self._counts = counts
        self._starts: list[Fraction] = []  # of the bars so far
        self._sizes: dict[str | None, int] = {}  # staff, None for all → bars to repeat at a time
        self._slashes: set[tuple[str | None, str]] = set()
        self._copied = 0

    def change(self, style: Element) -> None:
        """Apply a `<measure-style>`."""
        staff = style.get("number")
        for child in style:
            starts = child.get("type") == "start"
            if child.tag == "measure-repeat":
                self._sizes.pop(staff, None)
                text = (child.text or "").strip()
                is_size = text.isdecimal() and int(text[:4]) >= 1
                if starts and is_size and len(self._sizes) < MOST_STYLES:
                    self._sizes[staff] = int(text[:4])
            elif child.tag in SLASHES:
                self._slashes.discard((staff, child.tag))
                if starts and len(self._slashes) < MOST_STYLES:
                    self._slashes.add((staff, child.tag))

    def end_bar(self, staves: Mapping[str, ScorePart], start: Fraction) -> Fraction:
        """Write out what the bar that begins at `start` repeats. Returns where that ends.

        Raises:
            MusicError: the copies have too many notes.
        """
        self._starts.append(start)
        if self._slashes:
            for staff, _ in self._slashes:
                if not any(_has_notes(part, start) for part in _chosen(staves, staff)):
                    self._counts["bars of slashes without notes"] += 1
        end = start
        for staff, size in self._sizes.items():
            if len(self._starts) <= size:
                self._counts["repeated bars not written out"] += 1
                continue
            first, after = self._starts[-1 - size], self._starts[-size]
            end = max(end, start + after - first)
            for part in _chosen(staves, staff):
                if not _has_notes(part, start):
                    self._copy(part, first, after, start)
        return end

    def _copy(self, part: ScorePart, first: Fraction, after: Fraction, start: Fraction) -> None:
        """Copy the notes of a bar from `first` to `after`."""
        copies = []
        for note in reversed(part.notes):
            if note.start < first:
                break
            if note.start < after:
                shift = start - first
                copies.append(note._replace(start=note.start + shift, end=note.end + shift))
        self._copied += len(copies)
        if self._copied > MOST_NOTES:
            raise MusicError(f"repeats bars of more than {MOST_NOTES:,} notes")
        part.notes += reversed(copies)


def _chosen(staves: Mapping[str, ScorePart], staff: str | None) -> Iterable[ScorePart]:
    return staves.values() if staff is None else filter(None, [staves.get(staff)])


def _has_notes(part: ScorePart, start: Fraction) -> bool:
    """Whether a staff has notes in the bar that begins at `start`, its last one."""
    return bool(part.notes) and part.notes[-1].start >= start
