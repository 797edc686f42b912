"""Pieces → ABC, the notation of folk tunes as text (standard 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from seqgen.music.io.notation import Symbol, Voice, is_low, signature_of, spelled, triplets, voices
from seqgen.music.piece import Piece
from seqgen.music.signatures import TICKS_PER_WHOLE, Key

UNIT = TICKS_PER_WHOLE // 8  # length in ticks of a note without a number
BARS_PER_LINE = 4
ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


def abc_text(piece: Piece, *, number: int = 1) -> str:
    """Return the piece as a tune of an ABC file.

    >>> from seqgen.music.pitch_names import piece_of
    >>> print(abc_text(piece_of("G4/8 A4/8 B4/4 F#4/2")))
    %abc-2.1
    X:1
    T:tune
    M:4/4
    L:1/8
    Q:1/4=120
    K:C
    GA B2 ^F4|]
    <BLANKLINE>
    """
    head = [
        "%abc-2.1",
        f"X:{number}",
        f"T:{_title(piece.title)}",
        f"M:{piece.meter}",
        "L:1/8",
        f"Q:1/4={piece.tempo:g}",
        f"K:{piece.key or 'C'}",
    ]
    found = voices(piece)
    if len(found) == 1:
        return "\n".join([*head, *_instrument(piece, 0), *_lines(piece, found[0]), ""])
    for i, voice in enumerate(found, start=1):
        clef = "bass" if is_low([voice]) else "treble"
        head += [f"V:{i} clef={clef}", *_instrument(piece, voice.part), *_lines(piece, voice)]
    return "\n".join([*head, ""])


def _title(text: str) -> str:
    r"""Return a title in one line, with its signs escaped.

    >>> print(_title("100 % \\ AT&amp;T"))
    100 \% \\ AT&amp;amp;T
    """
    text = " ".join(text.split()).replace("\\", "\\\\").replace("%", r"\%")
    return text.replace("&", "&amp;") or "tune"


def _instrument(piece: Piece, number: int) -> list[str]:
    """Return the directive that names a part's instrument; a piano is the default."""
    part = piece.parts[number] if piece.parts else None
    if part is None or (part.program == 0 and not part.is_drums):
        return []
    return ["%%MIDI channel 10" if part.is_drums else f"%%MIDI program {part.program}"]


def abc_lines(piece: Piece) -> str:
    """Return a short form for display: meter and key in one line, then the music.

    >>> from seqgen.music.pitch_names import piece_of
    >>> print(abc_lines(piece_of("G4/4 A4/4 B4/2")))
    M:4/4 K:C
    G2 A2 B4|]
    """
    head = f"M:{piece.meter} K:{piece.key or 'C'}"
    return "\n".join([head, *(line for voice in voices(piece) for line in _lines(piece, voice))])


def _lines(piece: Piece, voice: Voice) -> Iterator[str]:
    meters, keys = dict(piece.meters), dict(piece.keys)
    key, meter = piece.key, piece.meter
    written = []
    for i, (tick, bar) in enumerate(zip(piece.bars, voice.bars, strict=True)):
        text = ""
        if tick and tick in meters:
            text += f"[M:{meters[tick]}]"
        if tick and tick in keys:
            key = keys[tick]
            text += f"[K:{key}]"
        is_last = i == len(piece.bars) - 1
        meter = meters.get(tick, meter)
        written.append(text + _bar(bar, key, meter.beat_ticks) + ("|]" if is_last else "|"))
    for i in range(0, len(written), BARS_PER_LINE):
        yield " ".join(written[i : i + BARS_PER_LINE])


def _bar(bar: list[Symbol], key: Key | None, beat: int) -> str:
    altered = signature_of(key)
    in_bar: dict[tuple[str, int] | str, int] = {}
    text, now = "", 0
    groups = triplets([symbol.ticks for symbol in bar])
    signs = {group.start: "(3" if len(group) == 3 else f"(3:2:{len(group)}" for group in groups}
    for i, symbol in enumerate(bar):
        if now and now % beat == 0:
            text += " "  # notes without a space between them are beamed
        now += symbol.ticks
        in_chord = len(symbol.pitches) > 1
        names = [_name(pitch, key, altered, in_bar, in_chord) for pitch in symbol.pitches]
        name = "".join(names) or "z"
        if in_chord:
            name = f"[{name}]"
        is_triplet = any(i in group for group in groups)
        length = _length(symbol.ticks * Fraction(3, 2) if is_triplet else symbol.ticks)
        text += f"{signs.get(i, '')}{name}{length}{'-' if symbol.is_tied else ''}"
    return text


def _name(
    pitch: int,
    key: Key | None,
    altered: dict[str, int],
    in_bar: dict[tuple[str, int] | str, int],
    in_chord: bool,
) -> str:
    """Return a note without its length, and note its accidental in `in_bar`."""
    step, alter, octave = spelled(pitch, key)
    sign = ""
    # Some programs apply an accidental to all octaves in a bar, others to one octave.
    places = (step, octave), step
    known = {in_bar.get(place, altered.get(step, 0)) for place in places}
    # Some, such as music21, apply none inside chords, and read half of a double one.
    is_lost = in_chord and alter != altered.get(step, 0)
    if known != {alter} or abs(alter) == 2 or is_lost:
        sign = ACCIDENTALS[alter]
        in_bar |= dict.fromkeys(places, alter)
    return sign + (step + "," * (4 - octave) if octave <= 4 else step.lower() + "'" * (octave - 5))


def _length(ticks: int | Fraction) -> str:
    """Return the length of a note as a multiple of the unit.

    >>> _length(12), _length(18), _length(6), _length(24)
    ('', '3/2', '/2', '2')
    """
    length = Fraction(ticks, UNIT)
    above = "" if length.numerator == 1 else str(length.numerator)
    return above if length.denominator == 1 else f"{above}/{length.denominator}"
