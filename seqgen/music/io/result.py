"""The result of reading a music file, and its form in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import Key, Meter


@dataclass(frozen=True)
class ReadResult:
    """The pieces of a file, or the reason why there are none."""

    pieces: tuple[Piece, ...] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""  # why no piece of the file can be used
    skipped: tuple[str, ...] = ()  # one reason for every piece that cannot be used

    @property
    def notes(self) -> int:
        """The number of notes in all pieces."""
        return sum(piece.note_count for piece in self.pieces)


def to_json(result: ReadResult) -> dict[str, Any]:
    """Return plain data for `json.dump`, with four numbers for every note."""
    return {
        "pieces": [_piece_to_json(piece) for piece in result.pieces],
        "counts": dict(result.counts),
        "reason": result.reason,
        "skipped": result.skipped,
    }


def _piece_to_json(piece: Piece) -> dict[str, Any]:
    return {
        "parts": [
            [part.program, part.is_drums, [number for note in part.notes for number in note]]
            for part in piece.parts
        ],
        "bars": piece.bars,
        "length": piece.length,
        "meters": piece.meters,
        "keys": piece.keys,
        "tempi": piece.tempi,
        "title": piece.title,
    }


def from_json(data: Mapping[str, Any]) -> ReadResult:
    """Return the result from the data of `to_json`."""
    pieces = tuple(_piece_from_json(piece) for piece in data["pieces"])
    return ReadResult(pieces, data["counts"], data["reason"], tuple(data["skipped"]))


def _piece_from_json(data: Mapping[str, Any]) -> Piece:
    def part(program: int, is_drums: bool, numbers: list[int]) -> Part:
        notes = iter(numbers)
        return Part(
            tuple(map(Note._make, zip(notes, notes, notes, notes, strict=True))), program, is_drums
        )

    return Piece(
        tuple(part(*fields) for fields in data["parts"]),
        tuple(data["bars"]),
        data["length"],
        tuple((tick, Meter(*meter)) for tick, meter in data["meters"]),
        tuple((tick, Key(*key)) for tick, key in data["keys"]),
        tuple((tick, tempo) for tick, tempo in data["tempi"]),
        data["title"],
    )
