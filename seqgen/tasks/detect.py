"""Which kind of sequence files hold: text or music."""

from __future__ import annotations

from collections.abc import Sequence

from seqgen.corpus.sources import Source
from seqgen.music.io.read import SNIFFED_BYTES, is_music

TASKS = ("text", "music")


def task_of(sources: Sequence[Source]) -> str:
    """What most of the files are.

    >>> task_of([Source("tune.mid", data=b"MThd"), Source("x.abc", data=b"X:1"), Source("README")])
    'music'
    """
    music = sum(_is_music(source) for source in sources)
    return "music" if music > len(sources) / 2 else "text"


def _is_music(source: Source) -> bool:
    with source.open() as file:
        return is_music(source.label, file.read(SNIFFED_BYTES))
