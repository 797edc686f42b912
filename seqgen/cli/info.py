"""`seqgen info`."""

from __future__ import annotations

from pathlib import Path

import click

from seqgen.cli.options import FILE, json_option
from seqgen.tasks.output import print_json


@click.command()
@click.argument("model", type=FILE)
@json_option
def info(model: Path, as_json: bool) -> None:
    """Describe a model file: its task, network, corpus, training run and score.

    \b
    Examples:
      seqgen info book.keras
      seqgen info book.keras --json
    """
    from seqgen import model_file
    from seqgen.reporting import summaries

    model_data = model_file.load(model)
    if as_json:
        print_json(summaries.model_facts(model_data))
    else:
        click.echo(summaries.model(model_data))
