"""Fuzzing that is guided by coverage, of the parsers of bytes that are seqgen's own.

    pip install atheris
    python -m tests.guided_fuzz midi|abc|humdrum|musicxml|schema [-max_total_time=120] [CORPUS]

The options are those of libFuzzer. An input that raises anything but `SeqgenError` is kept as a
file, and so is one that takes longer than `-timeout=10` seconds. `CORPUS` is a folder of inputs to
begin with, where those that reach new code are kept.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from seqgen.errors import SeqgenError

NAMES = {"midi": "a.mid", "abc": "a.abc", "humdrum": "a.krn", "musicxml": "a.musicxml"}


def reader(name: str) -> Callable[[bytes], None]:
    """Return a function that reads a file of the name, as written and as played."""
    from seqgen.music.io.read import read
    from seqgen.music.io.result import from_json, to_json

    def run(data: bytes) -> None:
        for expand_repeats in (False, True):
            result = read(name, data, expand_repeats=expand_repeats)
            assert result.pieces or result.reason
            assert from_json(to_json(result)) == result

    return run


def checker() -> Callable[[bytes], None]:
    """Return a function that checks `seqgen.json` of a model file."""
    from seqgen.model_file import SCHEMA

    def run(data: bytes) -> None:
        with suppress(ValueError, RecursionError):  # which those who load a model expect
            SCHEMA(json.loads(data))

    return run


def main() -> None:
    target, *options = sys.argv[1:]
    atheris: Any = importlib.import_module("atheris")  # not a dependency of the tests
    with atheris.instrument_imports(include=["seqgen"]):  # imports inside these functions
        run = checker() if target == "schema" else reader(NAMES[target])

    def one(data: bytes) -> None:
        with suppress(SeqgenError):
            run(data)

    atheris.Setup([sys.argv[0], "-timeout=10", "-rss_limit_mb=2048", *options], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
