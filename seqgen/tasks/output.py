"""Output functions that tasks and commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from seqgen.utils.atomic_files import renamed_to

Say = Callable[[str], None]  # shows a message, which is not a result, to the user


def print_result(result: object) -> None:
    """Print a line on stdout and flush, so that a full disk or a closed pipe raises here."""
    print(result, file=sys.stdout, flush=True)


def print_json(data: object) -> None:
    """Print a result as one line of JSON on stdout."""
    print_result(json.dumps(data, ensure_ascii=False))


def say_if_renamed(path: Path, say: Say) -> None:
    """Tell the user if an existing file is going to be renamed to make room for an output."""
    if renamed := renamed_to(path):
        say(f"{path} already exists; it is renamed to {renamed}")
