"""What a user names → a corpus, of text or of music."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.tasks.text import corpus as text


def load_corpus(
    *corpora: str | Path, task: str | None = None, progress: bool = False, **options: Any
) -> Corpus:
    """Read a corpus.

    Args:
        corpora: paths, folders, globs, `-` for standard input, or names that `seqgen corpora`
            lists.
        task: text or music; told from the files, unless given.
        progress: draw a progress bar on stderr, of a download or of reading music.
        options: of `seqgen.tasks.text.corpus.read` or `seqgen.tasks.music.corpus.read`:
            `validation`, `encoding`, `lines`, `min_count`; `transpose`, `velocity`,
            `expand_repeats`, `voices`.

    Raises:
        CorpusError: it cannot be found or read, or holds nothing to learn from.
        ConfigError: an option is out of its range, or of the other task.
        DownloadError: a named corpus cannot be fetched.

    >>> load_corpus("python-docs").name
    'python-docs'
    """
    from seqgen.tasks import detect

    found = catalogue.find(corpora, progress=progress)
    task = task or found.task or detect.task_of(found.sources)
    options = {**found.options, **options}
    if task == "music":
        from seqgen.tasks.music import corpus as music

        options["progress"] = progress
        reader: Callable[..., Corpus] = music.read
    else:
        reader = text.read
    known = inspect.signature(reader).parameters
    for option in options.keys() - known.keys():
        raise ConfigError(
            f"{option}: not an option of {task}; this corpus is read as {task}, "
            f"and --task {'text' if task == 'music' else 'music'} would read it otherwise"
        )
    corpus = reader(found.sources, name=found.name, **options)
    notes = (*found.terms, *corpus.notes)
    return dataclasses.replace(corpus, notes=notes, arguments=tuple(map(str, corpora)))
