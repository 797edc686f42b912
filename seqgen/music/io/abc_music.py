"""Tokens of lines of music in ABC → the notes, rests and bars of a voice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar

from seqgen.errors import MusicError
from seqgen.music.io.abc_tokens import (
    KNOWN_DECORATIONS,
    NOTES,
    SYMBOLS,
    TOKEN,
    TUPLETS,
    parse_length,
    parse_written,
)
from seqgen.music.io.abc_voice import Voice, Written
from seqgen.music.io.jumps import CODA, SEGNO, mark_of
from seqgen.music.io.repeats import MOST_TURNS, parse_turns
from seqgen.music.piece import MOST_BARS


class MusicReader:
    """Adds tokens to voices.

    Args:
        counts: counts of what is left out or not understood, which are increased.

    >>> voice, reader = Voice(), MusicReader(Counter())
    >>> for token in TOKEN.finditer("FA"):
    ...     reader.read(token, voice)
    >>> [note.pitch for note in voice.part.notes]
    [65, 69]
    """

    def __init__(self, counts: Counter[str]) -> None:
        self.counts = counts
        self.symbols = set(SYMBOLS)  # letters that stand for decorations
        self.marks = {"O": CODA, "S": SEGNO}

    def define(self, symbol: str, decoration: str) -> None:
        """Let a letter stand for a decoration such as `!segno!`."""
        self.symbols.add(symbol)
        self.marks.pop(symbol, None)
        if mark := mark_of(decoration.strip("!+")):
            self.marks[symbol] = mark

    def read(self, token: re.Match[str], voice: Voice) -> None:
        """Add a match of `TOKEN` that is no inline field to a voice.

        Raises:
            MusicError: the voice has more bars than a piece may have.
        """
        action = self.ACTIONS.get(token.lastgroup or "")
        if action is not None:
            action(self, voice, token)

    def note(self, voice: Voice, token: re.Match[str]) -> None:
        written = parse_written(token)
        voice.add(written.length, (written,))

    def rest(self, voice: Voice, token: re.Match[str]) -> None:
        voice.add(parse_length(token["rest_length"]))

    def chord(self, voice: Voice, token: re.Match[str]) -> None:
        members: list[Written] = []
        for inner in TOKEN.finditer(token["members"]):
            if inner.lastgroup == "note":
                members.append(parse_written(inner))
            elif inner.lastgroup == "tie" and members:
                members[-1] = members[-1]._replace(is_tied=True)
            elif inner.lastgroup in self.IN_CHORDS:
                self.ACTIONS[inner.lastgroup](self, voice, inner)
            elif inner.lastgroup not in ("space", "slur", "rest"):
                self.counts["symbols not understood"] += 1
        if not members:
            self.counts["symbols not understood"] += 1
            return
        length = parse_length(token["chord_length"])
        voice.add(
            members[0].length * length,
            tuple(member._replace(length=member.length * length) for member in members),
        )

    def rests(self, voice: Voice, token: re.Match[str]) -> None:
        count = int(token["count"][:9] or 1)
        if len(voice.bars) + count > MOST_BARS:
            raise MusicError(f"has more than {MOST_BARS:,} bars")
        voice.rest_bars(count)

    def bar(self, voice: Voice, token: re.Match[str]) -> None:
        text = token["bar"]
        colons = len(token["close"] or "")
        is_both = token["close"] is None  # ::
        voice.end_bar(
            plays=2 if is_both else 1 + min(colons, MOST_TURNS),
            begins_repeat=is_both or bool(token["open"]),
            is_double="||" in text or "]" in text or "[" in text,
        )

    def ending(self, voice: Voice, token: re.Match[str]) -> None:
        if turns := parse_turns(token["turns"] or token["turn"] or ""):
            voice.begin_ending(turns)
        else:
            self.counts["endings not understood"] += 1

    def turn(self, voice: Voice, token: re.Match[str]) -> None:
        if voice.is_at_bar_line:
            self.ending(voice, token)
        else:
            self.counts["symbols not understood"] += 1

    def tuplet(self, voice: Voice, token: re.Match[str]) -> None:
        notes, time, count = (int((token[name] or "0")[:4]) for name in "pqr")
        beats, beat_type = voice.meter or (4, 4)
        is_compound = beat_type == 8 and beats % 3 == 0 and beats > 3
        time = time or TUPLETS.get(notes, 3 if is_compound else 2)
        if notes == 0:
            self.counts["symbols not understood"] += 1
        else:
            voice.begin_tuplet(Fraction(time, notes), count or notes)

    def tie(self, voice: Voice, token: re.Match[str]) -> None:
        if not voice.tie():
            self.counts["symbols not understood"] += 1

    def broken(self, voice: Voice, token: re.Match[str]) -> None:
        text = token["broken"]
        part = Fraction(1, 2 ** min(len(text), 8))
        if not voice.break_rhythm(2 - part if text[0] == ">" else part):
            self.counts["symbols not understood"] += 1

    def grace(self, voice: Voice, token: re.Match[str]) -> None:
        for found in NOTES.finditer(token["graces"]):
            self.counts["grace notes dropped"] += 1
            written = parse_written(found)
            if written.alteration is not None:
                voice.alter(written.letter, written.octave, written.alteration)

    def text(self, voice: Voice, token: re.Match[str]) -> None:
        words = token["words"].lstrip("^_<>@")
        if mark := mark_of(words):
            voice.mark(mark)
        elif words and words == token["words"]:
            self.counts["chord symbols dropped"] += 1

    def decoration(self, voice: Voice, token: re.Match[str]) -> None:
        word = token["word"] or token["old_word"]
        if mark := mark_of(word):
            voice.mark(mark)
        elif word not in KNOWN_DECORATIONS:
            self.counts["decorations not understood"] += 1

    def symbol(self, voice: Voice, token: re.Match[str]) -> None:
        if mark := self.marks.get(token["symbol"]):
            voice.mark(mark)
        elif token["symbol"] not in self.symbols:
            self.counts["symbols not understood"] += 1

    def overlay(self, voice: Voice, token: re.Match[str]) -> None:
        voice.overlay(len(token["overlay"]))

    def unknown(self, voice: Voice, token: re.Match[str]) -> None:
        self.counts["symbols not understood"] += 1

    IN_CHORDS = ("text", "decoration", "symbol")
    ACTIONS: ClassVar[dict[str, Callable[[MusicReader, Voice, re.Match[str]], None]]] = {
        "note": note, "rest": rest, "chord": chord, "rests": rests, "bar": bar, "ending": ending,
        "turn": turn, "tuplet": tuplet, "tie": tie, "broken": broken, "grace": grace, "text": text,
        "decoration": decoration, "symbol": symbol, "overlay": overlay, "unknown": unknown,
    }  # fmt: skip
