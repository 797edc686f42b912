"""The cache folder, and small JSON files in it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from seqgen.utils.atomic_files import atomic_write


def cache_folder() -> Path:
    """The user's cache folder for seqgen, or the one that `SEQGEN_CACHE` names."""
    if folder := os.environ.get("SEQGEN_CACHE"):
        return Path(folder).expanduser()
    import pooch

    return Path(pooch.os_cache("seqgen"))


def read_json(path: Path) -> Any:
    """The content of a cached JSON file, or None where there is none or it is damaged.

    >>> read_json(Path("no-such-folder/trials.json")) is None
    True
    """
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file atomically, with the folders above it.

    A cache that cannot be written only makes the next run slower, so that is no error.
    """
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(data, separators=(",", ":")), "utf-8")
