"""Checks of options, with messages that say what was expected and what was found."""

from __future__ import annotations

from typing import Any, TypeGuard

from seqgen.errors import ConfigError


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number other than NaN.

    >>> is_number(0.5), is_number(True), is_number(float("nan"))
    (True, False, False)
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def require(ok: bool, name: str, expected: str, value: object) -> None:
    """Raise `ConfigError` unless `ok`.

    >>> require(False, "units", "a number above 0", -1)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: units: expected a number above 0, got -1
    """
    if not ok:
        raise ConfigError(f"{name}: expected {expected}, got {value!r}")


def require_whole(name: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise `ConfigError` unless a value is a whole number of at least `least` and at most `most`.

    >>> require_whole("layers", 1000, 1, most=100)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: layers: expected a whole number from 1 to 100, got 1000
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    require(is_whole and least <= value, name, f"a whole number of at least {least}", value)
    if most is not None:
        require(value <= most, name, f"a whole number from {least:,} to {most:,}", value)


def require_fraction(name: str, value: object) -> None:
    """Raise `ConfigError` unless 0 <= value < 1."""
    ok = is_number(value) and 0 <= value < 1
    require(ok, name, "a number of at least 0 and below 1", value)


def require_positive(name: str, value: object, most: float, *, zero: bool = False) -> None:
    """Raise `ConfigError` unless a value is a number above 0, or 0 if `zero`, and at most `most`.

    >>> require_positive("minutes", 1e9, 525_600)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: minutes: expected a number of at most 525,600, got 1000000000.0
    """
    ok = is_number(value) and (value > 0 or (zero and value == 0))
    require(ok, name, "a number of at least 0" if zero else "a number above 0", value)
    ok = is_number(value) and value <= most
    require(ok, name, f"a number of at most {most:,}", value)
