"""The command line: options → one library call → what the user sees.

Nothing heavy is imported at the top, so that help is instant.
"""

from __future__ import annotations

import click

from seqgen._version import __version__
from seqgen.cli.compare import compare
from seqgen.cli.evaluate import evaluate
from seqgen.cli.generate import generate
from seqgen.cli.info import corpora, info, inspect
from seqgen.cli.render import render
from seqgen.cli.train import train


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help, with examples: seqgen train --help",
)
@click.version_option(__version__, prog_name="seqgen")
def cli() -> None:
    """Learn from your own text, and write more of it.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen generate book.keras --prompt "The "
    """


for command in (train, generate, evaluate, compare, render, inspect, info, corpora):
    cli.add_command(command)
