"""`seqgen evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from cloup import command, option, option_group

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import FILE, MOST_OUTPUTS, json_option, label_column, text_column
from seqgen.errors import ConfigError
from seqgen.tasks.output import print_json, say_if_renamed

if TYPE_CHECKING:
    from seqgen.model import Model


@command()
@click.argument("model", type=FILE)
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
@option("--encoding", help="Encoding of a text CORPUS, such as latin-1. [the model's]")
@option(
    "--adapt",
    is_flag=True,
    help="Also score a copy of the model that learns from CORPUS while it reads it.",
)
@option_group(
    "Labels",
    text_column,
    label_column,
    option("--plot", type=FILE, metavar="PICTURE",
           help="Confusion matrix to draw: NAME.png or NAME.svg."),
)  # fmt: skip
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
    adapt: bool,
    text_column: str | None,
    label_column: str | None,
    plot: Path | None,
    samples: int | None,
    as_json: bool,
    **given: float | None,
) -> None:
    """Measure the scores of a model, and compare them with baselines.

    They are those on CORPUS, or by default on the held-out part of the model's own corpus, or on
    the test part that came with it. Models of text and music have a loss, and n-grams for
    comparison: estimated on the training part, of the best order up to 8; for models of images it
    is the best model that counts pixels given those around them. Models of labels have an accuracy,
    macro F1, a log loss and a confusion matrix, and for comparison the majority label, and logistic
    regression on n-grams or nearest neighbours by dynamic time warping.

    With --adapt, the adaptive score is that of a copy of the model that learns from the text while
    it reads it: every token is scored before it is learned.

    \b
    Examples:
      seqgen evaluate book.keras
      seqgen evaluate book.keras another.txt --json
      seqgen evaluate book.keras another.txt --adapt
      seqgen evaluate irish.keras --samples 100 --temperature 0.9
      seqgen evaluate sentiment.keras test.csv --plot confusion.png
    """
    from seqgen import model as library
    from seqgen.evaluation import evaluate as evaluation
    from seqgen.reporting import plots, summaries

    loaded = library.load(model)
    if plot:
        require_labels(loaded, plot)
    given = explicit_options(given)
    options = loaded.task.sample_options(loaded, {"seed": 0, **given})
    if not samples:
        require_samples(given)
    result = evaluation.evaluate(
        loaded, corpora, folder=model.parent, encoding=encoding, adapt=adapt,
        progress=sys.stderr.isatty(), text_column=text_column, label_column=label_column,
    )  # fmt: skip
    if samples:
        result.add_samples(loaded, samples, options)
    for note in result.notes:
        say(note)
    if as_json:
        print_json(result.scores)
    else:
        click.echo(summaries.evaluation(loaded.data.task, result.scores))
    if plot:
        say_if_renamed(plot, say)
        plots.save_confusion(result.scores["confusion"], result.scores["labels"], plot)
        say(f"plotted: {plot}")


def require_labels(model: Model, plot: Path) -> None:
    """Raise `ConfigError` unless a model predicts labels, whose confusion can be drawn."""
    from seqgen.reporting.plots import require_picture

    if not model.data.model_config.predicts_class:
        raise ConfigError(
            f"--plot applies to models of labels, this is a model of {model.data.task}; leave it "
            "out"
        )
    require_picture(plot)


def require_samples(given: Iterable[str]) -> None:
    """Raise `ConfigError` for an option that has no effect without `--samples`."""
    for name in given:
        raise ConfigError(
            f"--{name} applies to --samples, which is not given; add --samples N, or leave "
            f"--{name} out"
        )
