"""`seqgen card`."""

from __future__ import annotations

from pathlib import Path

import click
from cloup import command, option

from seqgen.cli.echo import say
from seqgen.cli.options import FILE
from seqgen.tasks.output import print_result, say_if_renamed
from seqgen.utils.atomic_files import atomic_write, require_writable


@command()
@click.argument("model", type=FILE)
@option("-o", "--output", type=FILE, help="File to write instead of stdout, such as README.md.")
@option(
    "--license",
    "licence",
    metavar="ID",
    help="Licence of the model, as the Hugging Face Hub names it, such as mit. [unknown]",
)
@option("--samples", type=click.IntRange(0, 20), default=2, show_default=True,
        help="Number of samples to generate.")  # fmt: skip
def card(model: Path, output: Path | None, licence: str | None, samples: int) -> None:
    """Write a model card for the Hugging Face Hub: corpus, options, scores, samples.

    The scores are those of seqgen evaluate, beside the baseline, if the training corpus is here;
    otherwise the score at the end of training.

    \b
    Examples:
      seqgen card book.keras -o README.md --license mit
      seqgen card book.keras --samples 3
    """
    from seqgen import model as library
    from seqgen.sharing.card import UNKNOWN_LICENCE, Card, evaluated

    if output:
        require_writable(output)
    loaded = library.load(model)
    scores, notes = evaluated(loaded, model.parent)
    for note in notes:
        say(note)
    if licence is None:
        say("the card says that the licence is unknown; name one with --license")
    previews = [loaded.task.preview(loaded, seed) for seed in range(samples)]
    text = Card(model.name, licence or UNKNOWN_LICENCE, scores, previews).text(loaded)
    if output is None:
        print_result(text)
        return
    say_if_renamed(output, say)
    with atomic_write(output, keep=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
    click.echo(output)
