"""What the command line says, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seqgen.utils.atomic_files import unused_path


def say(message: str) -> None:
    """Talk goes to stderr; stdout is for results."""
    click.echo(message, err=True)


def print_json(data: Any) -> None:
    """A result for a program to read, on one line of stdout."""
    click.echo(json.dumps(data, ensure_ascii=False))


def say_if_kept(path: Path) -> None:
    """Tell the user that an existing file is renamed, not replaced."""
    if path.exists():
        say(f"{path} is there already; it will be kept as {unused_path(path)}")


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that the user set; the library knows the defaults of the others."""
    return {name: value for name, value in options.items() if value not in (None, {})}
