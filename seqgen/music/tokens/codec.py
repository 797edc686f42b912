"""Pieces ↔ tokens: the choice between the two codecs, and its options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seqgen.errors import ConfigError
from seqgen.music.piece import Piece
from seqgen.music.tokens import melody, polyphony
from seqgen.music.tokens.bar_tokens import is_signature
from seqgen.music.tokens.durations import TickTokens
from seqgen.music.tokens.voices import voices_of

ENCODINGS = ("melody", "polyphony")
MAX_LOSS = 0.02  # share of a corpus's notes that the melody codec may leave out


@dataclass(frozen=True)
class Codec:
    """How pieces are written as tokens. `decode(encode(restrict(piece))) == restrict(piece)`.

    The token grammars are tables in `seqgen.music.tokens.melody` and `…polyphony`.

    Raises:
        ConfigError: the encoding is unknown.

    >>> Codec("melody").decode(["duration:24", "pitch:60"]).notes
    (Note(start=0, duration=24, pitch=60, velocity=80),)
    """

    encoding: str  # one of ENCODINGS
    joint: bool = True  # polyphony: voice and pitch are one token
    velocity: bool = False  # polyphony: velocities are kept, in eight levels

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ConfigError(
                f"encoding: expected {' or '.join(ENCODINGS)} for music, got {self.encoding!r}"
            )

    @property
    def is_melody(self) -> bool:
        """Whether this is the codec of melodies."""
        return self.encoding == "melody"

    @property
    def lengths(self) -> TickTokens:
        """The tokens of lengths of time."""
        return melody.DURATIONS if self.is_melody else polyphony.SHIFTS

    def restrict(self, piece: Piece) -> Piece:
        """Remove what the codec has no tokens for.

        Raises:
            MusicError: more notes sound together than there are voices.
        """
        if self.is_melody:
            return melody.restrict(piece)
        return polyphony.restrict(piece, velocity=self.velocity)

    def encode(self, piece: Piece) -> list[str]:
        """Return the tokens of a piece that `restrict` leaves unchanged."""
        if self.is_melody:
            return melody.encode(piece)
        return polyphony.encode(piece, joint=self.joint, velocity=self.velocity)

    def decode(self, tokens: Iterable[str]) -> Piece:
        """Return the piece that any list of tokens spells."""
        return melody.decode(tokens) if self.is_melody else polyphony.decode(tokens)

    def knows(self, token: str) -> bool:
        """Whether a token is one of this encoding.

        >>> [Codec("melody").knows(token) for token in ("duration:48", "duration:49", "meter:9/9")]
        [True, False, False]
        """
        if is_signature(token):
            return True
        return token in (melody.TOKENS if self.is_melody else polyphony.TOKENS)

    def starts_note(self, token: str) -> bool:
        """Whether a note begins with this token."""
        return melody.starts_note(token) if self.is_melody else polyphony.starts_note(token)

    def transposed(self, token: str, semitones: int) -> str | None:
        """Return the token of the transposed piece, or None outside MIDI's range of pitches."""
        transposed = melody.transposed if self.is_melody else polyphony.transposed
        return transposed(token, semitones)


def choose_codec(
    pieces: Sequence[Piece], encoding: str | None = None, velocity: bool = False
) -> Codec:
    """Return the codec that suits a corpus.

    The melody codec is chosen if it leaves out next to nothing, since real collections of tunes
    have a double stop here and there.

    Args:
        pieces: the whole corpus, at least one piece.
        encoding: the encoding, if it is decided already.
        velocity: whether velocities are kept, which rules out the melody codec.

    Raises:
        ConfigError: the encoding is unknown, or cannot keep velocities.
    """
    if velocity and encoding == "melody":
        raise ConfigError("velocity: the encoding melody leaves it out; polyphony keeps it")
    if encoding is None:
        encoding = "melody" if not velocity and _is_melodic(pieces) else "polyphony"
    if encoding != "polyphony":
        return Codec(encoding, velocity=velocity)
    few = all(_voice_count(piece) <= polyphony.MAX_JOINT_VOICES for piece in pieces)
    return Codec(encoding, few, velocity)


def _is_melodic(pieces: Sequence[Piece]) -> bool:
    allowed = MAX_LOSS * sum(piece.note_count for piece in pieces)
    lost = 0
    for piece in pieces:  # stops early in polyphonic music
        lost += piece.note_count - melody.restrict(piece).note_count
        if lost > allowed:
            return False
    return True


def _voice_count(piece: Piece) -> int:
    return sum(len(voices_of(part.notes)) for part in piece.parts if not part.is_drums)
