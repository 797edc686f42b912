"""A voice of an ABC tune while it is read: the time it has reached, and what holds there."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from seqgen.music.io.abc_fields import Signature
from seqgen.music.io.jumps import AT_END
from seqgen.music.io.repeats import Bar
from seqgen.music.io.score import Changes, ScoreNote, ScorePart
from seqgen.music.signatures import STEPS, Key

ONE = Fraction(1)
# For which notes of a bar an accidental holds: none, those of its octave, those of its letter.
NOT, OCTAVE, PITCH = "not", "octave", "pitch"
MOST_TUPLETS = 8  # within each other; of more, the outer ones are dropped


class Written(NamedTuple):
    """A note as it is written."""

    letter: str  # C to B
    octave: int  # 0 for the one from middle C
    alteration: int | None  # None: without an accidental
    length: Fraction  # in units
    is_tied: bool = False


class _Last(NamedTuple):
    """The last notes or rest, which a tie or a broken rhythm refers to."""

    first: int  # the index of the first of its notes
    start: Fraction
    length: Fraction  # of the whole, in units
    written: tuple[Written, ...]


@dataclass
class Voice:
    """A voice. Times are in quarters."""

    signature: Signature = field(default_factory=lambda: Signature(Key(0)))
    meter: tuple[int, int] | None = None
    unit: Fraction = Fraction(1, 2)
    key_shift: int = 0  # semitones
    voice_shift: int = 0
    part: ScorePart = field(default_factory=ScorePart)
    now: Fraction = Fraction(0)
    bars: list[Bar] = field(default_factory=lambda: [Bar(Fraction(0))])
    keys: Changes[Signature] = field(default_factory=list)
    meters: Changes[tuple[int, int] | None] = field(default_factory=list)
    uneven_rhythms: int = 0  # broken ones of unequal lengths, which the standard leaves open
    _layers_end: Fraction = Fraction(0)
    propagation: str = PITCH  # of accidentals in a bar
    _altered: dict[str, int] = field(default_factory=dict)  # place → alteration in this bar
    _tied: dict[tuple[str, int], int] = field(default_factory=dict)  # place → index of the note
    _ending: tuple[int, ...] = ()
    _broken: Fraction = ONE  # factor of the next length
    _broken_length: Fraction = ONE  # the one before, in units
    _tuplets: list[tuple[Fraction, int]] = field(default_factory=list)  # factor, notes to come
    _last: _Last | None = None

    @property
    def is_at_bar_line(self) -> bool:
        """Whether the bar has no notes or rests yet."""
        return self.now == self.bars[-1].start

    @property
    def bar_quarters(self) -> Fraction:
        """The length of a full bar; without a meter that of 4/4."""
        beats, beat_type = self.meter or (4, 4)
        return Fraction(4 * beats, beat_type)

    def add(self, length: Fraction, written: tuple[Written, ...] = ()) -> None:
        """Add a note, a chord or a rest.

        Args:
            length: that of the whole, in units.
            written: the notes; the first may be shorter or longer than others.
        """
        factor = self.unit * self._broken * self._tuplet_factor()
        if self._broken != ONE:
            self.uneven_rhythms += length != self._broken_length
            self._broken = ONE
        notes = self.part.notes
        self._last = _Last(len(notes), self.now, length, written)
        for note in written:
            pitch, ends_tie = self._pitch(note)
            end = self.now + note.length * factor
            notes.append(ScoreNote(self.now, end, pitch, False, ends_tie))
        for i, note in enumerate(written):
            if note.is_tied:
                self._tie(self._last.first + i, note)
        self.now += length * factor

    def _tuplet_factor(self) -> Fraction:
        factor = ONE
        if self._tuplets:
            for own, _ in self._tuplets:
                factor *= own
            self._tuplets = [(own, left - 1) for own, left in self._tuplets if left > 1]
        return factor

    def _pitch(self, note: Written) -> tuple[int, bool]:
        """Return the pitch, and whether a tie leads to it, which also keeps the accidental."""
        letter, octave, alteration, *_ = note
        shift = STEPS[letter] + 12 * octave + 60 + self.key_shift + self.voice_shift
        is_tied = False
        index = self._tied.get((letter, octave))
        if index is not None and (before := self.part.notes[index]).end == self.now:
            del self._tied[letter, octave]
            if alteration is None:
                return before.pitch, True
            is_tied = shift + alteration == before.pitch
        if alteration is None:
            alteration = self._altered.get(self._place(letter, octave))
            if alteration is None:
                alteration = self.signature.alterations.get(letter, 0)
        else:
            self.alter(letter, octave, alteration)
        return shift + alteration, is_tied

    def alter(self, letter: str, octave: int, alteration: int) -> None:
        """Apply an accidental until the bar ends."""
        if self.propagation != NOT:
            self._altered[self._place(letter, octave)] = alteration

    def _place(self, letter: str, octave: int) -> str:
        return f"{letter}{octave}" if self.propagation == OCTAVE else letter

    def tie(self) -> bool:
        """Tie the last notes to those that follow. Returns whether there are any."""
        if self._last is None or not self._last.written:
            return False
        for i, note in enumerate(self._last.written):
            self._tie(self._last.first + i, note)
        return True

    def _tie(self, index: int, note: Written) -> None:
        self.part.notes[index] = self.part.notes[index]._replace(begins_tie=True)
        self._tied[note.letter, note.octave] = index

    def break_rhythm(self, factor: Fraction) -> bool:
        """Scale the last length by a factor, and the next by 2 minus the factor.

        Returns whether there is a last note or rest.
        """
        if self._last is None:
            return False
        first, start, self._broken_length, _ = self._last
        notes = self.part.notes
        for i in range(first, len(notes)):
            notes[i] = notes[i]._replace(end=start + (notes[i].end - start) * factor)
        self.now = start + (self.now - start) * factor
        self._broken = 2 - factor
        return True

    def begin_tuplet(self, factor: Fraction, count: int) -> None:
        """Scale the next `count` lengths by a factor.

        A tuplet lies within the one that has begun before if that has so many lengths left;
        otherwise it ends that one: `(3a2 a (3gfg` are a half and a quarter, and three quarters.
        """
        within = [(own, left) for own, left in self._tuplets if left >= count]
        self._tuplets = [*within, (factor, count)][-MOST_TUPLETS:]

    def overlay(self, bars: int) -> None:
        """Return to the beginning of the bar, or of one before, with other notes."""
        self._layers_end = max(self._layers_end, self.now)
        self.now = self.bars[-min(bars, len(self.bars))].start
        self._altered = {}
        self._last = None

    def end_bar(
        self, *, plays: int = 1, begins_repeat: bool = False, is_double: bool = False
    ) -> None:
        """Set a bar line.

        Args:
            plays: how often what ends here is played.
            begins_repeat: whether a repeat returns to here.
            is_double: whether a section ends here, and an ending.
        """
        self.now = max(self.now, self._layers_end)
        self._altered = {}
        self._last = None
        is_empty = self.is_at_bar_line
        if is_empty and len(self.bars) > 1:
            self.bars[-2].marks |= self.bars[-1].marks & AT_END
            self.bars[-1].marks -= AT_END
        if plays > 1 and len(self.bars) > is_empty:
            self.bars[-1 - is_empty].plays = plays
        if plays > 1 or begins_repeat or is_double:
            self._ending = ()
            if is_empty:
                self.bars[-1].ending = ()
        if not is_empty:
            self.bars.append(Bar(self.now, ending=self._ending))
        self.bars[-1].begins_repeat |= begins_repeat
        self.bars[-1].begins_section |= is_double

    def mark(self, mark: str) -> None:
        """Add a mark of a jump to the bar."""
        self.bars[-1].marks.add(mark)

    def begin_ending(self, turns: tuple[int, ...]) -> None:
        """Begin an ending: the bars that follow are played in these turns only."""
        if not self.is_at_bar_line:
            self.end_bar()
        self._ending = turns
        self.bars[-1].ending = turns

    def rest_bars(self, count: int) -> None:
        """Add bars of rest."""
        for i in range(count):
            if i:
                self.end_bar()
            self.now += self.bar_quarters
        self._last = None

    def set_signature(self, signature: Signature) -> None:
        """Change the key."""
        self.signature = signature
        self._altered = {}
        self.keys.append((self.now, signature))

    def set_meter(self, meter: tuple[int, int] | None) -> None:
        """Change the meter."""
        self.meter = meter
        self.meters.append((self.now, meter))
