"""Messages to the user, and filtering of options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from seqgen.errors import one_line

if TYPE_CHECKING:
    from seqgen.types import Json


def say(message: str) -> None:
    """Print a message on stderr; stdout is for results."""
    click.echo(one_line(message), err=True)


def explicit_options(options: Json) -> Json:
    """The options that the user set, so that the library's defaults apply to the others."""
    return {name: value for name, value in options.items() if value not in (None, {})}
