"""`seqgen render`."""

from __future__ import annotations

from pathlib import Path

import click

from seqgen.cli.echo import say
from seqgen.cli.options import FILE
from seqgen.tasks.output import say_if_kept


@click.command()
@click.argument("source", type=FILE, metavar="FILE")
@click.option(
    "-o", "--output", type=FILE, required=True,
    help="Ends in .png or .svg (a score), .wav (sound), .mid, .musicxml or .abc.",
)  # fmt: skip
@click.option("--piano-roll", is_flag=True, help="Draw bars over time, not a score.")
def render(source: Path, output: Path, piano_roll: bool) -> None:
    """Draw a file of music, let it sound, or write it in another format.

    A score is drawn with verovio, which pip install "seqgen[score]" brings. Sound is made by
    FluidSynth where it is on the machine with a sound font, else by a small synthesiser.

    \b
    Examples:
      seqgen render tune.mid -o tune.png
      seqgen render tune.mid -o tune.svg --piano-roll
      seqgen render tune.abc -o tune.wav
    """
    from seqgen.music.io.read import read_file
    from seqgen.music.io.write import require_format, write

    require_format(output)
    reading = read_file(source)
    if len(reading.pieces) > 1:
        say(f"{source} holds {len(reading.pieces)} pieces; this is the first")
    say_if_kept(output, say)
    write(reading.pieces[0], output, piano_roll=piano_roll, keep=True)
    click.echo(output)
