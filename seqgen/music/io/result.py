"""What came of reading a file of music, as plain data that can be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqgen.music.piece import Note, Part, Piece
from seqgen.music.signatures import Key, Meter


@dataclass(frozen=True)
class ReadResult:
    """What came of a file: pieces, or the reason why there are none."""

    pieces: tuple[Piece, ...] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""  # why nothing of it can be used
    skipped: tuple[str, ...] = ()  # why some of its pieces cannot be used, one for each

    @property
    def notes(self) -> int:
        """Of all pieces."""
        return sum(piece.note_count for piece in self.pieces)


def to_json(reading: ReadResult) -> dict[str, Any]:
    """Plain data for `json.dump`; a note is four numbers in a row."""
    return {
        "pieces": [_piece_to_json(piece) for piece in reading.pieces],
        "counts": dict(reading.counts),
        "reason": reading.reason,
        "skipped": reading.skipped,
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
    """The reading that `to_json` came from."""
    pieces = tuple(_piece_from_json(piece) for piece in data["pieces"])
    return ReadResult(pieces, data["counts"], data["reason"], tuple(data["skipped"]))


def _piece_from_json(data: Mapping[str, Any]) -> Piece:
    def part(program: int, is_drums: bool, numbers: list[int]) -> Part:
        notes = iter(numbers)
        return Part(
            tuple(map(Note._make, zip(notes, notes, notes, notes, strict=True))), program, is_drums
        )

    return Piece(
        tuple(part(*each) for each in data["parts"]),
        tuple(data["bars"]),
        data["length"],
        tuple((tick, Meter(*meter)) for tick, meter in data["meters"]),
        tuple((tick, Key(*key)) for tick, key in data["keys"]),
        tuple((tick, tempo) for tick, tempo in data["tempi"]),
        data["title"],
    )
