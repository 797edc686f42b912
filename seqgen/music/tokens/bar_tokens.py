"""The tokens that both codecs share: bar lines, meters and keys.

bar start   "bar"? meter? key?      "bar" separates bars, so the first bar has none
meter       "meter:4/4" …           only where the meter changes, and in the first bar
key         "key:Bb" …              only where the key changes, and in the first bar
"""

from __future__ import annotations

from seqgen.errors import MusicError
from seqgen.music.piece import Part, Piece
from seqgen.music.signatures import Key, Meter

BAR = "bar"
METER, KEY = "meter:", "key:"


def is_signature(token: str) -> bool:
    """Whether a token is a meter or a key.

    >>> is_signature("key:Am"), is_signature("key:X"), is_signature("bar")
    (True, False, False)
    """
    try:
        if token.startswith(METER):
            return str(Meter.parse(token.removeprefix(METER))) == token.removeprefix(METER)
        return token.startswith(KEY) and bool(Key.parse(token.removeprefix(KEY)))
    except MusicError:
        return False


class BarStarts:
    """Writes the tokens at the start of each bar of a piece.

    >>> starts = BarStarts(Piece((), bars=(0, 96), length=192, meters=((96, Meter(4, 4)),)))
    >>> starts.tokens(0), starts.tokens(96)
    ([], ['bar', 'meter:4/4'])
    """

    def __init__(self, piece: Piece) -> None:
        self.meters, self.keys = dict(piece.meters), dict(piece.keys)

    def tokens(self, tick: int) -> list[str]:
        """Return the tokens of the bar that starts at `tick`."""
        tokens = [BAR] if tick else []
        if tick in self.meters:
            tokens.append(f"{METER}{self.meters[tick]}")
        if tick in self.keys:
            tokens.append(f"{KEY}{self.keys[tick]}")
        return tokens


class BarReader:
    """Collects bar lines, meters and keys while a codec decodes tokens."""

    def __init__(self) -> None:
        self.bars = [0]
        self.meters: dict[int, Meter] = {}
        self.keys: dict[int, Key] = {}

    def feed(self, token: str, tick: int) -> None:
        """Read one token at `tick`; ignore it if it makes no sense there."""
        if token == BAR:
            if tick > self.bars[-1]:
                self.bars.append(tick)
        elif tick == self.bars[-1] and token.startswith(METER):
            self.meters[tick] = Meter.parse(token.removeprefix(METER))
        elif tick == self.bars[-1] and token.startswith(KEY):
            self.keys[tick] = Key.parse(token.removeprefix(KEY))

    def length(self, tick: int) -> int:
        """Return the length of a piece whose tokens ended at `tick`: at least one bar."""
        return tick or self.meters.get(0, Meter(4, 4)).ticks

    def piece(self, parts: tuple[Part, ...], length: int) -> Piece:
        """Return the piece, without a last bar that has no length."""
        if self.bars[-1] == length:
            self.meters.pop(length, None)
            self.keys.pop(length, None)
            self.bars.pop()
        return Piece(
            parts, tuple(self.bars), length, tuple(self.meters.items()), tuple(self.keys.items())
        )


def transpose_key(token: str, semitones: int) -> str:
    """Return the token of a key that is `semitones` higher; any other token unchanged.

    >>> transpose_key("key:Am", 3), transpose_key("bar", 3)
    ('key:Cm', 'bar')
    """
    if token.startswith(KEY):
        return f"{KEY}{Key.parse(token.removeprefix(KEY)).transposed(semitones)}"
    return token
