"""Write generated pieces to files."""

from __future__ import annotations

import os
from pathlib import Path

from seqgen.copying.report import report
from seqgen.errors import OutputError
from seqgen.music.io.write import WRITERS, write
from seqgen.music.piece import Piece
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.music.copying import StepCodes
from seqgen.tasks.music.pieces import Pieces
from seqgen.tasks.music.request import primers
from seqgen.tasks.output import Say, print_json, print_result, say_if_renamed
from seqgen.tasks.requests import GenerationRequest
from seqgen.utils.atomic_files import require_writable, unused_path

REQUEST = {  # parameter of `parse_request` → option of the command line
    "bars": "--bars",
    "key": "--key",
    "meter": "--meter",
    "tempo": "--tempo",
    "pitch_range": "--range",
    "instrument": "--instrument",
    "primer": "--primer",
    "echo": "--no-echo",
}


def write_pieces(generator: Pieces, request: GenerationRequest) -> None:
    """Write new pieces to files, and the names of the files to stdout.

    Args:
        generator: generates the pieces.
        request: its output is the path of a file or of a folder, or None for new names in the
            working folder; its options are those of `Pieces.pieces` and of `SampleConfig`. JSON
            holds tokens and log-probabilities.

    Raises:
        OutputError: a file cannot be written, or its name has an unknown suffix.
    """
    options, say = dict(request.options), request.say
    if "primer" in options:
        options["primer"] = _read_primer(generator, options["primer"], say)
    data = generator.model.data
    paths = piece_paths(data.corpus["name"], request.output, request.count)
    for folder in {path.parent for path in paths}:  # before anything is generated
        require_writable(folder / paths[0].name if folder.is_dir() else folder)
    pieces = generator.pieces(request.count, scored=request.as_json, **options)
    copied = []
    for number, (path, composition) in enumerate(zip(paths, pieces, strict=False), 1):
        _make_folder(path.parent)
        say_if_renamed(path, say)
        write(composition.piece, path, keep=True)
        copied.append(composition.longest_copy)
        if not request.as_json:
            print_result(path)
            continue
        print_json(
            {
                "file": str(path),
                "tokens": composition.tokens,
                "log_probabilities": composition.log_probabilities,
                "longest_copy": composition.longest_copy,
                "seed": options["seed"],
                "item": number,
            }
        )
    for line in report(data.indexes, StepCodes(data.vocabulary), copied):
        say(line)


def _read_primer(generator: Pieces, text: str, say: Say) -> Piece:
    """Read the primer and tell the user which parts of it the music does not continue."""
    primer, *others = primers(text)
    if others:
        say(f"{text} holds {1 + len(others)} pieces; the music continues the first one")
    codec = Codec(**generator.model.data.corpus["details"]["codec"])
    if left_out := primer.note_count - codec.restrict(primer).note_count:
        say(f"{left_out:,} notes of the primer sound at the same time as others: left out")
    return primer


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be created: {error.strerror}") from error


def piece_paths(name: str, output: str | None, count: int) -> list[Path]:
    """Return the paths that pieces are written to.

    Args:
        name: name of the corpus, used for new files.
        output: a file, or a folder, which ends in a slash or exists already; None for new names.
        count: number of pieces.
    """
    if output is None and count == 1:
        return [unused_path(Path(f"{name}.mid"))]
    path = Path(output) if output else unused_path(Path(f"{name}-new"))  # `name` may be a folder
    is_folder = not output or output.endswith(("/", os.sep)) or path.is_dir()
    if is_folder or (count > 1 and not path.suffix):
        return [unused_path(path / f"{name}-{i}.mid") for i in range(1, count + 1)]
    if path.suffix.lower() not in WRITERS:
        raise OutputError(
            f"{path}: expected a name that ends in {', '.join(WRITERS)}, or, of a folder, in a "
            f"slash: {path}/, got {path.suffix!r}"
        )
    require_writable(path)
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}-{i}{path.suffix}") for i in range(1, count + 1)]
