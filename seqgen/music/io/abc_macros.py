"""Macros of ABC, the field m: short names for notes, for one note or for any (standard 2.1)."""

from __future__ import annotations

import re

from seqgen.errors import MusicError

MOST_MACROS = 100  # of a tune
MOST_ADDED = 100_000  # characters that macros add to a line
LETTERS = "CDEFGABcdefgab"
TARGET = "n"
NOTE = r"(?:\^\^?|__?|=)?[A-Ga-g][,']*"
TEXTS = r'"[^"]*"|![^!\s|]*!'
FIELDS = r"\[[A-Za-z]:[^\]]*\]"
VARIABLES = re.compile(rf"{TEXTS}|{FIELDS}|([h-z])")


class Macros:
    """The macros of a tune.

    A name with an `n` stands for any note. In the text of such a macro the letters h to z are notes
    of the scale, without accidentals: `n` is the note itself, `o` the next above it, `m` the next
    below it, and so on.

    >>> macros = Macros()
    >>> macros.add("~n3 = n{o}n{m}n")
    >>> macros.expand('~G3 "~G3" c')
    'G{A}G{F}G "~G3" c'
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None  # with a group for every name

    def add(self, definition: str) -> None:
        """Add a macro, such as `~G3 = G{A}G{F}G`.

        Raises:
            ValueError: it has no name, or there are too many.
        """
        name, equals, text = (part.strip() for part in definition.partition("="))
        if not name or not equals or len(self._texts) >= MOST_MACROS:
            raise ValueError(definition)
        if name not in self._texts:
            self._pattern = None
        self._texts[name] = text

    def expand(self, line: str) -> str:
        """Return a line of music with its macros written out, those with long names first.

        Macros within macros, texts and inline fields stay as they are.

        Raises:
            MusicError: the line becomes too long.
        """
        if not self._texts:
            return line
        if self._pattern is None:
            self._texts = dict(sorted(self._texts.items(), key=_rank))
            names = (f"({_name_pattern(name)})" for name in self._texts)
            self._pattern = re.compile("|".join((*names, TEXTS, FIELDS)))
        texts = list(self._texts.items())
        parts: list[str] = []
        last = added = 0
        for found in self._pattern.finditer(line):
            if found.lastindex is None:
                continue
            parts += (
                line[last : found.start()],
                _replacement(*texts[found.lastindex - 1], found[0]),
            )
            last = found.end()
            added += len(parts[-1])
            if added > MOST_ADDED:
                raise MusicError(f"macros make a line longer than {MOST_ADDED:,} characters")
        return "".join((*parts, line[last:]))


def _rank(macro: tuple[str, str]) -> tuple[int, bool]:
    """Long names come first, and those of one note before those of any."""
    return -len(macro[0]), TARGET in macro[0]


def _name_pattern(name: str) -> str:
    before, target, after = name.partition(TARGET)
    return re.escape(before) + (NOTE if target else "") + re.escape(after)


def _replacement(name: str, text: str, written: str) -> str:
    """Return the text of a macro.

    Args:
        name: its name.
        text: its text.
        written: what stands for the name in the music.
    """
    before, target, after = name.partition(TARGET)
    if not target:
        return text
    note = written[len(before) : len(written) - len(after)]

    def replaced(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        return note if found[1] == TARGET else _step(note, ord(found[1]) - ord(TARGET))

    return VARIABLES.sub(replaced, text)


def _step(note: str, steps: int) -> str:
    """Return the note that is some steps of the scale above another one.

    >>> _step("c", 1), _step("^C", -1), _step("B'", 1)
    ('d', 'B,', "c'")
    """
    letter, octaves = note.lstrip("^=_")[0], note.count("'") - note.count(",")
    octave, step = divmod(LETTERS.index(letter) + 7 * octaves + steps, 7)
    return LETTERS[step] + "," * -octave if octave < 1 else LETTERS[7 + step] + "'" * (octave - 1)
