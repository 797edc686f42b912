"""The entry point of `python -m seqgen` and of the `seqgen` command."""

import errno
import io
import os
import sys

import click

from seqgen.cli import cli
from seqgen.errors import SeqgenError


def main() -> None:
    """Run the command line; a `SeqgenError` becomes one line on stderr and exit status 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Text may have characters that the locale lacks, file names bytes that are not UTF-8.
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
        _discard_stdout()
        click.echo(
            f"Error: standard output cannot be written: {error.strerror}; "
            "make room, or redirect it to another disk",
            err=True,
        )
        sys.exit(1)


def _discard_stdout() -> None:
    """Prevent a second error when Python flushes stdout at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
