"""`seqgen generate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from cloup import command, option, option_group

from seqgen.cli.echo import explicit_options, say
from seqgen.cli.options import (
    FILE,
    MOST_OUTPUTS,
    PathName,
    content_options,
    json_option,
    sampling_options,
)
from seqgen.errors import ConfigError
from seqgen.tasks.output import say_if_renamed


@command()
@click.argument("model", type=FILE)
@option_group(
    "Output",
    option(
        "-o",
        "--output",
        type=PathName(),
        help="Text: a file to write instead of stdout. Music: a file that ends in .mid, "
        ".musicxml, .mxl, .abc, .wav, .png or .svg, or a folder/ for MIDI files. Images: a "
        ".png file, with -n a sheet of pictures, or a folder/.",
    ),
    option(
        "-n",
        "--count",
        type=click.IntRange(1, MOST_OUTPUTS),
        default=1,
        show_default=True,
        help="Number of texts, pieces or pictures.",
    ),
    json_option,
)
@option_group(
    "Adaptation",
    option(
        "--adapt",
        type=FILE,
        metavar="FILE",
        help="Text or music that the model reads first, to write in its voice.",
    ),
    option(
        "--save",
        type=FILE,
        metavar="PATH",
        help="With --adapt: also write the adapted model, NAME.keras.",
    ),
)
@sampling_options
@content_options
def generate(
    model: Path,
    count: int,
    output: str | None,
    as_json: bool,
    adapt: Path | None,
    save: Path | None,
    **options: Any,
) -> None:
    """Generate new text, music or images with a trained model.

    Text is printed on stdout while it is generated. Music is written to files, whose names are
    printed on stdout: by default a new MIDI file in the current folder, or a new folder of them
    with -n. Images are written to a PNG file. Messages go to stderr, among them the length of the
    longest run of characters, notes or pixels copied from the corpus. With --json, stdout gets one
    line per text, piece or picture, with its tokens and their log-probabilities.

    \b
    Examples:
      seqgen generate book.keras --prompt "The " --length 1000
      seqgen generate book.keras --top-p 0.9 --max-copy 40 --stop "the end"
      seqgen generate book.keras --adapt letters.txt --save letters.keras
      seqgen generate names.keras -n 20 --temperature 1
      seqgen generate tunes.keras -o tune.mid --bars 16 --key G --meter 6/8
      seqgen generate tunes.keras --primer "G4/8 A4/8 B4/4" -n 5 -o tunes/
      seqgen generate faces.keras -n 64 -o sheet.png
      seqgen generate faces.keras --primer half.png -n 8 -o completed.png
    """
    from seqgen import model as library
    from seqgen.inference import numpy_engine
    from seqgen.tasks.requests import GenerationRequest
    from seqgen.tasks.sampling_options import new_seed, require_own_options

    loaded = library.load(model)
    options = explicit_options(options)
    require_own_options(loaded.data.task, options)
    if save is not None:
        require_new_name(save, model, adapt)
    if adapt is not None:
        loaded = loaded.adapt(adapt, progress=sys.stderr.isatty(), on_message=say)
    if save is not None:
        say_if_renamed(save, say)
        loaded.save(save, keep=True)
        say(f"saved: {save}")
    if not numpy_engine.supports(loaded.data.model_config):
        say("the cell options of this model need Keras, which generates more slowly")
    seed = options.get("seed", new_seed())
    request = GenerationRequest({**options, "seed": seed}, count, output, as_json, say)
    loaded.task.write(loaded, request)
    if "seed" not in options:
        say(f"seed {seed}")


def require_new_name(path: Path, model: Path, adapt: Path | None) -> None:
    """Raise an error unless an adapted model can be saved at a path without losing another one."""
    from seqgen.model_file import require_model_path
    from seqgen.utils.atomic_files import require_writable

    if adapt is None:
        raise ConfigError(
            "--save applies to --adapt, which is not given; add --adapt FILE, or leave --save out"
        )
    require_model_path(path)
    if path.resolve() == model.resolve():
        raise ConfigError(
            f"--save: expected another name than that of the model, got {path}; choose a new name"
        )
    require_writable(path)
