"""The result of reading a music file, and its form in the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seqgen.music.piece import MOST_BARS, MOST_TICKS, Note, Part, Piece
from seqgen.music.signatures import MODES, Key, Meter
from seqgen.utils import schema

MOST_PARTS = 100_000


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
        "pieces": [piece_to_json(piece) for piece in result.pieces],
        "counts": dict(result.counts),
        "reason": result.reason,
        "skipped": result.skipped,
    }


def piece_to_json(piece: Piece) -> dict[str, Any]:
    """Return a piece as plain data; `PIECE` describes it."""
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


def _numbers(value: Any) -> None:
    """The notes of a part as they are stored: start, duration, pitch and velocity, note by note."""
    schema.require(
        isinstance(value, list) and len(value) % 4 == 0, "four numbers for each note", value
    )
    schema.require(set(map(type, value)) <= {int}, "whole numbers", value)
    for numbers in (value[2::4], value[3::4]):
        ok = min(numbers, default=0) >= 0 and max(numbers, default=0) <= 127
        schema.require(ok, "pitches and velocities from 0 to 127", value)


def _tuple(*checks: schema.Check) -> schema.Check:
    """A list of fixed length, with a check for every position."""

    def check_all(value: Any) -> None:
        schema.require(isinstance(value, (list, tuple)), "a list", value)
        schema.require(len(value) == len(checks), f"a list of {len(checks)}", value)
        for check, member in zip(checks, value, strict=True):
            check(member)

    return check_all


TICK = schema.integer(0, MOST_TICKS)
PIECE = schema.record(
    {
        "parts": schema.sequence(_tuple(schema.integer(0, 127), schema.flag, _numbers), MOST_PARTS),
        "bars": schema.sequence(TICK, MOST_BARS, least=1),
        "length": TICK,
        "meters": schema.sequence(
            _tuple(TICK, _tuple(schema.integer(1, 99), schema.integer(1, 99))), MOST_BARS
        ),
        "keys": schema.sequence(
            _tuple(TICK, _tuple(schema.integer(-7, 7), schema.choice(MODES))), MOST_BARS
        ),
        "tempi": schema.sequence(_tuple(TICK, schema.number(0, 1e9)), MOST_TICKS),
        "title": schema.text(1_000_000),
    }
)
RESULT = schema.record(
    {
        "pieces": schema.sequence(PIECE, most=1_000_000),
        "counts": schema.mapping(schema.any_number, most=1000),
        "reason": schema.text(10_000),
        "skipped": schema.sequence(schema.text(10_000), most=1_000_000),
    }
)


def from_json(data: Mapping[str, Any]) -> ReadResult:
    """Return the result from the data of `to_json`.

    Raises:
        ValueError: the data are not those of a result.
        MusicError: a piece contradicts itself.
    """
    RESULT(data)
    pieces = tuple(piece_from_json(piece) for piece in data["pieces"])
    return ReadResult(pieces, data["counts"], data["reason"], tuple(data["skipped"]))


def piece_from_json(data: Mapping[str, Any]) -> Piece:
    """Return the piece of data that `PIECE` has checked.

    Raises:
        MusicError: it contradicts itself.
    """

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
