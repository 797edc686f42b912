"""`seqgen info`."""

from __future__ import annotations

from pathlib import Path

import click

from seqgen.cli.options import FILE, json_option
from seqgen.tasks.output import print_json


@click.command()
@click.argument("model", type=FILE, required=False)
@json_option
def info(model: Path | None, as_json: bool) -> None:
    """Describe a model file: task, network, corpus, training and score.

    Without a MODEL, describe this installation: versions, processor, and which C code runs.

    \b
    Examples:
      seqgen info book.keras
      seqgen info book.keras --json
      seqgen info
    """
    from seqgen import model as library
    from seqgen.reporting import environment, summaries

    if model is None:
        data = environment.describe()
        text = environment.text(data)
    else:
        model_data = library.load(model).data
        data, text = summaries.model_metadata(model_data), summaries.model(model_data)
    if as_json:
        print_json(data)
    else:
        click.echo(text)
