"""`seqgen train`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
from seqgen.tasks.output import print_json, say_if_kept
from seqgen.utils.atomic_files import require_writable, unused_path
from seqgen.utils.sigint import ignore_sigint

if TYPE_CHECKING:
    from seqgen.model import Model
    from seqgen.training.callbacks import Callback


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
    tensorboard: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on text or on music.

    A CORPUS is a file, a folder, a glob, - for standard input, or a name that `seqgen corpora`
    lists. Ctrl-C ends the run early and saves what it has; --resume goes on with it, or with one
    that broke off. Without -o the model is named after the corpus. What stands at the output's
    name is kept under another name.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen train poems/ -o poems.keras --minutes 10 --units 512 --dropout 0.3
      seqgen train names.txt --lines -o names.keras --minutes 1
      seqgen train python-docs --cell gru --epochs 3 --json
      seqgen train irish-tunes -o irish.keras --minutes 5
      seqgen train book.txt -o book.keras --resume
      seqgen train letters.txt --from book.keras -o letters.keras --minutes 1
    """
    from seqgen import model as library
    from seqgen.corpus import catalogue
    from seqgen.model_file import require_model_path
    from seqgen.reporting import summaries
    from seqgen.tasks import base as tasks
    from seqgen.tasks.load import load_corpus
    from seqgen.training import checkpoint, setup, train
    from seqgen.training.cluster import is_chief

    is_first = is_chief()
    reading = explicit_options({name: options.pop(name) for name in CORPUS_OPTIONS})
    setup.configs(**explicit_options(options))  # whatever is wrong is said before the work begins
    if output:
        require_model_path(output)
        require_writable(output)
    model_to_begin_with = (
        library.load(base) if base and not (resume and not base.exists()) else None
    )
    output = output or default_output(catalogue.name_of(corpora[0]), resume=resume)
    checkpoint_path = checkpoint.beside(output)
    if resume and is_first:
        reading = {**checkpoint.reading(checkpoint_path), **reading}
    if model_to_begin_with:
        reading = {**model_to_begin_with.corpus_options, **reading}
    corpus = load_corpus(*corpora, progress=sys.stderr.isatty(), **reading)
    for note in (*corpus.notes, summaries.corpus(corpus.metadata(), len(corpus.vocabulary))):
        say(note)
    with callbacks(
        tasks.get(corpus.task).token_name, tensorboard if is_first else None
    ) as callback:
        model = train.train(
            corpus, callback=callback, base=model_to_begin_with, checkpoint_path=checkpoint_path,
            resume=resume, index=index, **explicit_options(options),
        )  # fmt: skip
    if not is_first:
        say("the first machine of the run writes the model")
        return
    save(model, output, checkpoint_path)
    say(summaries.score(corpus.task, model.data.scores))
    if as_json:
        print_json({"model": str(output), **model.data.scores})
    else:
        click.echo(output)


def default_output(name: str, *, resume: bool) -> Path:
    """A file named after the corpus, in `models/` where there is such a folder: a new one, or that
    of the last run that broke off."""
    from seqgen.training import checkpoint

    folder = Path("models" if Path("models").is_dir() else ".")
    output = folder / f"{name}.keras"
    if not resume:
        output = unused_path(output)
    elif left := checkpoint.latest(folder, name):
        output = left.with_suffix(".keras")
    require_writable(output)
    return output


@contextmanager
def callbacks(token: str, tensorboard: Path | None) -> Iterator[Callback]:
    """What is told of the run."""
    from seqgen.reporting.progress_bar import ProgressBar
    from seqgen.training.callbacks import Callbacks

    with ProgressBar(token) as progress_bar:
        if tensorboard is None:
            yield progress_bar
        else:
            from seqgen.training.tensorboard import TensorBoard

            yield Callbacks(progress_bar, TensorBoard(tensorboard, progress_bar.on_message))


def save(model: Model, output: Path, checkpoint_path: Path) -> None:
    """Write the model and its loss curve; the checkpoint of a finished run has done its work."""
    from seqgen.reporting import plots

    say_if_kept(output, say)
    with ignore_sigint():
        try:
            model.save(output, keep=True)
        except OutputError as error:
            raise OutputError(f"{error}; {rescued(model, output, checkpoint_path)}") from error
        try:
            if model.data.history:
                plots.save_loss_curve(model.data.history, output.with_suffix(".loss.png"))
        except OutputError as error:
            say(f"no picture of the losses: {error}")
        if model.data.scores["ended_early"] != "Ctrl-C":
            checkpoint_path.unlink(missing_ok=True)
        elif checkpoint_path.exists():
            say(f"the same command with -o {output} --resume goes on with the run")


def rescued(model: Model, output: Path, checkpoint_path: Path) -> str:
    """Where a model is that cannot be written where it should be, or what is left of its run."""
    for folder in (tempfile.gettempdir, Path.home):
        with suppress(OSError, RuntimeError):  # no such folder, or no room there either
            path = unused_path(Path(folder()) / output.name)
            model.save(path)
            return f"the model is {path}"
    if checkpoint_path.exists():
        return f"it fits nowhere else; make room, then -o {output} --resume goes on with the run"
    return "it fits nowhere else, and is lost"
