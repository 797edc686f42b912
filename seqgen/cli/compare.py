"""`seqgen compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from cloup import command, option, option_group

from seqgen.cells.base import names as cell_names
from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import (
    CORPUS_OPTIONS,
    FILE,
    corpus_options,
    json_option,
    model_options,
    optimisation_options,
    run_length,
)
from seqgen.errors import OutputError
from seqgen.tasks.output import print_json, say_if_renamed
from seqgen.utils.atomic_files import require_writable, unused_path

SUFFIXES = (".png", ".svg")


@command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@option_group(
    "Run and output",
    option("-o", "--output", type=FILE, help="Plot to write: NAME.png or NAME.svg."),
    *run_length,
    option(
        "--cells",
        default=lambda: ",".join(cell_names()),
        metavar="CELL,CELL,...",
        help="Cells to compare. [all]",
    ),
    option(
        "--no-recall",
        "recalls",
        flag_value=False,
        default=True,
        type=bool,
        help="Skip the measurement of how far back every cell remembers.",
    ),
    json_option,
)
@model_options
@optimisation_options
@corpus_options
def compare(
    corpora: tuple[str, ...],
    output: Path | None,
    cells: str,
    recalls: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Train simple_rnn, lstm and gru on one corpus, and compare them.

    Every cell is trained with the same options and seed: --minutes on the corpus, then for the
    same time on recalling a symbol after gaps of 5 to 200 tokens. Ctrl-C, SIGTERM and SIGHUP end
    the comparison early and show the results so far. The losses are plotted to a new file, or to
    the one that -o names; no model is saved.

    \b
    Examples:
      seqgen compare book.txt --minutes 3 -o compare.png
      seqgen compare irish-tunes --cells lstm,gru --units 256
      seqgen compare python-docs --epochs 2 --no-recall --json
    """
    from seqgen.evaluation import compare_cells
    from seqgen.evaluation.delayed_recall import UNIFORM_LOSS
    from seqgen.reporting import plots, summaries
    from seqgen.reporting.progress_bar import ProgressBar
    from seqgen.tasks import base as tasks
    from seqgen.tasks.load import load_corpus
    from seqgen.training.request import RunRequest

    names = cells.split(",")
    compare_cells.require_cells(names)
    read_options = explicit_options({name: options.pop(name) for name in CORPUS_OPTIONS})
    RunRequest(explicit_options(options))  # fail before reading the corpus
    output = output or unused_path(Path("compare.png"))
    if output.suffix not in SUFFIXES:
        raise OutputError(
            f"{output}: expected a name that ends in {' or '.join(SUFFIXES)}; try {output.stem}.png"
        )
    require_writable(output)
    corpus = load_corpus(*corpora, progress=sys.stderr.isatty(), **read_options)
    for note in (*corpus.messages, summaries.corpus(corpus.metadata(), len(corpus.vocabulary))):
        say(note)
    with ProgressBar(tasks.get(corpus.task).token_name) as callback:
        results = compare_cells.compare(
            corpus, names, recalls=recalls, callback=callback, **explicit_options(options)
        )
    say_if_renamed(output, say)
    plots.save_comparison(results, UNIFORM_LOSS, output)
    say(f"plotted: {output}")
    if as_json:
        print_json({"corpus": corpus.name, "picture": str(output), "cells": results})
    else:
        click.echo(summaries.comparison(corpus.task, results, UNIFORM_LOSS))
