"""`seqgen render`."""

from __future__ import annotations

from pathlib import Path

import click

from seqgen.cli.echo import say
from seqgen.cli.options import FILE
from seqgen.tasks.output import say_if_renamed
from seqgen.utils.atomic_files import require_writable


@click.command()
@click.argument("source", type=FILE, metavar="FILE")
@click.option(
    "-o", "--output", type=FILE, required=True,
    help="Output file: .png or .svg (a score), .wav (audio), .mid, .musicxml, .mxl or .abc.",
)  # fmt: skip
@click.option("--piano-roll", is_flag=True, help="Draw a piano roll instead of a score.")
def render(source: Path, output: Path, piano_roll: bool) -> None:
    """Convert a music file to a score, audio or another format.

    Scores are drawn with verovio: pip install "seqgen[score]". Audio is synthesised with
    FluidSynth if it is installed with a sound font, otherwise with a simple built-in synthesiser.

    \b
    Examples:
      seqgen render tune.mid -o tune.png
      seqgen render tune.mid -o tune.svg --piano-roll
      seqgen render tune.abc -o tune.wav
    """
    from seqgen.music.io.read import read_file
    from seqgen.music.io.write import require_format, write

    require_format(output)
    require_writable(output)
    reading = read_file(source)
    if len(reading.pieces) > 1:
        say(f"{source} contains {len(reading.pieces)} pieces; only the first one is rendered")
    say_if_renamed(output, say)
    write(reading.pieces[0], output, piano_roll=piano_roll, keep=True)
    click.echo(output)
