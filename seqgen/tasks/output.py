"""What tasks share when they write outputs: results on stdout, files that keep what was there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqgen.utils.atomic_files import unused_path

Say = Callable[[str], None]  # tells the user something that is no result


def print_result(result: Any) -> None:
    """A line on stdout, at once: a full disk or a closed pipe is noticed here, not at exit."""
    print(result, file=sys.stdout, flush=True)


def print_json(data: Any) -> None:
    """A result for a program to read, as one line of JSON on stdout."""
    print_result(json.dumps(data, ensure_ascii=False))


def say_if_kept(path: Path, say: Say) -> None:
    """Tell the user that a file with the name of an output is renamed, not replaced."""
    if path.exists():
        say(f"{path} is there already; it will be kept as {unused_path(path)}")
