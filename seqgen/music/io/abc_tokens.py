"""The tokens of a line of ABC music, and what their parts mean."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from seqgen.errors import MusicError
from seqgen.music.io.abc_fields import ALTERATIONS
from seqgen.music.io.abc_voice import Written

# Longer brackets are unknown; without a limit, each of many that are not closed is read to the end.
INSIDE = "{0,1000}"
LENGTH = r"\d*(?:/+\d*)?"
NOTE = rf"(?P<sign>\^\^?|__?|=)?(?P<letter>[A-Ga-g])(?P<marks>[,']*)(?P<length>{LENGTH})"
TOKEN = re.compile(
    rf"""(?P<space>[ \t`$*\\)]+)
    | (?P<note>{NOTE})
    | (?P<field>\[(?P<name>[A-Za-z]):(?P<value>[^\]]{INSIDE})\])
    | (?P<bar>\.?(?P<close>:*)(?:\[?\|\](?=:+\|)|\[?\|[|\]]*(?P<open>:*)) | ::+)
    | (?P<ending>\[[ ]*(?P<turns>\d[\d,\-. ]*|"[^"]*"))
    | (?P<turn>\d[\d,\-]*)
    | (?P<chord>\[(?P<members>[^\]|]{INSIDE})\](?P<chord_length>{LENGTH}))
    | (?P<rest>[zx](?P<rest_length>{LENGTH}))
    | (?P<rests>[ZX](?P<count>\d*))
    | (?P<text>"(?P<words>[^"]*)")
    | (?P<tuplet>\((?P<p>\d+)(?::(?P<q>\d*))?(?::(?P<r>\d*))?)
    | (?P<slur>\.?\()
    | (?P<tie>\.?-)
    | (?P<broken>>+|<+)
    | (?P<grace>\{{/?(?P<graces>[^}}]{INSIDE})\}})
    | (?P<decoration>!(?P<word>[^!\s|\[\]"]+|D\.[ ]?[CS]\.[^!|\[\]"]*)!
        | \+(?P<old_word>[^+\s|\[\]"]+)\+)
    | (?P<overlay>&+)
    | (?P<spacer>y{LENGTH})
    | (?P<symbol>[~.H-Yh-w])
    | (?P<line_end>!)
    | (?P<unknown>.)""",
    re.VERBOSE | re.DOTALL,
)
NOTES = re.compile(NOTE)
SYMBOLS = "~.HJLMOPRSTuv"
DECORATIONS = """
    trill trill( trill) lowermordent uppermordent mordent pralltriller roll turn turnx invertedturn
    invertedturnx arpeggio > accent emphasis fermata invertedfermata tenuto 0 1 2 3 4 5 + plus snap
    slide wedge upbow downbow open thumb breath pppp ppp pp p mp mf f ff fff ffff sfz crescendo( <(
    crescendo) <) diminuendo( >( diminuendo) >) segno coda D.S. D.C. dacoda dacapo fine shortphrase
    mediumphrase longphrase staccato ^ marcato cresc dim sf courtesy editorial D.C.alcoda D.C.alfine
    D.S.alcoda D.S.alfine / // ///
"""
KNOWN_DECORATIONS = frozenset(DECORATIONS.split())
TUPLETS = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # notes → in the time of how many; 5, 7, 9: by meter


def parse_written(token: re.Match[str]) -> Written:
    """Return the note of a match of `NOTE`.

    >>> parse_written(NOTES.match("^c'2"))
    Written(letter='C', octave=2, alteration=1, length=Fraction(2, 1), is_tied=False)
    """
    letter, marks = token["letter"], token["marks"]
    octave = letter.islower() + marks.count("'") - marks.count(",")
    sign = token["sign"]
    return Written(
        letter.upper(), octave, ALTERATIONS[sign] if sign else None, parse_length(token["length"])
    )


@lru_cache(1024)
def parse_length(text: str) -> Fraction:
    """Return a length in units.

    Raises:
        MusicError: nobody writes it.

    >>> parse_length(""), parse_length("3/2"), parse_length("//"), parse_length("3/")
    (Fraction(1, 1), Fraction(3, 2), Fraction(1, 4), Fraction(3, 2))
    """
    number, _, rest = text.partition("/")
    below = rest.strip("/")
    above = int(number[:9] or 1)
    divisor = int(below[:9] or 2 ** min(text.count("/"), 32))
    if len(text) > 12 or not above or not divisor:
        raise MusicError(f"has a length that nobody writes: {text[:20]}")
    return Fraction(above, divisor)
