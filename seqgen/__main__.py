"""The entry point of `python -m seqgen` and of the `seqgen` command."""

import errno
import io
import os
import sys
from typing import NoReturn

import click

from seqgen.cli import cli
from seqgen.errors import SeqgenError, one_line
from seqgen.utils.sigint import requests_interrupt
from seqgen.utils.terminal import ForgivingStream


def main() -> None:
    """Run the command line; a `SeqgenError` becomes one line on stderr and exit status 1."""
    _prepare_streams()
    os.environ["SEQGEN_QUIET_TENSORFLOW"] = "1"  # `seqgen.network.backend` reads it
    try:
        with requests_interrupt():
            cli(prog_name="seqgen")
    except SeqgenError as error:
        _fail(str(error))
    except MemoryError:
        _fail("the memory of this machine is not enough; choose smaller options or less data")
    except OSError as error:
        _discard_stdout()
        _fail(_reason(error))


def _prepare_streams() -> None:
    """Make stdout and stderr able to hold all text, and stderr never raise."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Text may have characters that the locale lacks, file names bytes that are not UTF-8.
        sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
    for descriptor in range(3):  # or the next file that is opened is taken for a standard stream
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stderr is None or type(sys.stderr) is io.TextIOWrapper:  # tests have others
        encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
        file = io.BufferedWriter(io.FileIO(2, "w", closefd=False))
        sys.stderr = ForgivingStream(file, encoding)


def _reason(error: OSError) -> str:
    if error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
        return f"{name}: {error.strerror}; check the path and its permissions"
    if error.errno == errno.ENOENT:  # `os.getcwd`
        return "the current folder was deleted; change to another one"
    return (
        f"standard output cannot be written: {error.strerror}; "
        "make room, or redirect it to another disk"
    )


def _fail(message: str) -> NoReturn:
    click.echo(f"Error: {one_line(message)}", err=True)
    sys.exit(1)


def _discard_stdout() -> None:
    """Prevent a second error when Python flushes stdout at exit."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):  # `None` if it is closed
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


if __name__ == "__main__":
    main()
