"""A part of a MusicXML score, while its measures are read one after the other."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from xml.etree.ElementTree import Element

from seqgen.errors import MusicError
from seqgen.music.io.drum_staff import drum_at
from seqgen.music.io.jumps import CODA, SEGNO
from seqgen.music.io.musicxml_jumps import marks_of_direction, marks_of_sound
from seqgen.music.io.musicxml_note import SLASH, WrittenNote, parse_note, unrounded
from seqgen.music.io.musicxml_numbers import NOTE_VALUES, NUMBER, dotted, parse_number
from seqgen.music.io.musicxml_styles import MeasureStyles
from seqgen.music.io.repeats import parse_turns
from seqgen.music.io.score import ScoreNote, ScorePart, real_meter
from seqgen.music.piece import TICKS_PER_QUARTER
from seqgen.music.signatures import MODES, Key, Meter

DRUM_CHANNEL = "10"
MOST_SHARPS = 7


@dataclass
class Measure:
    """What the measures of all parts say together. Times are in quarters."""

    start: Fraction
    end: Fraction
    begins_repeat: bool = False
    plays: int = 1
    ending_starts: tuple[int, ...] = ()
    ending_stops: bool = False
    meter: tuple[Meter | None] | None = None  # in a tuple, as there may be a change to none
    tempi: list[tuple[Fraction, float]] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)  # of jumps
    repeats_after_jump: bool = False


@dataclass
class PartReader:
    """Reads the measures of a part into a `ScorePart` for every staff."""

    counts: Counter[str]
    program: int = 0
    is_drums: bool = False
    drums: dict[str, int] = field(default_factory=dict)  # instrument → drum
    staves: dict[str, ScorePart] = field(default_factory=dict)
    keys: list[tuple[Fraction, Key | None]] = field(default_factory=list)
    is_transposing: bool = False
    is_metric: bool = False  # whether there is a meter
    full_bar: Fraction = Fraction(4)  # its length
    styles: MeasureStyles = field(init=False)
    _divisions: Fraction = Fraction(1)
    _durations: dict[str | None, Fraction] = field(default_factory=dict)  # text → quarters
    _tied: dict[tuple[int, Fraction], list[str]] = field(default_factory=dict)  # to staves
    # By how much notes of this bar are longer than their durations, and times by rounded durations
    # → the same times by note values, to which a backup returns.
    _rounding: Fraction = Fraction(0)
    _unrounded: dict[Fraction, Fraction] = field(default_factory=dict)
    _shifts: dict[str | None, int] = field(default_factory=dict)  # staff, None for all → semitones

    def __post_init__(self) -> None:
        self.styles = MeasureStyles(self.counts)

    def read(self, element: Element, measure: Measure) -> None:
        """Read the next measure, and lengthen `measure` to its end."""
        now = previous = last = measure.start  # last: where notes end
        self._rounding, self._unrounded = Fraction(0), {}
        for child in element:
            tag = child.tag
            if tag == "note":
                note = parse_note(child)
                if note.is_grace:
                    self.counts["grace notes dropped"] += 1
                else:
                    previous, now = self._note(note, now, previous)
                if not note.is_rest and now > last:
                    last = now
            elif tag == "backup":
                self._lengthen(measure, now, last)
                back = now - self._rounding - self._quarters(child.findtext("duration"))
                now = max(self._unrounded.get(back, back), measure.start)
                self._rounding = now - max(back, measure.start)
            elif tag == "forward":
                now += self._quarters(child.findtext("duration"))
            elif tag == "attributes":
                self._attributes(child, now, measure)
            elif tag == "direction":
                self._direction(child, now, measure)
            elif tag == "sound":
                self._sound(child, now, measure)
            elif tag == "harmony":
                self.counts["chord symbols dropped"] += 1
            elif tag == "barline":
                self._barline(child, measure)
        copied = self.styles.end_bar(self.staves, measure.start)
        self._lengthen(measure, max(now, copied), max(last, copied))

    def _lengthen(self, measure: Measure, now: Fraction, last: Fraction) -> None:
        """Lengthen a measure to `now`; rests do not make it longer than its meter, notes do."""
        if now > measure.end:
            full = measure.start + self.full_bar if self.is_metric else now
            measure.end = max(measure.end, last, min(now, full))

    # Notes

    def _note(
        self, note: WrittenNote, now: Fraction, previous: Fraction
    ) -> tuple[Fraction, Fraction]:
        """Add a note to its staff. Returns its start and the time after it.

        Args:
            note: no grace note.
            now: where the note before ends.
            previous: where it starts, and the notes of its chord with it.
        """
        duration = max(self._quarters(note.duration), Fraction(0))
        if TICKS_PER_QUARTER % duration.denominator and note.element is not None:
            exact = unrounded(note.element, duration, self._divisions)
            if not note.is_chord:
                self._rounding += exact - duration
                self._unrounded[now + exact - self._rounding] = now + exact
            duration = exact
        start, after = (previous, now) if note.is_chord else (now, now + duration)
        if note.has_tremolo:
            self.counts["tremolos not written out"] += 1
        pitch = self._sounding(note)
        if note.is_cue:
            self.counts["cue notes dropped"] += 1
        if note.head == SLASH:
            self.counts["slashes dropped"] += 1
        elif pitch is not None and not duration:
            self.counts["notes without a duration dropped"] += 1
        elif pitch is not None and not note.is_cue:
            self._add(note.staff, start, start + duration, pitch, note.ties)
        return start, after

    def _sounding(self, note: WrittenNote) -> int | None:
        """Return the pitch or drum that sounds; None for a rest."""
        if note.is_unpitched:
            self.is_drums = True
            drum = self.drums.get(note.instrument)
            return drum_at(note.place, note.head) if drum is None else drum
        if note.pitch is None:
            return None
        if self.is_drums:
            return self.drums.get(note.instrument, note.pitch)
        return note.pitch + self._shifts.get(note.staff, self._shifts.get(None, 0))

    def _add(self, staff: str, start: Fraction, end: Fraction, pitch: int, ties: set[str]) -> None:
        """Add a note to its staff; `ties` holds the types of its `<tie>` elements."""
        is_between = "continue" in ties
        starts, stops = is_between or "start" in ties, is_between or "stop" in ties
        tied = self._tied.get((pitch, start), []) if stops else []
        if tied:  # a tie may lead to another staff, unless there is one on this staff
            staff = tied.pop(tied.index(staff) if staff in tied else -1)
        if starts:
            self._tied.setdefault((pitch, end), []).append(staff)
        part = self.staves.get(staff)
        if part is None:
            part = self.staves[staff] = ScorePart()
        part.notes.append(ScoreNote(start, end, pitch, starts, stops))

    def _quarters(self, duration: str | None) -> Fraction:
        quarters = self._durations.get(duration)
        if quarters is None:
            quarters = self._durations[duration] = parse_number(duration) / self._divisions
        return quarters

    # Attributes, directions and bar lines

    def _attributes(self, element: Element, now: Fraction, measure: Measure) -> None:
        if (divisions := element.findtext("divisions")) is not None:
            self._divisions = parse_number(divisions)
            self._durations = {}
            if self._divisions <= 0:
                raise MusicError(
                    f"has {divisions} divisions of a quarter; expected a positive number"
                )
        for transpose in element.iterfind("transpose"):
            semitones = parse_number(transpose.findtext("chromatic", "0"))
            semitones += 12 * parse_number(transpose.findtext("octave-change", "0"))
            self._shifts[transpose.get("number")] = int(semitones)
            self.is_transposing |= semitones % 12 != 0
        if (key := element.find("key")) is not None:
            self.keys.append((now, self._key(key)))
        if (time := element.find("time")) is not None:
            self._meter(time, measure)
        for style in element.iterfind("measure-style"):
            self.styles.change(style)

    def _key(self, element: Element) -> Key | None:
        fifths = element.findtext("fifths")
        if fifths is None:
            return None
        mode = (element.findtext("mode") or "major").strip().lower()
        mode = {"ionian": "major", "aeolian": "minor"}.get(mode, mode)
        number = self._number(fifths, "keys")
        if number is None:
            return None
        if abs(number) > MOST_SHARPS:
            self.counts["keys not understood"] += 1
            return None
        key = Key(int(number), mode if mode in MODES else "major")
        shift = self._shifts.get(element.get("number"), self._shifts.get(None, 0))
        return key.transposed(shift)

    def _meter(self, element: Element, measure: Measure) -> None:
        if element.find("senza-misura") is not None:
            measure.meter = measure.meter or (None,)
            self.is_metric = False
            return
        kinds = [_whole(each.text) for each in element.iterfind("beat-type")]
        beats = [_whole(each.text) for each in element.iterfind("beats")]
        if not kinds or len(kinds) != len(beats) or min(*kinds, *beats) < 1:
            self.counts["odd meters"] += 1
            return
        self.is_metric = True
        self.full_bar = sum(map(Fraction, (4 * count for count in beats), kinds), Fraction(0))
        if measure.meter is None:
            total = self.full_bar * max(kinds) / 4  # of 3/4+3/8, in eighths
            kind = max(kinds) if total.denominator == 1 else 0
            measure.meter = (real_meter(int(total), kind, self.counts),)

    def _direction(self, element: Element, now: Fraction, measure: Measure) -> None:
        sound = element.find("sound")
        if sound is not None:
            self._sound(sound, now, measure)
        if sound is None or sound.get("tempo") is None:
            for mark in element.iterfind("direction-type/metronome"):
                self._metronome(mark, now, measure)
        if sound is None or not marks_of_sound(sound):
            measure.marks |= marks_of_direction(element)

    def _sound(self, element: Element, now: Fraction, measure: Measure) -> None:
        text = element.get("tempo")
        if text is not None and (tempo := self._number(text, "tempo marks")) is not None:
            offset = self._number(element.findtext("offset", "0"), "tempo marks") or Fraction(0)
            time = max(now + offset / self._divisions, measure.start)
            measure.tempi.append((time, round(float(tempo), 3)))
        measure.marks |= marks_of_sound(element)
        if element.find("midi-instrument/midi-program") is not None:
            self.counts["instrument changes dropped"] += 1

    def _metronome(self, element: Element, now: Fraction, measure: Measure) -> None:
        unit = NOTE_VALUES.get((element.findtext("beat-unit") or "").strip())
        number = NUMBER.search(element.findtext("per-minute") or "")
        if unit is None or number is None:
            self.counts["tempo marks not understood"] += 1
            return
        beat = dotted(unit, len(element.findall("beat-unit-dot")))
        measure.tempi.append((now, round(float(parse_number(number[0]) * beat), 3)))

    def _barline(self, element: Element, measure: Measure) -> None:
        if (repeat := element.find("repeat")) is not None:
            if element.get("location") == "middle":
                self.counts["repeats inside bars not understood"] += 1
            elif repeat.get("direction") == "forward":
                measure.begins_repeat = True
            else:
                times = self._number(repeat.get("times", "2"), "repeats")
                # What ends with an ending is played again, for the next ending.
                least = 1 if element.find("ending") is None else 2
                measure.plays = max(least, int(2 if times is None else times))
                measure.repeats_after_jump |= repeat.get("after-jump") == "yes"
        measure.marks |= {mark for mark in (SEGNO, CODA) if element.find(mark) is not None}
        for ending in element.iterfind("ending"):
            if ending.get("type") == "start":
                measure.ending_starts = parse_turns(ending.get("number", ""))
            else:
                measure.ending_stops = True

    def _number(self, text: str, name: str) -> Fraction | None:
        """Return a number that the notes do not depend on; None, and count it, if it is none."""
        try:
            return parse_number(text)
        except MusicError:
            self.counts[f"{name} not understood"] += 1
            return None


def _whole(text: str | None) -> int:
    """Return a sum of whole numbers such as 3+2; 0 if it is none."""
    parts = [part.strip() for part in (text or "").split("+")]
    return sum(map(int, parts)) if all(re.fullmatch(r"\d{1,3}", part) for part in parts) else 0
