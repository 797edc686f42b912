"""Seeded changes of bytes and of plain data."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

NUMBERS = (
    0, 1, -1, 2, 7, 127, 128, 255, 256, 65535, 2**31 - 1, 2**31, 2**32, 2**63, 2**64, 10**19,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, "", "x", "\ud800", "\0", "a" * 5000, "../../x", "/dev/zero", 0.5, -0.5,
    1e308, float("nan"), float("inf"), [], {}, [[]], [None], [0] * 300, {"": 0},
    {"class_name": "L2"}, *NUMBERS,
)  # fmt: skip


def mutated(data: bytes, draw: random.Random) -> bytes:
    """The bytes with one to four random changes."""
    result = bytearray(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        draw.choice(CHANGES)(result, draw)
    return bytes(result)


def _flip(data: bytearray, draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)


def _overwrite(data: bytearray, draw: random.Random) -> None:
    if data:
        data[draw.randrange(len(data))] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))


def _number(data: bytearray, draw: random.Random) -> None:
    size = draw.choice((1, 2, 4, 8))
    at = draw.randrange(len(data) + 1)
    number = draw.choice(NUMBERS) % (1 << 8 * size)
    data[at : at + size] = number.to_bytes(size, draw.choice(("little", "big")))  # type: ignore[arg-type]


def _truncate(data: bytearray, draw: random.Random) -> None:
    del data[draw.randrange(len(data) + 1) :]


def _delete(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    del data[at : at + draw.choice((1, 2, 8, 100))]


def _repeat(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    part = data[at : at + draw.choice((1, 4, 30, 300))]
    data[at:at] = part * draw.choice((1, 2, 50))


def _insert(data: bytearray, draw: random.Random) -> None:
    at = draw.randrange(len(data) + 1)
    data[at:at] = draw.randbytes(draw.choice((1, 2, 8, 40)))


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _flip, _overwrite, _number, _truncate, _delete, _repeat, _insert
)  # fmt: skip


def mutated_data(data: Any, draw: random.Random, times: int | None = None) -> Any:
    """A copy of plain data of which one to three members, at any depth, are changed or gone."""
    result = copy.deepcopy(data)
    for _ in range(times or draw.choice((1, 1, 1, 2, 3))):
        holder = result
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            key = draw.choice(keys)
            value = holder[key]
            if isinstance(value, (dict, list)) and value and draw.random() < 0.8:
                holder = value
                continue
            _change(holder, key, draw)
            break
    return result


def _change(holder: Any, key: Any, draw: random.Random) -> None:
    what = draw.randrange(8)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, dict):
        holder[draw.choice(("x", "module", str(key) * 2))] = holder.pop(key)
    elif what == 2 and isinstance(holder, list):
        holder.insert(0, copy.deepcopy(draw.choice(holder)))
    elif what == 3 and type(holder[key]) is int:
        holder[key] = holder[key] + draw.choice((-1, 1, 16, -16, holder[key]))
    elif what == 4 and isinstance(holder[key], (int, float)):
        holder[key] = str(holder[key])
    elif what == 5 and isinstance(holder[key], str):
        holder[key] = draw.choice(("", holder[key] * 2, holder[key][:-1], holder[key].upper()))
    else:
        holder[key] = copy.deepcopy(draw.choice(VALUES))
