"""A piece → a file, of the kind that its name ends in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from seqgen.errors import OutputError
from seqgen.music.piece import Piece
from seqgen.utils.atomic_files import atomic_write

PICTURES = (".png", ".svg")
FORMATS = (".mid", ".musicxml", ".abc", ".wav", *PICTURES)


def require_format(path: Path) -> None:
    """Raise `OutputError` unless the path ends in one of `FORMATS`."""
    if path.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{path}: expected a name that ends in {', '.join(FORMATS)}, got {path.suffix!r}"
        )


def write(piece: Piece, path: Path, *, piano_roll: bool = False, keep: bool = False) -> None:
    """Write a piece: notes, a score to look at, or sound.

    Args:
        piece: what is written.
        path: its ending decides: `.mid`, `.musicxml`, `.abc`, `.wav`, `.png`, `.svg`.
        piano_roll: a picture is a piano roll, not a score.
        keep: a file that stands there is kept under another name.

    Raises:
        OutputError: the ending is unknown, or not that of a picture for a piano roll, the file
            cannot be written, or a picture of a score is asked for without what draws it.
    """
    require_format(path)
    if piano_roll and path.suffix.lower() not in PICTURES:
        raise OutputError(
            f"{path}: a piano roll is a picture; expected a name that ends in "
            f"{' or '.join(PICTURES)}"
        )
    data = _writer(path.suffix.lower(), piano_roll)(piece)
    with atomic_write(path, keep=keep) as temporary:
        temporary.write_bytes(data)


def _writer(suffix: str, piano_roll: bool) -> Callable[[Piece], bytes]:
    """What makes the bytes of a file; imported only now, for some of it is heavy."""
    if suffix == ".mid":
        from seqgen.music.io.midi_writer import midi_bytes

        return midi_bytes
    if suffix == ".abc":
        from seqgen.music.io.abc_writer import abc_text

        return lambda piece: abc_text(piece).encode()
    if suffix == ".musicxml":
        from seqgen.music.io.musicxml_writer import musicxml

        return musicxml
    if suffix == ".wav":
        from seqgen.music.io.audio import wav

        return wav
    if piano_roll:
        from seqgen.music.io.images import piano_roll as draw
    else:
        from seqgen.music.io.images import score as draw
    return lambda piece: draw(piece, suffix.removeprefix("."))
