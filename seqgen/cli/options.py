"""The options of the command line that belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seqgen.config import CELLS, PRECISIONS, SIZES
from seqgen.tasks import base as tasks

FILE = click.Path(path_type=Path)


class TaskName(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """The name of a task; the registry is read when the help is shown or a value is given."""

    name = "task"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """All tasks, as `click.Choice` shows them."""
        return f"[{'|'.join(tasks.names())}]"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        """The name, if there is such a task."""
        return click.Choice(tasks.names()).convert(value, param, ctx)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def parse_cell_options(context: Any, option: Any, texts: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE, where the value is JSON, or what Python writes otherwise, else a string."""
    python = {"True": True, "False": False, "None": None}
    parsed: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"expected NAME=VALUE, such as activation=relu, got {text!r}")
        try:
            parsed[name] = json.loads(value)
        except ValueError:
            parsed[name] = python.get(value, value)
    return parsed


cell_option = click.option("--cell", type=click.Choice(CELLS), help="Kind of layer. [lstm]")


def network_options(command: Any) -> Any:
    """What the network is made of: the other fields of `ModelConfig`."""
    for option in (
        click.option("--cell-option", "cell_options", multiple=True, metavar="NAME=VALUE",
                     callback=parse_cell_options,
                     help="A further argument of the Keras layer, such as activation=relu."),
        click.option("--dropout", type=float, help="Share of outputs dropped. [chosen]"),
        click.option("--embedding", type=int, help="Width of a token's vector. [chosen]"),
        click.option("--layers", type=int, help="Recurrent layers, one upon the other. [1]"),
        click.option("--size", type=click.Choice(tuple(SIZES)),
                     help="Of the network. [auto: what the text, the time and this machine allow]"),
        click.option("--units", type=int, help="Width of each recurrent layer. [chosen]"),
    ):  # fmt: skip
        command = option(command)
    return command


def length_options(command: Any) -> Any:
    """How long a run is."""
    for option in (
        click.option("--epochs", type=float, help="Instead: how often to read the text through."),
        click.option("--minutes", type=float, help="How long to train, all in all. [5]"),
    ):
        command = option(command)
    return command


def run_options(command: Any) -> Any:
    """Where a run begins, and what is kept of it."""
    for option in (
        click.option("--no-index", "index", flag_value=False, default=True, type=bool,
                     help="Leave out of the model what tells copies of the corpus."),
        click.option("--tensorboard", type=FILE, metavar="FOLDER",
                     help="Write the losses there too, for TensorBoard."),
        click.option("--resume", is_flag=True, help="Go on with a run that broke off."),
        click.option("--from", "base", type=FILE, metavar="MODEL",
                     help="Begin with this model, not with a new one."),
    ):  # fmt: skip
        command = option(command)
    return command


def training_options(command: Any) -> Any:
    """How the network is trained: the fields of `TrainConfig`."""
    for option in (
        click.option("--seed", type=int, help="Of the first weights and all other chance. [0]"),
        click.option("--precision", type=click.Choice(("auto", *PRECISIONS)),
                     help="Of the matrix products. [auto: the fastest here that learns as well]"),
        click.option("--clip-norm", type=float, help="Longest gradient. [1]"),
        click.option("--recurrent-dropout", type=float,
                     help="Share of recurrent weights dropped. [chosen]"),
        click.option("--weight-decay", type=float, help="By which weights shrink. [chosen]"),
        click.option("--learning-rate", type=float, help="At its highest. [chosen]"),
        click.option("--window", type=int,
                     help="Characters through which learning looks back. [chosen]"),
        click.option("--batch-size", type=int,
                     help="Streams read side by side. [chosen]"),
    ):  # fmt: skip
        command = option(command)
    return command


CORPUS_OPTIONS = (
    *("task", "encoding", "validation", "lines", "min_count"),
    *("transpose", "velocity", "expand_repeats"),
)


def corpus_options(command: Any) -> Any:
    """How a corpus is read: `CORPUS_OPTIONS`."""
    for option in (
        click.option("--expand-repeats", is_flag=True, default=None,
                     help="Music: write out what repeat signs of a score repeat."),
        click.option("--velocity", is_flag=True, default=None,
                     help="Music: learn how loud notes are, too."),
        click.option("--transpose", type=click.Choice(("c", "augment", "none")),
                     help="Music: learn everything in one key, in all keys, or as it is. [c]"),
        click.option("--min-count", type=int,
                     help="Text: fold characters seen less often into one, never generated. [1]"),
        click.option("--lines", is_flag=True, default=None,
                     help="Text: every line is a piece of its own: names, titles, messages."),
        click.option("--validation", type=float,
                     help="Share held out at the end, to measure on. [0.1]"),
        click.option("--encoding",
                     help="Of text, such as latin-1 or utf-16 [utf-8]; of music, melody or "
                     "polyphony. [what suits it]"),
        click.option("--task", type=TaskName(),
                     help="What the files hold. [detected from the files]"),
    ):  # fmt: skip
        command = option(command)
    return command


def parse_numbers(context: Any, option: Any, text: str | None) -> tuple[float, ...] | None:
    """Numbers with commas between them."""
    try:
        return None if text is None else tuple(map(float, text.split(",")))
    except ValueError as error:
        raise click.BadParameter(
            f"expected numbers with commas between them, such as 0.5,1.0,0.7, got {text!r}"
        ) from error


def content_options(command: Any) -> Any:
    """What is written; which task has which of these options, the task says."""
    for option in (
        click.option("--no-echo", "echo", flag_value=False, default=None, type=bool,
                     help="Music: leave the primer out."),
        click.option("--primer", metavar="FILE|NOTES",
                     help='Music: what it goes on from, a file or "G4/8 A4/8 B4/4".'),
        click.option("--instrument", help="Music: a name of General MIDI, or its number from 1."),
        click.option("--range", "pitch_range", help="Music: the pitches, such as G3-C6."),
        click.option("--tempo", type=float, help="Music: quarter notes per minute."),
        click.option("--meter", help="Music: such as 4/4 or 6/8."),
        click.option("--key", help="Music: such as G, Em, or D dorian."),
        click.option("--bars", type=int,
                     help="Music: full bars. [as many as the model likes]"),
        click.option("--skip-unknown", is_flag=True, default=None,
                     help="Text: drop characters of the prompt that the model has never seen."),
        click.option("--allow", metavar="CHARS", help="Text: only these characters are written."),
        click.option("--ban", metavar="CHARS", help="Text: these characters are never written."),
        click.option("--stop", metavar="TEXT", help="Text: end before this."),
        click.option("--length", type=int,
                     help="Text: new characters. [500; with a model of lines, to the line's end]"),
        click.option("--prompt", help="Text: what it begins with."),
    ):  # fmt: skip
        command = option(command)
    return command


def sampling_options(command: Any) -> Any:
    """How tokens are drawn: the fields of `SampleConfig`."""
    for option in (
        click.option("--seed", type=int, help="The same seed gives the same output."),
        click.option("--max-copy", type=int, metavar="N",
                     help="Copy no more than N characters, or notes, in a row from the corpus."),
        click.option("--beam", type=int, metavar="N",
                     help="Draw nothing; of N kept side by side, the likeliest output."),
        click.option("--repetition-window", type=int, metavar="N",
                     help="How many tokens back the penalty looks. [64]"),
        click.option("--repetition-penalty", type=float,
                     help="Above 1: what came lately is less likely. [1]"),
        click.option("--min-p", type=float,
                     help="Draw from tokens this many times as likely as the likeliest, or more."),
        click.option("--top-p", type=float,
                     help="Draw from the likeliest tokens that are so probable together."),
        click.option("--top-k", type=int, help="Draw from so many of the likeliest tokens."),
        click.option("--temperature-schedule", callback=parse_numbers, metavar="T,T,...",
                     help="One temperature for each token, again and again."),
        click.option("--temperature", type=float,
                     help="0 takes the likeliest token each time; above 1 gets wild. [0.8]"),
    ):  # fmt: skip
        command = option(command)
    return command
