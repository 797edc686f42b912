"""`seqgen classify`."""

from __future__ import annotations

from pathlib import Path

import click
from cloup import command, option, option_group

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import FILE, json_option, text_column
from seqgen.tasks.output import print_json, print_result, say_if_renamed


@command()
@click.argument("model", type=FILE)
@click.argument("given", nargs=-1, required=True, metavar="TEXT|FILE...")
@option_group(
    "Input and output",
    text_column,
    option("--encoding", help="Encoding of a file of texts, such as latin-1. [utf-8]"),
    option("--explain", is_flag=True, help="Show how the probability moved along a sequence."),
    option("-o", "--output", type=FILE, metavar="PICTURE",
           help="With --explain: picture of the first series to write, NAME.png or NAME.svg."),
    json_option,
)  # fmt: skip
def classify(
    model: Path,
    given: tuple[str, ...],
    explain: bool,
    output: Path | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Label texts or series of numbers with a trained model.

    Give a text, or a file: a table with a column of texts (.csv, .tsv, .jsonl), lines of text
    (.txt, or - for standard input), or series (.ts, .tsv, .npz). Labels go to stdout in the order
    of the sequences, each with its probability.

    \b
    Examples:
      seqgen classify sentiment.keras "A film that I would see again."
      seqgen classify sentiment.keras new.csv --json
      seqgen classify sentiment.keras "Not bad at all." --explain
      seqgen classify gestures.keras new.ts --explain -o gesture.png
    """
    from seqgen import model as library
    from seqgen.reporting import classification
    from seqgen.tasks.requests import ClassificationRequest

    if output:
        classification.require_picture(output, explain=explain)
    loaded = library.load(model)
    request = ClassificationRequest(given, explicit_options(options), explain, say)
    for number, found in enumerate(loaded.task.classify(loaded, request)):
        if as_json:
            print_json(classification.as_json(found))
        else:
            print_result(classification.line(found))
        if output and not number:
            say_if_renamed(output, say)
            classification.save_course(found, output)
            say(f"plotted: {output}")
