"""Pieces ↔ tokens: which of the two codecs, and its options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seqgen.errors import ConfigError
from seqgen.music.piece import Piece
from seqgen.music.tokens import melody, polyphony
from seqgen.music.tokens.voices import voices_of

ENCODINGS = ("melody", "polyphony")
MOST_LEFT_OUT = 0.02  # share of a corpus's notes under others, for it to count as melodies


@dataclass(frozen=True)
class Codec:
    """How pieces are written as tokens. `decode(encode(restrict(piece))) == restrict(piece)`.

    Raises:
        ConfigError: there is no such encoding.

    >>> Codec("melody").decode(["duration:24", "pitch:60"]).notes
    (Note(start=0, duration=24, pitch=60, velocity=80),)
    """

    encoding: str  # one of ENCODINGS
    joint: bool = True  # polyphony: lane and pitch are one token
    velocity: bool = False  # polyphony: kept, in eight steps

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ConfigError(
                f"encoding: expected {' or '.join(ENCODINGS)} for music, got {self.encoding!r}"
            )

    @property
    def is_melody(self) -> bool:
        """Whether it is the codec of melodies."""
        return self.encoding == "melody"

    def restrict(self, piece: Piece) -> Piece:
        """The piece without what the codec has no tokens for.

        Raises:
            MusicError: more notes sound at once than there are lanes.
        """
        if self.is_melody:
            return melody.restrict(piece)
        return polyphony.restrict(piece, velocity=self.velocity)

    def encode(self, piece: Piece) -> list[str]:
        """The tokens of a piece that `restrict` returns unchanged."""
        if self.is_melody:
            return melody.encode(piece)
        return polyphony.encode(piece, joint=self.joint, velocity=self.velocity)

    def decode(self, tokens: Iterable[str]) -> Piece:
        """The piece that tokens stand for, whatever they are."""
        return melody.decode(tokens) if self.is_melody else polyphony.decode(tokens)

    def starts_note(self, token: str) -> bool:
        """Whether a note begins with it."""
        return melody.starts_note(token) if self.is_melody else polyphony.starts_note(token)

    def transposed(self, token: str, semitones: int) -> str | None:
        """The token of the same music so much higher; None if MIDI has no such pitch."""
        transposed = melody.transposed if self.is_melody else polyphony.transposed
        return transposed(token, semitones)


def fitting(pieces: Sequence[Piece], encoding: str | None = None, velocity: bool = False) -> Codec:
    """The codec that suits a corpus.

    Melodies are what loses next to nothing as melodies: real collections of tunes have a double
    stop here and there.

    Args:
        pieces: all of them.
        encoding: decided already.
        velocity: whether it is to be kept; then there are no melodies.

    Raises:
        ConfigError: there is no such encoding, or it keeps no velocity.
    """
    if velocity and encoding == "melody":
        raise ConfigError("velocity: the encoding melody leaves it out; polyphony keeps it")
    if encoding is None:
        notes = sum(piece.note_count for piece in pieces)
        kept = sum(melody.restrict(piece).note_count for piece in pieces)
        is_melodic = not velocity and notes - kept <= MOST_LEFT_OUT * notes
        encoding = "melody" if is_melodic else "polyphony"
    codec = Codec(encoding, velocity=velocity)
    if encoding == "polyphony":
        lanes = max(
            sum(len(voices_of(part.notes)) for part in piece.parts if not part.is_drums)
            for piece in pieces
        )
        codec = Codec(encoding, lanes <= polyphony.MOST_JOINT_VOICES, velocity)
    return codec
