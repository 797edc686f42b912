"""What a user requests of a new piece of music."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from seqgen.errors import ConfigError
from seqgen.music import instruments, pitch_names
from seqgen.music.io.read import MUSIC_SUFFIXES, read_file
from seqgen.music.piece import Piece
from seqgen.music.signatures import Key, Meter

SLOWEST, FASTEST = 4, 1000  # tempi of generated pieces, quarters a minute


@dataclass(frozen=True)
class MusicRequest:
    """What a user requests of a new piece; the model decides the rest.

    Raises:
        ConfigError: a number is out of its range.
    """

    bars: int | None = None  # full bars after a pick-up or the primer
    key: Key | None = None
    meter: Meter | None = None
    tempo: float | None = None  # quarter notes per minute
    lowest: int = 0  # pitches, as MIDI numbers
    highest: int = 127
    program: int | None = None  # General MIDI program, 0 to 127
    is_drums: bool = False  # the notes are played as drums
    primer: Piece | None = None  # music that the piece continues
    echo: bool = True  # the piece includes the primer

    def __post_init__(self) -> None:
        if self.bars is not None and not 1 <= self.bars <= 10_000:
            raise ConfigError(f"bars: expected a whole number from 1 to 10,000, got {self.bars}")
        if self.tempo is not None and not SLOWEST <= self.tempo <= FASTEST:
            raise ConfigError(
                f"tempo: expected {SLOWEST} to {FASTEST} quarters a minute, got {self.tempo}"
            )


def parse_request(
    *,
    bars: int | None = None,
    key: str | None = None,
    meter: str | None = None,
    tempo: float | None = None,
    pitch_range: str | None = None,
    instrument: str | None = None,
    primer: str | Path | Piece | None = None,
    echo: bool = True,
) -> MusicRequest:
    """Return a request from the values that users type.

    Args:
        bars: number of full bars after a pick-up or the primer; by default the model ends the
            piece.
        key: such as `G`, `Em`, `B-flat major` or `D dorian`; by default the model's choice, or
            drawn as often as it occurs in the corpus.
        meter: such as `6/8`.
        tempo: quarter notes per minute.
        pitch_range: such as `G3-C6` or `55-84`.
        instrument: a General MIDI name, its number from 1 to 128, or `drums`.
        primer: music to continue: a file, whose first piece is used, a piece, or notes such as
            `G4/8 A4/8 B4/4`.
        echo: whether the piece includes the primer.

    Raises:
        MusicError: a value cannot be parsed, or the primer cannot be read.
        ConfigError: a number is out of its range.

    >>> parse_request(key="Em", pitch_range="G3-C6").lowest
    55
    """
    player = None if instrument is None else instruments.instrument_of(instrument)
    lowest, highest = (0, 127) if pitch_range is None else pitch_names.range_of(pitch_range)
    return MusicRequest(
        bars,
        None if key is None else Key.parse(key),
        None if meter is None else Meter.parse(meter),
        tempo,
        lowest,
        highest,
        player.program if player else None,
        bool(player and player.is_drums),
        primer if primer is None or isinstance(primer, Piece) else primers(primer)[0],
        echo,
    )


REQUESTED = frozenset(inspect.signature(parse_request).parameters)


def primers(text: str | Path) -> tuple[Piece, ...]:
    """Return the pieces of a file, or the piece that a text spells.

    Raises:
        MusicError: the file cannot be read, or the text does not spell notes.
    """
    path = Path(text)
    if isinstance(text, Path) or path.suffix.lower() in MUSIC_SUFFIXES or _exists(path):
        return read_file(path).pieces
    return (pitch_names.piece_of(text),)


def _exists(path: Path) -> bool:
    """Whether a path exists; a long text is none."""
    try:
        return path.is_file()
    except OSError:
        return False
