"""Detection of the task of files."""

from __future__ import annotations

from collections.abc import Sequence

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.tasks import base


def task_of(sources: Sequence[Source]) -> str:
    """The name of the task that detects more than half of the sources, else `FALLBACK`.

    >>> task_of([Source("tune.mid", data=b"MThd"), Source("x.abc", data=b"X:1"), Source("README")])
    'music'
    """
    for name in base.names():
        if name != base.FALLBACK:
            detected = sum(_detects(base.get(name), source) for source in sources)
            if detected > len(sources) / 2:
                return name
    return base.FALLBACK


def _detects(task: base.Task, source: Source) -> bool:
    try:
        return task.detect(source)
    except CorpusError:  # it cannot be read; the task says so, or skips it
        return False
