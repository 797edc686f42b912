"""Parts of a piece in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from seqgen.music.piece import Piece

Value = TypeVar("Value")


def after(piece: Piece, start: int) -> Piece:
    """Return the music from tick `start` on, in the meter, key and tempo that apply there.

    Notes that begin before it are left out.

    >>> from seqgen.music.pitch_names import piece_of
    >>> [(note.start, note.pitch) for note in after(piece_of("C4/4 D4/4 E4/4"), 24).notes]
    [(0, 62), (24, 64)]
    """

    def later(changes: Iterable[tuple[int, Value]]) -> tuple[tuple[int, Value], ...]:
        moved = {max(tick - start, 0): value for tick, value in sorted(changes)}
        return tuple(moved.items())

    parts = tuple(
        replace(
            part,
            notes=tuple(n._replace(start=n.start - start) for n in part.notes if n.start >= start),
        )
        for part in piece.parts
    )
    return replace(
        piece,
        parts=parts,
        bars=(0, *(bar - start for bar in piece.bars if bar > start)),
        length=piece.length - start,
        meters=later(piece.meters),
        keys=later(piece.keys),
        tempi=later(piece.tempi),
    )


def before(piece: Piece, end: int) -> Piece:
    """Return the music up to tick `end`; notes that sound longer are cut.

    >>> from seqgen.music.pitch_names import piece_of
    >>> before(piece_of("C4/2 D4/1 E4/2"), 96).notes[-1].end
    96
    """

    def earlier(changes: Iterable[tuple[int, Value]]) -> tuple[tuple[int, Value], ...]:
        return tuple(change for change in changes if change[0] < end)

    parts = tuple(
        replace(
            part,
            notes=tuple(
                n._replace(duration=min(n.end, end) - n.start) for n in part.notes if n.start < end
            ),
        )
        for part in piece.parts
    )
    return replace(
        piece,
        parts=parts,
        bars=tuple(bar for bar in piece.bars if bar < end),
        length=end,
        meters=earlier(piece.meters),
        keys=earlier(piece.keys),
        tempi=earlier(piece.tempi),
    )


def without_final_rest(piece: Piece) -> Piece:
    """Return the music up to the end of the last note; a piece without notes is unchanged.

    >>> from seqgen.music.pitch_names import piece_of
    >>> without_final_rest(piece_of("C4/4 D4/4 r/2")).length
    48
    """
    end = max((note.end for note in piece.notes), default=piece.length)
    return before(piece, end)
