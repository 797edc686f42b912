"""`seqgen generate`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from seqgen.cli.echo import given, print_json, say, say_if_kept
from seqgen.cli.options import (
    FILE,
    MUSIC_OPTIONS,
    TEXT_OPTIONS,
    content_options,
    json_option,
    sampling_options,
)
from seqgen.errors import ConfigError, OutputError
from seqgen.utils.atomic_files import atomic_write, require_writable, unused_path

if TYPE_CHECKING:
    from seqgen.model import Model
    from seqgen.music.piece import Piece


@click.command()
@click.argument("model", type=FILE)
@sampling_options
@content_options
@click.option("-n", "--count", type=click.IntRange(1), default=1, show_default=True,
              help="How many texts or pieces.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(),
              help="Text: a file to write instead of stdout. Music: a file that ends in .mid, "
              ".musicxml, .abc, .wav, .png or .svg, or a folder/ for MIDI files.")  # fmt: skip
@json_option
def generate(model: Path, count: int, output: str | None, as_json: bool, **options: Any) -> None:
    """Write new text or music with a trained model.

    Text goes to stdout as it is made. Music goes into files, whose names stand on stdout; without
    -o a new MIDI file in this folder, or with -n several in a new one. Everything else goes to
    stderr: also the longest run of characters, or notes, that stands in the corpus as it is. With
    --json, stdout gets a line for each text or piece, with its tokens and how likely the model
    found them.

    \b
    Examples:
      seqgen generate book.keras --prompt "The " --length 1000
      seqgen generate book.keras --top-p 0.9 --max-copy 40 --stop "the end"
      seqgen generate names.keras -n 20 --temperature 1
      seqgen generate tunes.keras -o tune.mid --bars 16 --key G --meter 6/8
      seqgen generate tunes.keras --primer "G4/8 A4/8 B4/4" -n 5 -o tunes/
    """
    from seqgen import model as library
    from seqgen.tasks.base import new_seed

    loaded = library.load(model)
    options = given(options)
    wrong = TEXT_OPTIONS if (loaded.data.task == "music") else MUSIC_OPTIONS
    for name in options.keys() & set(wrong):
        kind, other = ("music", "text") if (loaded.data.task == "music") else ("text", "music")
        option = {"pitch_range": "range", "echo": "no-echo"}.get(name, name.replace("_", "-"))
        raise ConfigError(f"--{option} is for models of {other}; {model} is one of {kind}")
    if loaded.needs_keras:
        say("this model's cell options are run through Keras, which is slower")
    seed = options.get("seed", new_seed())
    write = write_music if (loaded.data.task == "music") else write_text
    write(loaded, output, count, as_json, {**options, "seed": seed})
    if "seed" not in options:
        say(f"seed {seed}")


def write_text(
    model: Model, output: str | None, count: int, as_json: bool, options: dict[str, Any]
) -> None:
    """Texts to stdout as they come, or into a file."""
    from seqgen.tasks.text import corpus as text
    from seqgen.tasks.text.generate import report

    if output:
        require_text(Path(output))
        require_writable(Path(output))
    elif sys.stdout is None:
        raise OutputError("standard output is closed; open it, or name a file with --output")
    texts = model.texts(count, scored=as_json, **options)
    if options.get("prompt") == "":
        say("the prompt is empty: the text begins as a line does")
    if output:
        say_if_kept(Path(output))
        with (
            atomic_write(Path(output), keep=True) as path,
            path.open("w", encoding="utf-8") as file,
        ):
            text.write(texts, file, lines=model.writes_lines)
    elif not as_json:
        text.write(texts, sys.stdout, lines=model.writes_lines)
    for number, each in enumerate(texts, 1):
        if as_json:
            print_json(
                {
                    "text": "".join(each),
                    "prompt": each.prompt,
                    "tokens": each.tokens,
                    "log_probabilities": each.log_probabilities,
                    "longest_copy": each.longest_copy,
                    "seed": options["seed"],
                    "item": number,
                }
            )
    for line in report(texts):
        say(line)


def require_text(path: Path) -> None:
    """Raise `OutputError` if the name is one of music that is no text, or of a picture."""
    from seqgen.music.io.read import MIDI_SUFFIXES

    if path.suffix.lower() in (*MIDI_SUFFIXES, ".wav", ".png"):
        raise OutputError(
            f"{path}: expected the name of a text, such as {path.stem}.txt, since the model is one "
            f"of text, got {path.suffix!r}"
        )


def write_music(
    model: Model, output: str | None, count: int, as_json: bool, options: dict[str, Any]
) -> None:
    """Pieces into files, and their names to stdout."""
    from seqgen.copying.report import report
    from seqgen.music.io.write import write

    wishes = {name: options.pop(name) for name in options.keys() & set(MUSIC_OPTIONS)}
    seed, temperature = options.pop("seed"), options.pop("temperature", None)
    if "primer" in wishes:
        wishes["primer"] = read_primer(model, wishes["primer"])
    pieces = model.pieces(
        count, seed=seed, temperature=temperature, scored=as_json, sampling=options, **wishes
    )
    copied = []
    paths = music_paths(model.data.corpus["name"], output, count)
    for number, (path, each) in enumerate(zip(paths, pieces, strict=False), 1):
        make_folder(path.parent)
        say_if_kept(path)
        write(each.piece, path, keep=True)
        copied.append(each.longest_copy)
        if not as_json:
            click.echo(path)
            continue
        print_json(
            {
                "file": str(path),
                "tokens": each.tokens,
                "log_probabilities": each.log_probabilities,
                "longest_copy": each.longest_copy,
                "seed": seed,
                "item": number,
            }
        )
    for line in report(model.data.indexes, model.task.copy_codes(model.data.vocabulary), copied):
        say(line)


def read_primer(model: Model, text: str) -> Piece:
    """The primer; what of it the music does not go on from is said."""
    from seqgen.music.tokens.codec import Codec
    from seqgen.tasks.music.request import primers

    primer, *others = primers(text)
    if others:
        say(f"{text} holds {1 + len(others)} pieces; the music goes on from the first")
    codec = Codec(**model.data.corpus["details"]["codec"])
    if left_out := primer.note_count - codec.restrict(primer).note_count:
        say(f"{left_out:,} notes of the primer lie under others, or repeat them: left out")
    return primer


def make_folder(folder: Path) -> None:
    """A folder for pieces, when there is one to put there."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error


def music_paths(name: str, output: str | None, count: int) -> list[Path]:
    """Where pieces are written: a new file here, the one that was named, or one after the other.

    What ends in a slash is a folder, whether it is there or not; so is the name of one that is.
    """
    from seqgen.music.io.write import FORMATS

    if output is None and count == 1:
        return [unused_path(Path(f"{name}.mid"))]
    path = Path(output) if output else unused_path(Path(f"{name}-new"))  # name may be a corpus's
    is_folder = not output or output.endswith(("/", os.sep)) or path.is_dir()
    if is_folder or (count > 1 and not path.suffix):
        return [unused_path(path / f"{name}-{i}.mid") for i in range(1, count + 1)]
    if path.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{path}: expected a name that ends in {', '.join(FORMATS)}, or, of a folder, in a "
            f"slash: {path}/, got {path.suffix!r}"
        )
    require_writable(path)
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{i}{path.suffix}") for i in range(1, count + 1)]
