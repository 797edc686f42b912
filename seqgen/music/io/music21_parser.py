"""music21's parsers of scores: without what only a page needs, without noise, within bounds."""

from __future__ import annotations

import re
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqgen.errors import MusicError

MOST_BEATS = 128  # in a meter: music21 divides a bar in all ways that there are
CHANNELS = "out of midi channels"  # a warning about playing more than 16 parts; nothing is lost
LOCK = threading.Lock()  # what is replaced in music21 is replaced for all threads


def scores(path: Path, counts: Counter[str]) -> list[Any]:
    """music21's scores of a file, and among the counts its `music21 warnings`.

    Raises:
        Exception: anything at all, where the file is damaged.
    """
    from music21 import converter, stream

    with LOCK, _adapted(counts):
        parsed = converter.parse(path, forceSource=True, storePickle=False)
    return list(parsed.scores) if isinstance(parsed, stream.Opus) else [parsed]


@contextmanager
def _adapted(counts: Counter[str]) -> Iterator[None]:
    """Half of the time of an ABC file goes into beams and into filling up bars.

    The latter, which music21 does at the same place, also invents meters such as 23/32.
    """
    from music21 import environment, meter, stream
    from music21.abcFormat import translate

    load = meter.TimeSignature.load

    def bounded(signature: Any, value: str, *rest: Any) -> None:
        if any(int(number) > MOST_BEATS for number in re.findall(r"\d+", value)):
            raise MusicError(f"has a meter that nobody writes: {value[:40]}")
        load(signature, value, *rest)

    def nothing(part: Any, **options: Any) -> Any:
        return part

    def warn(environment: Any, *message: Any) -> None:
        counts["music21 warnings"] += 1

    replaced = (
        (stream.Part, "makeBeams", nothing),
        (translate, "reBar", nothing),
        (meter.TimeSignature, "load", bounded),
        (environment.Environment, "warn", warn),
    )
    before = [getattr(owner, name) for owner, name, _ in replaced]
    try:
        for owner, name, new in replaced:
            setattr(owner, name, new)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
    finally:
        for (owner, name, _), old in zip(replaced, before, strict=True):
            setattr(owner, name, old)
    counts["music21 warnings"] += sum(
        warning.category.__module__.startswith("music21") and CHANNELS not in str(warning.message)
        for warning in warned
    )
