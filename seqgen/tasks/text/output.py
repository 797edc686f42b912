"""Write texts to stdout or to a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from seqgen.errors import ConfigError, OutputError
from seqgen.tasks.output import print_json, say_if_renamed
from seqgen.tasks.requests import GenerationRequest
from seqgen.tasks.text.generate import TextGenerator, report
from seqgen.tasks.text.prompt import read_prompt
from seqgen.types import Json
from seqgen.utils.atomic_files import atomic_write, require_writable

SECONDS_PER_FLUSH = 0.02
SEPARATOR = "-" * 15
OTHER_SUFFIXES = (".mid", ".midi", ".kar", ".rmi", ".wav", ".png")  # of files that are not text


def write_texts(generator: TextGenerator, request: GenerationRequest) -> None:
    """Generate texts, and write them to stdout, character by character, or to a file.

    Args:
        generator: generates the texts.
        request: its output is the path of a file, or None for stdout; its options are those of
            `TextGenerator.texts`, or `prompt_file`, a path, in place of the prompt. JSON holds
            tokens and log-probabilities.

    Raises:
        OutputError: the file cannot be written, its suffix belongs to another kind of file, or
            stdout is closed.
        CorpusError: the file with the prompt cannot be read.
    """
    options, path, say = request.options, None, request.say
    if request.output:
        path = Path(request.output)
        require_text_name(path)
        require_writable(path)
    elif sys.stdout is None:
        raise OutputError("standard output is closed; open it, or give a file with --output")
    if "prompt_file" in options:
        options = _with_prompt_of_file(options)
    lines = generator.vocabulary.end_id is not None
    texts = generator.texts(request.count, scored=request.as_json, **options)
    if options.get("prompt") == "":
        say("the prompt is empty: the text starts at the beginning of a line")
    if path:
        say_if_renamed(path, say)
        with (
            atomic_write(path, keep=True) as temporary,
            temporary.open("w", encoding="utf-8") as file,
        ):
            write(texts, file, lines=lines)
    elif not request.as_json:
        write(texts, sys.stdout, lines=lines)
    for number, text in enumerate(texts, 1):
        if request.as_json:
            print_json(
                {
                    "text": "".join(text),
                    "prompt": text.prompt,
                    "tokens": text.tokens,
                    "log_probabilities": text.log_probabilities,
                    "longest_copy": text.longest_copy,
                    "seed": options["seed"],
                    "item": number,
                }
            )
    for line in report(texts):
        say(line)


def _with_prompt_of_file(options: Json) -> Json:
    """Replace the path of a prompt by the prompt."""
    if "prompt" in options:
        raise ConfigError(
            "prompt_file: expected either a prompt or a file with it, got both; leave one out"
        )
    path = options["prompt_file"]
    others = {name: value for name, value in options.items() if name != "prompt_file"}
    return {**others, "prompt": read_prompt(path)}


def require_text_name(path: Path) -> None:
    """Raise `OutputError` if a path has the suffix of an audio file, an image or a MIDI file."""
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise OutputError(
            f"{path}: expected the name of a text file for a model of text, got {path.suffix!r}; "
            f"try {path.stem}.txt"
        )


def write(texts: Sequence[Iterable[str]], file: TextIO, *, lines: bool) -> None:
    """Write texts while they are generated.

    Args:
        texts: iterables of strings.
        file: where to write. A terminal also gets a final newline.
        lines: end every text with a newline, instead of writing a separator between texts.

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
            yield f"\n{SEPARATOR}\n"
        yield from text
        if lines:
            yield "\n"
