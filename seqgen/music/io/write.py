"""Writes pieces to files, in the format that the suffix names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from seqgen.errors import OutputError
from seqgen.music.piece import Piece
from seqgen.utils.atomic_files import atomic_write


def _midi(piece: Piece) -> bytes:
    from seqgen.music.io.midi_writer import midi_bytes

    return midi_bytes(piece)


def _musicxml(piece: Piece) -> bytes:
    from seqgen.music.io.musicxml_writer import musicxml

    return musicxml(piece)


def _mxl(piece: Piece) -> bytes:
    from seqgen.music.io.musicxml_file import compressed
    from seqgen.music.io.musicxml_writer import musicxml

    return compressed(musicxml(piece))


def _abc(piece: Piece) -> bytes:
    from seqgen.music.io.abc_writer import abc_text

    return abc_text(piece).encode()


def _wav(piece: Piece) -> bytes:
    from seqgen.music.io.audio import wav

    return wav(piece)


def _score(kind: str, piece: Piece) -> bytes:
    from seqgen.music.io.images import score

    return score(piece, kind)


def _piano_roll(kind: str, piece: Piece) -> bytes:
    from seqgen.music.io.images import piano_roll

    return piano_roll(piece, kind)


# Suffix → function that returns the content of a file. A new format is one more line. Modules are
# imported when a function is called, since some are slow to import.
WRITERS: dict[str, Callable[[Piece], bytes]] = {
    ".mid": _midi,
    ".midi": _midi,
    ".musicxml": _musicxml,
    ".xml": _musicxml,
    ".mxl": _mxl,
    ".abc": _abc,
    ".wav": _wav,
    ".png": partial(_score, "png"),
    ".svg": partial(_score, "svg"),
}
PIANO_ROLLS: dict[str, Callable[[Piece], bytes]] = {
    ".png": partial(_piano_roll, "png"),
    ".svg": partial(_piano_roll, "svg"),
}


def require_format(path: Path) -> None:
    """Raise `OutputError` unless the path ends in one of `WRITERS`."""
    if path.suffix.lower() not in WRITERS:
        raise OutputError(
            f"{path}: expected a name that ends in {', '.join(WRITERS)}, got {path.suffix!r}"
        )


def write(piece: Piece, path: Path, *, piano_roll: bool = False, keep: bool = False) -> None:
    """Write a piece to a file.

    Args:
        piece: the piece.
        path: its suffix chooses the format, one of `WRITERS`.
        piano_roll: draw a piano roll instead of a score.
        keep: rename a file that already has this name instead of replacing it.

    Raises:
        OutputError: the suffix is unknown or not that of an image for a piano roll, the file
            cannot be written, or the packages that draw scores are not installed.
    """
    require_format(path)
    suffix = path.suffix.lower()
    if piano_roll and suffix not in PIANO_ROLLS:
        raise OutputError(
            f"{path}: a piano roll is a picture; expected a name that ends in "
            f"{' or '.join(PIANO_ROLLS)}"
        )
    data = (PIANO_ROLLS if piano_roll else WRITERS)[suffix](piece)
    with atomic_write(path, keep=keep) as temporary:
        temporary.write_bytes(data)
