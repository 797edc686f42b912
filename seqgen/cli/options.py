"""Options that several commands share, in groups."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from cloup import option, option_group

from seqgen.cells import base as cells
from seqgen.config import PRECISIONS, SIZES
from seqgen.sampling.filters import FILTERS
from seqgen.tasks import base as tasks

FILE = click.Path(path_type=Path)
Command = TypeVar("Command", bound=Callable[..., object])  # a function before `@command`


class Registered(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A name in a registry, which is read only when help is shown or a value is parsed."""

    def __init__(self, name: str, names: Callable[[], tuple[str, ...]]) -> None:
        self.name = name
        self.names = names

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """All names, in the format of `click.Choice`."""
        return f"[{'|'.join(self.names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """A registered name."""
        return click.Choice(self.names()).convert(value, param, ctx)


json_option = option("--json", "as_json", is_flag=True, help="Print the results as JSON.")


def parse_cell_options(
    context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]
) -> dict[str, Any]:
    """Parse NAME=VALUE texts; a value is JSON, True, False, None, or else a string."""
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


def parse_numbers(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    """Parse comma-separated numbers."""
    try:
        return None if text is None else tuple(map(float, text.split(",")))
    except ValueError as error:
        raise click.BadParameter(
            f"expected comma-separated numbers, such as 0.5,1.0,0.7, got {text!r}"
        ) from error


run_length = (
    option("--minutes", type=float, help="Wall-clock time of the whole run. [5]"),
    option("--epochs", type=float, help="Passes over the training part, instead of --minutes."),
)

cell = option("--cell", type=Registered("cell", cells.names),
              help="Type of recurrent layer. [lstm]")  # fmt: skip

model_options = option_group(
    "Model",
    option("--size", type=click.Choice(tuple(SIZES)),
           help="Size of the network. [auto: chosen for the corpus, the time and the machine]"),
    option("--units", type=int, help="Units of each recurrent layer. [chosen]"),
    option("--layers", type=int, help="Number of stacked recurrent layers. [1]"),
    option("--embedding", type=int, help="Dimension of the token embedding. [chosen]"),
    option("--dropout", type=float,
           help="Fraction of each recurrent layer's outputs to drop. [chosen]"),
    option("--cell-option", "cell_options", multiple=True, metavar="NAME=VALUE",
           callback=parse_cell_options,
           help="Another argument of the Keras layer, such as activation=relu; repeatable."),
)  # fmt: skip

optimisation_options = option_group(
    "Optimisation",
    option("--learning-rate", type=float, help="Highest learning rate of the schedule. [chosen]"),
    option("--batch-size", type=int, help="Number of sequences in a batch. [chosen]"),
    option("--window", type=int,
           help="Tokens through which gradients are propagated back. [chosen]"),
    option("--recurrent-dropout", type=float,
           help="Fraction of the recurrent weights to drop. [chosen]"),
    option("--weight-decay", type=float, help="Decoupled weight decay. [chosen]"),
    option("--clip-norm", type=float, help="Largest global norm of the gradients. [1]"),
    option("--precision", type=click.Choice(("auto", *PRECISIONS)),
           help="Data type of the matrix products. [auto: the fastest one that learns as well]"),
    option("--seed", type=int, help="Seed for the initial weights, the batches and dropout. [0]"),
)  # fmt: skip

CORPUS_OPTIONS = (
    *("task", "encoding", "validation", "lines", "min_count"),
    *("transpose", "velocity", "expand_repeats"),
)
_corpus_options = option_group(
    "Corpus",
    option("--task", type=Registered("task", tasks.names),
           help="Kind of sequence in the files. [detected]"),
    option("--validation", type=float, help="Fraction held out for validation. [0.1]"),
    option("--encoding",
           help="Text: an encoding such as latin-1 or utf-16 [utf-8]. Music: melody or polyphony "
           "[detected]."),
)  # fmt: skip
_text_corpus_options = option_group(
    "Text",
    option("--lines", is_flag=True, default=None,
           help="Treat every line as a separate piece, such as a name or a message."),
    option("--min-count", type=int,
           help="Replace characters that occur less often by <unk>, which is never generated. [1]"),
)  # fmt: skip
_music_corpus_options = option_group(
    "Music",
    option(
        "--transpose",
        type=click.Choice(("c", "augment", "none")),
        help="Transpose every piece to C, learn it in all keys, or do not transpose. [c]",
    ),
    option("--velocity", is_flag=True, default=None, help="Also learn velocities."),
    option("--expand-repeats", is_flag=True, default=None, help="Unfold the repeats of scores."),
)


def corpus_options(command: Command) -> Command:
    """Add the options with which a corpus is read: `CORPUS_OPTIONS`."""
    return _corpus_options(_text_corpus_options(_music_corpus_options(command)))


sampling_options = option_group(
    "Sampling",
    option("--temperature", type=float,
           help="0 always chooses the most likely token; above 1 is more random. [0.8]"),
    option("--seed", type=int, help="The same seed gives the same output. [random]"),
    *(option(f"--{name.replace('_', '-')}", type=rule.type, metavar=rule.metavar, help=rule.help)
      for name, rule in FILTERS.items()),
    option("--max-copy", type=int, metavar="N",
           help="Copy at most N consecutive characters or notes from the corpus."),
    option("--repetition-penalty", type=float,
           help="Values above 1 make recent tokens less likely. [1]"),
    option("--repetition-window", type=int, metavar="N",
           help="Number of recent tokens that are penalised. [64]"),
    option("--temperature-schedule", callback=parse_numbers, metavar="T,T,...",
           help="Temperatures of successive tokens, repeated in a cycle."),
    option("--beam", type=int, metavar="N",
           help="Beam search with N candidates instead of sampling."),
)  # fmt: skip

_text_output_options = option_group(
    "Text",
    option("--prompt", help="Beginning of the text."),
    option("--length", type=int,
           help="Number of new characters. [500; for models of lines: up to the end of the line]"),
    option("--stop", metavar="TEXT", help="Stop before this text."),
    option("--ban", metavar="CHARS", help="Never generate these characters."),
    option("--allow", metavar="CHARS", help="Generate only these characters."),
    option("--skip-unknown", is_flag=True, default=None,
           help="Drop characters of the prompt that the model does not know."),
)  # fmt: skip
_music_output_options = option_group(
    "Music",
    option("--bars", type=int, help="Number of full bars. [the model decides]"),
    option("--key", help="Key, such as G, Em, B-flat or 'D dorian'."),
    option("--meter", help="Meter, such as 4/4 or 6/8."),
    option("--tempo", type=float, help="Quarter notes per minute."),
    option("--range", "pitch_range", help="Lowest and highest pitch, such as G3-C6 or 55-84."),
    option("--instrument", help="A General MIDI instrument: name, number from 1, or drums."),
    option("--primer", metavar="FILE|NOTES",
           help='Music to continue: a file, or notes such as "G4/8 A4/8 B4/4".'),
    option("--no-echo", "echo", flag_value=False, default=None, type=bool,
           help="Leave the primer out of the output."),
)  # fmt: skip


def content_options(command: Command) -> Command:
    """Add the options of single tasks; `Task.generation_options` lists those of a task."""
    return _text_output_options(_music_output_options(command))
