"""`seqgen train`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from cloup import command, option, option_group

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import (
    CORPUS_OPTIONS,
    FILE,
    cell,
    corpus_options,
    json_option,
    model_options,
    optimisation_options,
    run_length,
)
from seqgen.errors import OutputError
from seqgen.tasks.output import print_json

if TYPE_CHECKING:
    from seqgen.training.callbacks import Callback
    from seqgen.types import Json


@command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@option_group(
    "Run and output",
    option("-o", "--output", type=FILE, help="Model file to write: NAME.keras."),
    *run_length,
    cell,
    option("--resume", is_flag=True, help="Continue an interrupted run."),
    option("--from", "base", type=FILE, metavar="MODEL", help="Train this model further."),
    option("--tensorboard", type=FILE, metavar="FOLDER", help="Also log to TensorBoard."),
    option(
        "--no-index",
        "index",
        flag_value=False,
        default=True,
        type=bool,
        help="Do not store the index of the corpus that detects copies.",
    ),
    option(
        "--no-mix",
        "mix",
        flag_value=False,
        default=True,
        type=bool,
        help="Do not mix predictions with n-grams of the corpus.",
    ),
    json_option,
)
@model_options
@optimisation_options
@corpus_options
def train(
    corpora: tuple[str, ...],
    output: Path | None,
    base: Path | None,
    resume: bool,
    index: bool,
    mix: bool,
    tensorboard: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on text, music, images, or sequences with labels.

    A CORPUS is a file, a folder, a glob, - for standard input, or a name that `seqgen corpora`
    lists. Ctrl-C, SIGTERM and SIGHUP end the run early and save the model; --resume continues the
    run, also one that was killed: a checkpoint is written after 10 s, then every minute. Without
    -o the model is named after the corpus. An existing file with the name of the output is renamed.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen train poems/ -o poems.keras --minutes 10 --units 512 --dropout 0.3
      seqgen train names.txt --lines -o names.keras --minutes 1
      seqgen train python-docs --cell gru --epochs 3 --json
      seqgen train irish-tunes -o irish.keras --minutes 5
      seqgen train faces/ -o faces.keras --image-size 16x16 --levels 8
      seqgen train book.txt -o book.keras --resume
      seqgen train letters.txt --from book.keras -o letters.keras --minutes 1
    """
    from seqgen.reporting import summaries
    from seqgen.training import cluster, train
    from seqgen.training.output import save
    from seqgen.training.request import RunRequest
    from seqgen.utils.locks import lock

    reading = explicit_options({name: options.pop(name) for name in CORPUS_OPTIONS})
    request = RunRequest(
        explicit_options(options), corpora, reading, output, base, resume, index=index, mix=mix
    )
    inputs, path = request.load(progress=sys.stderr.isatty())
    corpus = inputs.corpus
    for note in (*corpus.messages, summaries.corpus(corpus.metadata(), len(corpus.vocabulary))):
        say(note)
    is_chief = cluster.is_chief()
    with lock(path) if is_chief else nullcontext():
        with callbacks(corpus.task, tensorboard if is_chief else None) as callback:
            model = train.run(inputs, callback)
        if is_chief:
            save(model, path, say)
    if not is_chief:
        say("the first machine of the run writes the model")
        return
    save_loss_curve(model.data.history, path.with_suffix(".loss.png"))
    say(summaries.score(model.data))
    if as_json:
        print_json({"model": str(path), **model.data.scores})
    else:
        click.echo(path)


@contextmanager
def callbacks(task: str, tensorboard: Path | None) -> Iterator[Callback]:
    """A progress bar, and a TensorBoard log if there is a folder for it."""
    from seqgen.reporting.progress_bar import ProgressBar
    from seqgen.tasks import base as tasks
    from seqgen.training.callbacks import Callbacks

    with ProgressBar(tasks.get(task).token_name) as progress_bar:
        if tensorboard is None:
            yield progress_bar
        else:
            from seqgen.training.tensorboard import TensorBoard

            yield Callbacks(progress_bar, TensorBoard(tensorboard, progress_bar.on_message))


def save_loss_curve(history: list[Json], path: Path) -> None:
    """Draw the losses of a run; if that fails, only say so: the model is saved."""
    from seqgen.reporting import plots

    try:
        if history:
            plots.save_loss_curve(history, path)
    except OutputError as error:
        say(f"no picture of the losses: {error}")
