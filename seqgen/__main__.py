"""`python -m seqgen`, and what the `seqgen` command runs."""

import io
import sys

import click

from seqgen.cli import cli
from seqgen.errors import SeqgenError


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and exit status 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A corpus has letters that a locale lacks, a file name bytes that are no letters.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    try:
        cli(prog_name="seqgen")
    except SeqgenError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
