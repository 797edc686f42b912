"""The cache folder and the JSON files in it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen.utils import schema
from seqgen.utils.archives import read_regular
from seqgen.utils.atomic_files import atomic_write

if TYPE_CHECKING:
    from seqgen.types import Json

MOST_BYTES = 1 << 28  # of a cached file


def cache_folder() -> Path:
    """The folder that `SEQGEN_CACHE` names, or else the user's cache folder for seqgen."""
    if folder := os.environ.get("SEQGEN_CACHE"):
        return Path(folder).expanduser()
    import pooch

    return Path(pooch.os_cache("seqgen"))


def read_json(path: Path) -> Any:
    """The content of a cached JSON file, or None if it is missing, damaged or larger than
    `MOST_BYTES`.

    Callers check the content: another version, or another program, may have written it.

    >>> read_json(Path("no-such-folder/trials.json")) is None
    True
    """
    try:
        return json.loads(read_regular(path, MOST_BYTES))
    except (OSError, ValueError, RecursionError, MemoryError):
        return None


def read_entries(path: Path, check: schema.Check) -> Json:
    """The members of a cached JSON object that pass a check; none if the file cannot be read.

    >>> read_entries(Path("no-such-folder/costs.json"), schema.flag)
    {}
    """
    data = read_json(path)
    return {k: v for k, v in data.items() if _passes(check, v)} if isinstance(data, dict) else {}


def _passes(check: schema.Check, value: object) -> bool:
    try:
        check(value)
    except schema.SchemaError:
        return False
    return True


def write_json(path: Path, data: object) -> None:
    """Write a JSON file atomically; missing folders are created.

    Write errors are ignored: without the cache, the next run is only slower.
    """
    with suppress(OSError):
        if path.exists() and not path.is_file():  # such as a pipe, into which nobody looks
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(data, separators=(",", ":")), "utf-8")
