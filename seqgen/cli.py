"""The command line: options → one library call → what the user sees.

Nothing heavy is imported at the top, so that help is instant.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqgen import __version__
from seqgen.errors import OutputError
from seqgen.files import require_writable, unused_path, written_whole
from seqgen.interrupts import uninterrupted
from seqgen.options import (
    FILE,
    corpus_options,
    json_option,
    network_options,
    run_options,
    training_options,
)

if TYPE_CHECKING:
    from seqgen.callback import Callback
    from seqgen.model import Model


def say(message: str) -> None:
    """Talk goes to stderr; stdout is for results."""
    click.echo(message, err=True)


def print_json(data: Any) -> None:
    click.echo(json.dumps(data, ensure_ascii=False))


def say_if_kept(path: Path) -> None:
    if path.exists():
        say(f"{path} is there already; it will be kept as {unused_path(path)}")


def given(options: dict[str, Any]) -> dict[str, Any]:
    """The options that the user set; the library knows the defaults of the others."""
    return {name: value for name, value in options.items() if value not in (None, {})}


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Each command has its own help, with examples: seqgen train --help",
)
@click.version_option(__version__, prog_name="seqgen")
def cli() -> None:
    """Learn from your own text, and write more of it.

    \b
    Examples:
      seqgen train book.txt -o book.keras --minutes 5
      seqgen generate book.keras --prompt "The "
    """


@cli.command()
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@click.option("-o", "--output", type=FILE, help="The model file to write: NAME.keras.")
@run_options
@network_options
@training_options
@corpus_options
@json_option
def train(
    corpora: tuple[str, ...],
    output: Path | None,
    base: Path | None,
    resume: bool,
    tensorboard: Path | None,
    encoding: str | None,
    lines: bool | None,
    min_count: int | None,
    validation: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a model on text.

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
      seqgen train book.txt -o book.keras --resume
      seqgen train letters.txt --from book.keras -o letters.keras --minutes 1
    """
    from seqgen import beginning, catalogue, checkpoint, describe
    from seqgen import model as library
    from seqgen.bundle import require_model_path
    from seqgen.cluster import is_chief

    is_first = is_chief()
    beginning.configs(**given(options))  # whatever is wrong is said before the work begins
    if output:
        require_model_path(output)
        require_writable(output)
    model_to_begin_with = library.load(base) if base and not resume else None
    reading = {"encoding": encoding, "lines": lines, "min_count": min_count}
    reading = given({**reading, "validation": validation})
    output = output or default_output(catalogue.name_of(corpora[0]), resume=resume)
    checkpoint_path = checkpoint.beside(output)
    if resume and is_first:
        reading = {**checkpoint.reading(checkpoint_path), **reading}
    corpus = library.load_corpus(*corpora, progress=sys.stderr.isatty(), **reading)
    for note in (*corpus.notes, describe.corpus(corpus.facts(), len(corpus.vocabulary))):
        say(note)
    with callbacks(describe.TOKENS[corpus.task], tensorboard if is_first else None) as callback:
        model = library.train(
            corpus, callback=callback, base=model_to_begin_with, checkpoint_path=checkpoint_path,
            resume=resume, **given(options),
        )  # fmt: skip
    if not is_first:
        say("the first machine of the run writes the model")
        return
    save(model, output, checkpoint_path)
    say(describe.score(corpus.task, model.bundle.scores))
    if as_json:
        print_json({"model": str(output), **model.bundle.scores})
    else:
        click.echo(output)


def default_output(name: str, *, resume: bool) -> Path:
    """A file named after the corpus, in `models/` where there is such a folder: a new one, or that
    of the last run that broke off."""
    from seqgen import checkpoint

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
    from seqgen.callback import Callbacks
    from seqgen.progress_bar import ProgressBar

    with ProgressBar(token) as progress_bar:
        if tensorboard is None:
            yield progress_bar
        else:
            from seqgen.tensorboard import TensorBoard

            yield Callbacks(progress_bar, TensorBoard(tensorboard))


def save(model: Model, output: Path, checkpoint_path: Path) -> None:
    """Write the model and its loss curve; the checkpoint of a finished run has done its work."""
    from seqgen import loss_curve

    say_if_kept(output)
    with uninterrupted():
        try:
            model.save(output, keep=True)
        except OutputError as error:
            raise OutputError(f"{error}; the model is {rescued(model, output)}") from error
        try:
            if model.bundle.history:
                loss_curve.save(model.bundle.history, output.with_suffix(".loss.png"))
        except OutputError as error:
            say(f"no picture of the losses: {error}")
        if model.bundle.scores["ended_early"] != "Ctrl-C":
            checkpoint_path.unlink(missing_ok=True)
        elif checkpoint_path.exists():
            say(f"the same command with -o {output} --resume goes on with the run")


def rescued(model: Model, output: Path) -> Path:
    """A model that cannot be written where it should be: where it is instead."""
    path = unused_path(Path(tempfile.gettempdir()) / output.name)
    model.save(path)
    return path


@cli.command()
@click.argument("model", type=FILE)
@click.option("--prompt", default="", help="What the text begins with.")
@click.option(
    "--length",
    type=int,
    help="New characters. [500; with a model of lines, to the end of the line]",
)
@click.option(
    "--temperature",
    type=float,
    help="0 takes the likeliest character each time; above 1 gets wild. [0.8]",
)
@click.option("--seed", type=int, help="The same seed gives the same text.")
@click.option(
    "-n", "--count", type=click.IntRange(1), default=1, show_default=True, help="How many texts."
)
@click.option("-o", "--output", type=FILE, help="A file to write instead of stdout.")
@click.option(
    "--skip-unknown",
    is_flag=True,
    help="Drop characters of the prompt that the model has never seen.",
)
def generate(
    model: Path, output: Path | None, seed: int | None, count: int, **options: Any
) -> None:
    """Write new text with a trained model.

    The text goes to stdout as it is made, everything else to stderr.

    \b
    Examples:
      seqgen generate book.keras --prompt "The " --length 1000
      seqgen generate names.keras -n 20 --temperature 1
      seqgen generate book.keras --seed 7 -o page.txt
    """
    from seqgen import model as library
    from seqgen.tasks import text

    if output:
        require_writable(output)
    loaded = library.load(model)
    if loaded.needs_keras:
        say("this model's cell options are run through Keras, which is slower")
    used = library.new_seed() if seed is None else seed
    texts = [loaded.stream(seed=used, item=item, **given(options)) for item in range(count)]
    if seed is None:
        say(f"seed {used}")
    if output is None:
        text.write(texts, sys.stdout, lines=loaded.writes_lines)
    else:
        say_if_kept(output)
        with written_whole(output, keep=True) as path, path.open("w", encoding="utf-8") as file:
            text.write(texts, file, lines=loaded.writes_lines)


@cli.command()
@click.argument("model", type=FILE)
@json_option
def info(model: Path, as_json: bool) -> None:
    """Show what a model file holds.

    \b
    Examples:
      seqgen info book.keras
      seqgen info book.keras --json
    """
    from seqgen import bundle, describe

    loaded = bundle.load(model)
    if as_json:
        print_json(describe.facts(loaded))
    else:
        click.echo(describe.table(loaded))


@cli.command()
@json_option
def corpora(as_json: bool) -> None:
    """List the corpora that have a name.

    Those not on this machine are fetched, and checked, when they are first used.

    \b
    Examples:
      seqgen corpora
      seqgen train python-docs -o docs.keras --minutes 1
    """
    from seqgen.catalogue import read_catalogue

    rows = [
        {
            "name": entry.name,
            "characters": entry.size,
            "licence": entry.licence,
            "here": entry.is_here,
            "description": entry.description,
            "source": entry.source,
        }
        for entry in read_catalogue().values()
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        absent = "to be fetched" if row["characters"] else "not in this Python"
        where = "on this machine" if row["here"] else absent
        click.echo(
            f"{row['name']:20} {row['characters'] or 0:>11,} characters  {where:15}  "
            f"{row['licence']:24} {row['description']}"
        )
