"""From what a user names to a corpus."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.tasks import base, detect


def load_corpus(
    *corpora: str | Path, task: str | None = None, progress: bool = False, **options: Any
) -> Corpus:
    """Read a corpus.

    Args:
        corpora: paths, folders, globs, `-` for standard input, or names that `seqgen corpora`
            lists.
        task: the name of a task; detected from the files by default.
        progress: draw a progress bar on stderr, of downloading or reading.
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
    found = catalogue.find(corpora, progress=progress)
    name = task or found.task or detect.task_of(found.sources)
    reader = base.get(name)
    options = {**found.options, **options}
    known = reader.read_options()
    for option in options.keys() - known:
        others = [each for each in base.names() if option in base.get(each).read_options()]
        advice = f", and --task {others[0]} would read it otherwise" if others else ""
        raise ConfigError(
            f"{option}: not an option of {name}; this corpus is read as {name}{advice}"
        )
    if "progress" in known:
        options["progress"] = progress
    corpus = reader.read(found.sources, name=found.name, **options)
    notes = (*found.terms, *corpus.notes)
    return dataclasses.replace(corpus, notes=notes, arguments=tuple(map(str, corpora)))
