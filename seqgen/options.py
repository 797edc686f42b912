"""The options of the command line that belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from seqgen.config import CELLS, PRECISIONS, SIZES

FILE = click.Path(path_type=Path)

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


def network_options(command: Any) -> Any:
    """What the network is made of: the fields of `ModelConfig`."""
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
        click.option("--cell", type=click.Choice(CELLS), help="Kind of layer. [lstm]"),
    ):  # fmt: skip
        command = option(command)
    return command


def run_options(command: Any) -> Any:
    """How long, and where a run begins."""
    for option in (
        click.option("--tensorboard", type=FILE, metavar="FOLDER",
                     help="Write the losses there too, for TensorBoard."),
        click.option("--resume", is_flag=True, help="Go on with a run that broke off."),
        click.option("--from", "base", type=FILE, metavar="MODEL",
                     help="Begin with this model, not with a new one."),
        click.option("--epochs", type=float, help="Instead: how often to read the text through."),
        click.option("--minutes", type=float, help="How long to train, all in all. [5]"),
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


def corpus_options(command: Any) -> Any:
    """How a corpus is read."""
    for option in (
        click.option("--validation", type=float,
                     help="Share held out at the end, to measure on. [0.1]"),
        click.option("--min-count", type=int,
                     help="Fold characters seen less often into one, never generated. [1]"),
        click.option("--lines", is_flag=True, default=None,
                     help="Every line is a piece of its own: names, titles, messages."),
        click.option("--encoding", help="Of the text, such as latin-1 or utf-16. [utf-8]"),
    ):  # fmt: skip
        command = option(command)
    return command
