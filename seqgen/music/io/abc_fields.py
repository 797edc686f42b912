"""The fields of ABC that change how notes sound: key, meter, unit of length, tempo, voice."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from html import unescape

from seqgen.errors import MusicError
from seqgen.music.io.notation import signature_of
from seqgen.music.piece import MOST_BARS
from seqgen.music.signatures import MODES, Key

ALTERATIONS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
PIPES = {"HP", "Hp"}  # the Highland pipes play f and c sharp, written or not
TONIC = re.compile(r"([A-Ga-g][#b♯♭]?)([A-Za-z]*)")
MODE = re.compile(r"M\b|m\b|(?i:maj|min|ion|dor|phr|lyd|mix|aeo|loc)")
ACCIDENTAL = re.compile(r"(\^\^?|__?|=)([A-Ga-g])")
METER = re.compile(r"\(?(\d{1,3}(?:\+\d{1,3}){0,9})\)?/(\d{1,3})\+?")
METERS = re.compile(rf"(?:{METER.pattern}){{1,9}}")
CLEF = re.compile(r"(?:clef=)?\"?(?:treble|alto|tenor|bass|perc|none|[GCFP])?[1-5]?([+-]8)?\"?")
MULTIPLES = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308",
             "c": "\u0327", "o": "\u030a", "u": "\u0306", "v": "\u030c"}  # fmt: skip


@dataclass
class Signature:
    """A key, and what its signature does to the letters C to B.

    `key` is None where the notes name no key.
    """

    key: Key | None
    alterations: dict[str, int] = field(default_factory=dict)


def parse_key(text: str) -> Signature | None:
    """Return the key of a field K; None if it holds a clef and the like alone.

    Raises:
        MusicError: the key has more than seven sharps or flats.
        ValueError: it is no key.

    >>> parse_key("D exp _b ^f"), parse_key("clef=bass")
    (Signature(key=Key(sharps=0, mode='dorian'), alterations={'B': -1, 'F': 1}), None)
    >>> parse_key("E Minor bass").key, parse_key("HP").alterations
    (Key(sharps=1, mode='minor'), {'F': 1, 'C': 1})
    >>> parse_key("B flat").key, parse_key("D^g").alterations
    (Key(sharps=-2, mode='major'), {'F': 1, 'C': 1, 'G': 1})
    """
    words = re.sub(r"^([A-G][A-Za-z#]*)(?=[_^=])", r"\1 ", text.strip()).split() or ["C"]
    if words[0] in PIPES:
        key = Key(2, "mixolydian")
        return Signature(key, signature_of(key))
    if words[0].lower() == "none":
        return Signature(None)
    extra = {
        letter.upper(): ALTERATIONS[sign]
        for word in words
        if not ACCIDENTAL.sub("", word)  # but not `clef=bass`
        for sign, letter in ACCIDENTAL.findall(word)
    }
    found = TONIC.fullmatch(words[0])
    if found is None:
        if extra:
            return Signature(_key_like(None, extra), extra)
        if "=" in words[0] or CLEF.fullmatch(words[0]):
            return None
        raise ValueError(text)
    mode = found[2] or (words[1] if len(words) > 1 else "")
    if mode.lower() == "exp":
        return Signature(_key_like(found[1], extra), extra)
    if found[2] and found[1].islower() and not MODE.match(mode):
        return None  # no tonic after all: `bass`
    if known := MODE.match(mode):
        key = Key.parse(found[1] + known[0])
    else:
        key = _spelled_out(words, 1 if found[2] else 0) or Key.parse(found[1])
    return Signature(key, signature_of(key) | extra)


def _spelled_out(words: list[str], least: int) -> Key | None:
    """Return the key that the first words name in full, such as `B flat minor`, or None.

    Raises:
        ValueError: so many words at least belong to it, and it is no key.
    """
    for count in (3, 2, 1):
        try:
            return Key.parse(" ".join(words[:count]))
        except MusicError:
            continue
    if least:
        raise ValueError(words[0])
    return None


def _key_like(tonic: str | None, alterations: dict[str, int]) -> Key | None:
    """Return the key that comes nearest to explicit alterations: their sum, and the tonic's mode.

    >>> _key_like("A", {"F": 1, "C": 1, "G": 0})
    Key(sharps=2, mode='mixolydian')
    """
    sharps = min(max(sum(alterations.values()), -7), 7)
    if tonic is None:
        return Key(sharps)
    for mode in MODES:
        if str(Key(sharps, mode)).removesuffix(MODES[mode][1]) == tonic.capitalize():
            return Key(sharps, mode)
    return Key(sharps)


def parse_meter(text: str) -> tuple[int, int] | None:
    """Return beats and beat type of a field M; None for `none`.

    Raises:
        ValueError: it is no meter.

    >>> parse_meter("C|"), parse_meter("(2+3)/8"), parse_meter("3/4+3/8"), parse_meter("none")
    ((2, 2), (5, 8), (9, 8), None)
    """
    text = text.replace(" ", "")
    if text in ("C", "c"):
        return 4, 4
    if text in ("C|", "c|"):
        return 2, 2
    if text.lower() in ("none", ""):
        return None
    found = METERS.match(text)
    groups = [
        (sum(map(int, beats.split("+"))), int(beat_type))
        for beats, beat_type in METER.findall(found[0] if found else "")
    ]
    if not groups or not all(map(all, groups)):
        raise ValueError(text)
    beat_type = max(own for _, own in groups)
    beats = sum((Fraction(own * beat_type, other) for own, other in groups), Fraction(0))
    if beats.denominator != 1:
        raise ValueError(text)
    return int(beats), beat_type


def parse_unit(text: str) -> Fraction:
    """Return the unit of a field L, in quarters.

    Raises:
        ValueError: it is no length.

    >>> parse_unit("1/8")
    Fraction(1, 2)
    """
    found = re.match(r"\s*(\d{1,3})(?:\s*/\s*(\d{1,4}))?", text)
    if not found or int(found[1]) == 0 or int(found[2] or 1) == 0:
        raise ValueError(text)
    return Fraction(4 * int(found[1]), int(found[2] or 1))


def default_unit(meter: tuple[int, int] | None) -> Fraction:
    """Return the unit, in quarters, of a tune without a field L.

    >>> default_unit((2, 4)), default_unit((3, 4))
    (Fraction(1, 4), Fraction(1, 2))
    """
    is_short = meter is not None and 4 * meter[0] < 3 * meter[1]
    return Fraction(1, 4) if is_short else Fraction(1, 2)


def parse_tempo(text: str, unit: Fraction) -> float | None:
    """Return the quarters per minute of a field Q; None if it holds words alone.

    Args:
        text: `1/4=120`, `"Allegro" 3/8 = 60`, or in older files `120` or `C3=40`, in units.
        unit: the unit of length, in quarters.

    Raises:
        ValueError: it is no tempo.

    >>> parse_tempo('"Allegro" 1/4 = 120', Fraction(1, 2)), parse_tempo("3/8=40", Fraction(1))
    (120.0, 60.0)
    """
    text = re.sub(r'"[^"]*"?', "", text).strip()
    if not text:
        return None
    beat, equals, number = text.rpartition("=")
    found = re.match(r"\s*(\d{1,5}(?:\.\d{1,3})?)(?![\d/])", number)
    if not found:
        raise ValueError(text)
    quarters = unit
    if equals and (count := re.fullmatch(r"[Cc](\d{0,3})", beat.strip())):
        quarters = unit * int(count[1] or 1)
    elif equals:
        quarters = sum(
            (parse_unit(part) for part in re.sub(r"\s*/\s*", "/", beat).split()), Fraction(0)
        )
    tempo = float(found[1]) * float(quarters)
    if tempo <= 0:
        raise ValueError(text)
    return round(tempo, 3)


def parse_order(text: str) -> tuple[str, ...]:
    """Return the order of parts of a field P in the header.

    Raises:
        MusicError: the order has more than 100,000 parts.

    >>> parse_order("A(BA)2.C3")
    ('A', 'B', 'A', 'B', 'A', 'C', 'C', 'C')
    """
    groups: list[list[str]] = [[]]  # the order, then one of its groups, and so on
    for symbol, count in re.findall(r"([A-Za-z()])(\d{0,4})", text[:MOST_BARS]):
        if symbol == "(":
            groups.append([])
            continue
        if symbol == ")" and len(groups) == 1:
            continue
        last = groups.pop() if symbol == ")" else [symbol]
        if len(groups[-1]) + len(last) * int(count or 1) > MOST_BARS:
            raise MusicError(f"has an order of more than {MOST_BARS:,} parts")
        groups[-1] += last * int(count or 1)
    return tuple(part for group in groups for part in group)


def parse_part(text: str) -> str:
    """Return the name of a part in a field P in the body.

    >>> parse_part("A"), parse_part("A (slow)"), parse_part("Trio")
    ('A', 'A', 'Trio')
    """
    found = re.match(r"([A-Za-z])\b", text)
    return found[1] if found else text


def parse_shift(text: str) -> int:
    """Return by how many semitones the properties of a voice or key move what is written.

    >>> parse_shift("clef=treble-8"), parse_shift("T2 octave=1 transpose=-2"), parse_shift("bass")
    (-12, 10, 0)
    """
    shift = 0
    for word in re.sub(r"\s*=\s*", "=", text).split():
        name, _, value = word.partition("=")
        if name in ("octave", "transpose") and re.fullmatch(r"[+-]?\d{1,2}", value):
            shift += int(value) * (12 if name == "octave" else 1)
        elif (clef := CLEF.fullmatch(word)) and clef[1]:
            shift += 12 if clef[1] == "+8" else -12
    return shift


def plain_title(text: str) -> str:
    r"""Return a title without the escapes of ABC.

    >>> plain_title(r"Sch\"on \'e &amp; na\"ive")
    'Schön é & naïve'
    """

    def letter(found: re.Match[str]) -> str:
        if found[3]:
            return found[3]
        return unicodedata.normalize("NFC", found[2] + MULTIPLES[found[1]])

    text = re.sub(r"\\(?:([`'^~\"couv])([A-Za-z])|([\\%]))", letter, text)
    return unescape(text).strip()
