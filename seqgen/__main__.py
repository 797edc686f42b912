"""`python -m seqgen`, and what the `seqgen` command runs."""

import errno
import io
import os
import sys

import click

from seqgen.cli import cli
from seqgen.errors import SeqgenError


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and exit status 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A corpus has letters that a locale lacks, a file name bytes that are no letters.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    os.environ["SEQGEN_QUIET_TENSORFLOW"] = "1"  # `seqgen.network.backend` reads it
    try:
        cli(prog_name="seqgen")
    except SeqgenError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _give_up_stdout()
        click.echo(
            f"Error: standard output cannot be written: {error.strerror}; "
            "make room, or send it elsewhere",
            err=True,
        )
        sys.exit(1)


def _give_up_stdout() -> None:
    """Let Python not try at its end to write what could not be written."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
