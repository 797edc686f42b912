"""Checks of plain data that a stranger's file holds: types, bounds, and where the fault is.

A check is a function of one value, which raises `SchemaError` if the value is not as expected.
Checks of lists and objects are made of checks of their members:

>>> person = record({"name": text(20), "born": optional(integer(0, 3000))})
>>> person({"name": "Ada", "born": 1815})
>>> person({"name": "Ada", "born": "1815"})
Traceback (most recent call last):
seqgen.utils.schema.SchemaError: born: expected a whole number from 0 to 3,000, got '1815'
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

Check = Callable[[Any], None]

EMPTY: Mapping[str, Check] = {}
SHOWN = 60  # characters of a value in a message
LARGEST = 1 << 62  # of whole numbers without another bound
LONGEST_NAME = 200  # characters of the name of a member


class SchemaError(ValueError):
    """A value that is not as expected, and where it is."""

    def __init__(self, fault: str, path: str = "") -> None:
        super().__init__(f"{path}: {fault}" if path else fault)
        self.fault = fault
        self.path = path

    def inside(self, place: str) -> SchemaError:
        """The same error, seen from the list or object that holds the value at `place`."""
        place = shown(place) if len(place) > SHOWN else place
        dot = "" if not self.path or self.path.startswith("[") else "."
        return SchemaError(self.fault, f"{place}{dot}{self.path}")


def shown(value: Any) -> str:
    """A value in a message: short, whatever it holds.

    >>> shown("x" * 100), shown([[1, 2], 3])
    ("'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...", 'a list of 2')
    """
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value):,}"
    if isinstance(value, Mapping):
        return f"an object with {len(value):,} members"
    written = repr(value[:SHOWN] if isinstance(value, str) else value)
    is_short = len(written) <= SHOWN and not (isinstance(value, str) and len(value) > SHOWN)
    return written if is_short else f"{written[: SHOWN - 3]}..."


def require(ok: bool, expected: str, value: Any, path: str = "") -> None:
    """Raise `SchemaError` unless `ok`."""
    if not ok:
        raise SchemaError(f"expected {expected}, got {shown(value)}", path)


def check_at(place: str, check: Check, value: Any) -> None:
    """Check a value, and say in the error at which place it is.

    >>> check_at("size", flag, 3)
    Traceback (most recent call last):
    seqgen.utils.schema.SchemaError: size: expected true or false, got 3
    """
    try:
        check(value)
    except SchemaError as error:
        raise error.inside(place) from None


def integer(least: int = 0, most: int = LARGEST) -> Check:
    """A whole number from `least` to `most`."""

    def check(value: Any) -> None:
        ok = type(value) is int and least <= value <= most
        require(ok, f"a whole number from {least:,} to {most:,}", value)

    return check


def number(least: float, most: float) -> Check:
    """A number from `least` to `most`; never NaN."""

    def check(value: Any) -> None:
        ok = type(value) in (int, float) and least <= value <= most
        require(ok, f"a number from {least:g} to {most:g}", value)

    return check


def anything(value: Any) -> None:
    """Any value, such as one that is checked elsewhere."""


def any_object(value: Any) -> None:
    """An object, whatever its members are."""
    require(isinstance(value, dict), "an object", value)


def any_number(value: Any) -> None:
    """A number, which may be NaN or infinite, such as a loss that diverged."""
    ok = type(value) is float or (type(value) is int and abs(value) <= LARGEST)
    require(ok, "a number", value)


def flag(value: Any) -> None:
    """True or False."""
    require(type(value) is bool, "true or false", value)


def text(most: int, least: int = 0) -> Check:
    """A text of `least` to `most` characters that can be written to a file or a terminal."""

    def check(value: Any) -> None:
        ok = isinstance(value, str) and least <= len(value) <= most
        require(ok, f"a text of {least:,} to {most:,} characters", value)
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            require(False, "a text without halves of characters", value)

    return check


def choice(values: Collection[str]) -> Check:
    """One of some texts."""

    def check(value: Any) -> None:
        require(isinstance(value, str) and value in values, f"one of {', '.join(values)}", value)

    return check


def optional(check: Check) -> Check:
    """None, or what another check accepts."""
    return lambda value: None if value is None else check(value)


def sequence(check: Check, most: int, least: int = 0) -> Check:
    """A list of `least` to `most` values."""

    def check_all(value: Any) -> None:
        require(isinstance(value, (list, tuple)), "a list", value)
        require(least <= len(value) <= most, f"a list of {least:,} to {most:,}", value)
        for i, member in enumerate(value):
            try:  # without `check_at`, which would format the place of every member
                check(member)
            except SchemaError as error:
                raise error.inside(f"[{i}]") from None

    return check_all


def mapping(check: Check, most: int, name: Check | None = None) -> Check:
    """An object of up to `most` members, whose names are checked too."""
    check_name = name or text(LONGEST_NAME)

    def check_all(value: Any) -> None:
        require(isinstance(value, dict), "an object", value)
        require(len(value) <= most, f"at most {most:,} members", value)
        for key, member in value.items():
            check_at(key, check_name, key)
            check_at(key, check, member)

    return check_all


def record(
    required: Mapping[str, Check], more: Mapping[str, Check] = EMPTY, others: Check | None = None
) -> Check:
    """An object with certain members.

    Args:
        required: the members that must exist.
        more: members that may exist.
        others: a check of all other members; without one there may be none.

    >>> record({"a": flag})({"a": True, "b": 1})
    Traceback (most recent call last):
    seqgen.utils.schema.SchemaError: 'b' is not expected here
    """

    def check_all(value: Any) -> None:
        require(isinstance(value, dict), "an object", value)
        for name in required:
            if name not in value:
                raise SchemaError(f"{name!r} is missing")
        for key, member in value.items():
            check = required.get(key) or more.get(key) or others
            if check is None:
                raise SchemaError(f"{shown(key)} is not expected here")
            check_at(key, check, member)

    return check_all
