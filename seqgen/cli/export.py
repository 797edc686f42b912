"""`seqgen export`."""

from __future__ import annotations

from pathlib import Path

import click
from cloup import command, option

from seqgen.cli.echo import say
from seqgen.cli.options import FILE
from seqgen.errors import OutputError
from seqgen.tasks.output import say_if_renamed
from seqgen.utils.atomic_files import require_writable


@command()
@click.argument("model", type=FILE)
@option("--onnx", "path", type=FILE, required=True, help="ONNX file to write: NAME.onnx.")
def export(model: Path, path: Path) -> None:
    """Convert the network of a model to ONNX, for other programs.

    Ids and the state go in, logits and the next state come out; they equal those of Keras within
    1e-5. The mixture with n-grams is left out. Needs onnx: pip install "seqgen[onnx]".

    \b
    Examples:
      seqgen export book.keras --onnx book.onnx
    """
    from seqgen import model as library
    from seqgen.sharing import onnx_graph

    if path.suffix != ".onnx":
        raise OutputError(f"{path}: expected a name that ends in .onnx; try {path.stem}.onnx")
    require_writable(path)
    data = library.load(model).data
    say_if_renamed(path, say)
    onnx_graph.save(data, path)
    if data.mixture is not None:
        say("the logits are those of the network alone: the mixture with n-grams is left out")
    click.echo(path)
