"""Loading of a corpus by path or name."""

from __future__ import annotations

from pathlib import Path

from seqgen.corpus import catalogue
from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError
from seqgen.tasks import base, detect


def load_corpus(
    *corpora: str | Path, task: str | None = None, progress: bool = False, **options: object
) -> Corpus:
    """Read and encode a corpus.

    Args:
        corpora: files, folders, globs, `-` for standard input, or names that `seqgen corpora`
            lists.
        task: the name of a task; detected from the files by default.
        progress: draw a progress bar on stderr while downloading and reading.
        options: of the task, see `seqgen.tasks.text.corpus.read` and
            `seqgen.tasks.music.corpus.read`.

    Raises:
        CorpusError: the corpus cannot be found or read, or contains nothing to learn.
        ConfigError: an option is out of range, or belongs to another task.
        DownloadError: a named corpus cannot be downloaded.

    >>> load_corpus("python-docs").name
    'python-docs'
    """
    found = catalogue.find(corpora, progress=progress)
    name = task or found.task or detect.task_of(found.sources)
    reader = base.get(name)
    options = {**found.options, **options}
    known = reader.read_options()
    for option in options.keys() - known:
        others = [other for other in base.names() if option in base.get(other).read_options()]
        advice = f"leave it out, or set task to {others[0]}" if others else "leave it out"
        raise ConfigError(
            f"{option}: expected an option of the task {name}, which reads this corpus; {advice}"
        )
    if "progress" in known:
        options["progress"] = progress
    origin = {"name": found.name, "arguments": tuple(map(str, corpora)), "terms": found.terms}
    return reader.read(found.sources, **options, **origin)
