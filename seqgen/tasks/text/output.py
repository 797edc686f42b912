"""Texts to stdout or into a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from seqgen.errors import OutputError
from seqgen.tasks.output import Say, print_json, say_if_kept
from seqgen.tasks.text.generate import report
from seqgen.utils.atomic_files import atomic_write, require_writable

SECONDS_PER_FLUSH = 0.02
RULE = "-" * 15
OTHER_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".wav", ".png")  # of files that hold no text


def write_texts(
    model: Any, output: str | None, count: int, as_json: bool, options: dict[str, Any], say: Say
) -> None:
    """Write new texts to stdout while they are generated, or into a file.

    Args:
        model: a `seqgen.Model` of text.
        output: the path of a file, or None.
        count: number of texts.
        as_json: write a line of JSON for each text, with tokens and log-probabilities.
        options: of `Texts.texts`, with the seed.
        say: tells the user how much was copied.

    Raises:
        OutputError: the file cannot be written, its name is that of another kind of file, or
            stdout is closed.
    """
    if output:
        require_text_name(Path(output))
        require_writable(Path(output))
    elif sys.stdout is None:
        raise OutputError("standard output is closed; open it, or name a file with --output")
    texts = model.texts(count, scored=as_json, **options)
    if options.get("prompt") == "":
        say("the prompt is empty: the text begins as a line does")
    if output:
        say_if_kept(Path(output), say)
        with (
            atomic_write(Path(output), keep=True) as path,
            path.open("w", encoding="utf-8") as file,
        ):
            write(texts, file, lines=model.writes_lines)
    elif not as_json:
        write(texts, sys.stdout, lines=model.writes_lines)
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


def require_text_name(path: Path) -> None:
    """Raise `OutputError` if a name is that of a sound, a picture or a MIDI file."""
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise OutputError(
            f"{path}: expected the name of a text, such as {path.stem}.txt, since the model is one "
            f"of text, got {path.suffix!r}"
        )


def write(texts: Sequence[Iterable[str]], file: TextIO, *, lines: bool) -> None:
    """Write texts while they are generated.

    A rule separates several texts; lines follow one another. A terminal gets a newline at the end,
    a file only the text.

    >>> write([["a", "b"], ["c"]], sys.stdout, lines=True)
    ab
    c
    """
    flushed = time.monotonic()
    for piece in _joined(texts, lines):
        file.write(piece)
        if (now := time.monotonic()) - flushed > SECONDS_PER_FLUSH:
            file.flush()
            flushed = now
    if file.isatty() and not lines:
        file.write("\n")
    file.flush()


def _joined(texts: Sequence[Iterable[str]], lines: bool) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number and not lines:
            yield f"\n{RULE}\n"
        yield from text
        if lines:
            yield "\n"
