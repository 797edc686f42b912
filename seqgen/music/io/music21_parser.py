"""music21's parsers of scores, with less work, less noise, and a bound on meters.

music21 has no options for what is changed here: it creates its streams, meters and environments
itself, deep inside its parsers. So three of its functions, and `warnings.warn`, are replaced while
a file is read, by functions that check which thread calls them. In all other threads they do what
they always do.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqgen.errors import MusicError

if TYPE_CHECKING:
    from seqgen.music.io.music21_types import Score

MAX_METER = 128  # music21 divides a bar in all possible ways, which takes forever for 10000/4
NOT_COUNTED = "out of midi channels"  # a warning that matters only for playback
LOCK = threading.Lock()  # one thread at a time replaces functions


def scores(path: Path, counts: Counter[str]) -> list[Score]:
    """Return music21's scores of a file, and add to the count of `music21 warnings`.

    Raises:
        Exception: anything at all if the file is damaged.
    """
    from music21 import converter, stream

    with LOCK, _adapted(counts):
        parsed = converter.parse(path, forceSource=True, storePickle=False)
    return list(parsed.scores) if isinstance(parsed, stream.Opus) else [parsed]


@contextmanager
def _adapted(counts: Counter[str]) -> Iterator[None]:
    """Adapt music21 for this thread: no beams, and warnings are counted."""
    from music21 import environment, meter, stream

    load = meter.TimeSignature.load

    def bounded_load(signature: Any, value: str, *rest: Any) -> None:
        if any(int(number) > MAX_METER for number in re.findall(r"\d+", value)):
            raise MusicError(f"has a meter that nobody writes: {value[:40]}")
        load(signature, value, *rest)

    def unchanged(part: Any, **options: Any) -> Any:
        return part

    def count_message(environment: Any, *message: Any) -> None:
        counts["music21 warnings"] += 1

    with ExitStack() as stack:
        for owner, name, function in (
            (stream.Part, "makeBeams", unchanged),
            (meter.TimeSignature, "load", bounded_load),
            (environment.Environment, "warn", count_message),
        ):
            stack.enter_context(_replaced_in_this_thread(owner, name, function))
        stack.enter_context(_counted_warnings(counts))
        yield


@contextmanager
def _replaced_in_this_thread(
    owner: object, name: str, function: Callable[..., Any]
) -> Iterator[None]:
    """Replace a function while this thread calls it; other threads call the original.

    >>> class Bell:
    ...     def ring(self): return "ding"
    >>> with _replaced_in_this_thread(Bell, "ring", lambda bell: "dong"): Bell().ring()
    'dong'
    >>> Bell().ring()
    'ding'
    """
    original = getattr(owner, name)
    this_thread = threading.get_ident()

    @wraps(original)
    def dispatch(*arguments: Any, **options: Any) -> Any:
        is_here = threading.get_ident() == this_thread
        return (function if is_here else original)(*arguments, **options)

    setattr(owner, name, dispatch)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def _counted_warnings(counts: Counter[str]) -> Iterator[None]:
    """Count the warnings that music21 issues in this thread instead of showing them.

    `warnings.catch_warnings` would also catch the warnings of other threads.
    """
    original = warnings.warn
    this_thread = threading.get_ident()

    def warn(
        message: Any, category: Any = None, stacklevel: int = 1, *rest: Any, **more: Any
    ) -> None:
        kind = type(message) if isinstance(message, Warning) else category or UserWarning
        if threading.get_ident() != this_thread or not kind.__module__.startswith("music21"):
            original(message, category, stacklevel + 1, *rest, **more)  # this frame is one more
        elif NOT_COUNTED not in str(message):
            counts["music21 warnings"] += 1

    warnings.warn = warn
    try:
        yield
    finally:
        warnings.warn = original
