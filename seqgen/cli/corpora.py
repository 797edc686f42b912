"""`seqgen corpora`."""

from __future__ import annotations

import click

from seqgen.cli.options import json_option
from seqgen.tasks.output import print_json


@click.command()
@json_option
def corpora(as_json: bool) -> None:
    """List the corpora that can be used by name.

    A corpus that is not on this machine is downloaded, and verified, on first use.

    \b
    Examples:
      seqgen corpora
      seqgen train python-docs -o docs.keras --minutes 1
    """
    from seqgen.corpus.catalogue import read_catalogue
    from seqgen.reporting import listings

    entries = read_catalogue().values()
    if as_json:
        print_json([listings.entry(entry) for entry in entries])
    else:
        for entry in entries:
            click.echo(listings.entry_line(entry))
