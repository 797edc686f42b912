"""The command line: options → one library call → output.

Commands import what they need when they run, so that help is fast.
"""

from __future__ import annotations

import click

from seqgen._version import __version__
from seqgen.cli.compare import compare
from seqgen.cli.corpora import corpora
from seqgen.cli.evaluate import evaluate
from seqgen.cli.generate import generate
from seqgen.cli.info import info
from seqgen.cli.inspect import inspect
from seqgen.cli.render import render
from seqgen.cli.train import train


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help, with examples: seqgen train --help",
)
@click.version_option(__version__, prog_name="seqgen")
def cli() -> None:
    """Train a model on your own text or music, and generate more of it.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen generate book.keras --prompt "The "
    """


for command in (train, generate, evaluate, compare, render, inspect, info, corpora):
    cli.add_command(command)
