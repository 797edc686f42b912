"""`seqgen evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from cloup import command, option, option_group

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import FILE, MOST_OUTPUTS, json_option
from seqgen.errors import ConfigError
from seqgen.tasks.output import print_json


@command()
@click.argument("model", type=FILE)
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
@option("--encoding", help="Encoding of a text CORPUS, such as latin-1. [the model's]")
@json_option
@option_group(
    "Samples",
    option(
        "--samples",
        type=click.IntRange(1, MOST_OUTPUTS),
        metavar="N",
        help="Also generate and measure N texts, pieces or pictures.",
    ),
    option("--length", type=int, help="Characters of each text. [1000]"),
    option("--bars", type=int, help="Full bars of each piece. [16]"),
    option("--temperature", type=float, help="Sampling temperature. [0.8]"),
    option("--seed", type=int, help="Sampling seed. [0]"),
)
def evaluate(
    model: Path,
    corpora: tuple[str, ...],
    encoding: str | None,
    samples: int | None,
    as_json: bool,
    **given: float | None,
) -> None:
    """Measure the loss of a model, and compare it with a baseline.

    The loss is that on CORPUS, or by default on the held-out part of the model's own corpus. The
    baseline is estimated on the training part of that corpus: n-grams of the best order up to 8; of
    images, the best model that counts pixels given those around them.

    \b
    Examples:
      seqgen evaluate book.keras
      seqgen evaluate book.keras another.txt --json
      seqgen evaluate irish.keras --samples 100 --temperature 0.9
    """
    from seqgen import model as library
    from seqgen.evaluation import evaluate as evaluation
    from seqgen.reporting import summaries

    loaded = library.load(model)
    given = explicit_options(given)
    options = loaded.task.sample_options(loaded, {"seed": 0, **given})
    if not samples:
        require_samples(given)
    result = evaluation.evaluate(
        loaded, corpora, folder=model.parent, encoding=encoding, progress=sys.stderr.isatty()
    )
    if samples:
        result.add_samples(loaded, samples, options)
    for note in result.notes:
        say(note)
    if as_json:
        print_json(result.scores)
    else:
        click.echo(summaries.evaluation(loaded.data.task, result.scores))


def require_samples(given: Iterable[str]) -> None:
    """Raise `ConfigError` for an option that has no effect without `--samples`."""
    for name in given:
        raise ConfigError(
            f"--{name} applies to --samples, which is not given; add --samples N, or leave "
            f"--{name} out"
        )
