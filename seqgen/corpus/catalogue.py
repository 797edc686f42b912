"""Corpora that have a name: embedded in Python itself, or fetched on first use and checked.

What is known of each stands in `data/catalogue.json`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from seqgen.corpus import sources
from seqgen.corpus.downloads import fetch
from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.utils.cache import cache_folder

# Tests of the standard library hold broken and binary-like text on purpose; the rest of these
# folders is not the standard library.
NOT_STANDARD_LIBRARY = {"test", "tests", "idle_test", "site-packages", "dist-packages"}

# The other files of music21's folders repeat these, or are licences and analyses.
MUSIC21_SCORES = {".abc", ".mxl", ".xml"}


@dataclass(frozen=True)
class Entry:
    """One named corpus."""

    name: str
    description: str
    source: str  # where it comes from, for a person
    licence: str
    url: str | None = None  # None: embedded
    sha256: str | None = None  # of the file at the url
    characters: int | None = None  # None: differs from one Python to the next
    start: str | None = None  # the text begins after the line that holds this,
    end: str | None = None  # and ends before the line that holds this
    task: str | None = None  # None: detected from the files
    files: str | None = None  # where it is many: the list of their paths and checksums, in data/
    folder: str | None = None  # of the corpus that music21 brings along
    pieces: int | None = None  # of music
    options: Mapping[str, Any] = field(default_factory=dict)  # how the task reads it
    terms: str | None = None  # what whoever uses it must know

    @property
    def path(self) -> Path | None:
        """Where a fetched corpus lies, once it is fetched: a file, or a folder."""
        name = self.name if self.files else f"{self.name}.txt"
        return cache_folder() / "downloads" / name if self.url else None

    @property
    def is_here(self) -> bool:
        """Whether the corpus is on this machine."""
        if self.folder is not None:
            return _music21_folder(self.folder) is not None
        if self.path is None:
            return self.size is not None
        names = [name.rpartition("/")[2] for name in _data(self.files)] if self.files else [""]
        return all((self.path / name).exists() for name in names)

    @cached_property
    def size(self) -> int | None:
        """Characters; None for an embedded corpus that this Python came without."""
        if self.characters is not None or self.pieces is not None:
            return self.characters
        try:
            texts = (source.open().read().decode("utf-8") for source in self.read())
            return sum(map(len, texts))
        except CorpusError:
            return None

    def read(self, *, progress: bool = False) -> list[Source]:
        """The sources, fetched first if they are not here.

        Args:
            progress: draw a progress bar of the download on stderr.

        Raises:
            DownloadError: it cannot be fetched, or its checksum differs.
            CorpusError: this Python came without it.
        """
        if self.folder is not None:
            return _music21_corpus(self.name, self.folder)
        if self.url is None:
            return EMBEDDED[self.name]()
        if self.files:
            return self._fetched_files(self.url, progress)
        assert self.path is not None
        fetch(self.name, self.url, self.sha256, self.path, progress=progress)
        text = self.path.read_bytes().decode("utf-8")
        if self.start and self.end:
            text = text.split(self.start, 1)[1].split("\n", 1)[1]
            text = text.split(self.end, 1)[0]
        return [Source(self.name, data=text.encode("utf-8"))]

    def _fetched_files(self, url: str, progress: bool) -> list[Source]:
        from tqdm import tqdm

        assert self.path is not None and self.files is not None
        checksums = _data(self.files)
        found = []
        for name in tqdm(checksums, self.name, file=sys.stderr, leave=False, disable=not progress):
            target = self.path / name.rpartition("/")[2]
            fetch(self.name, url + quote(name), checksums[name], target)
            found.append(Source(name, target))
        return found


def _python_docs() -> list[Source]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise CorpusError(
            "python-docs: this Python came without its help texts (pydoc_data); "
            "install your system's full Python, or name another corpus"
        ) from error
    text = "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
    return [Source("python-docs", data=text.encode("utf-8"))]


def _python_code() -> list[Source]:
    root = Path(sysconfig.get_path("stdlib"))
    files = [
        path
        for path in sorted(root.rglob("*.py"))
        if path.stat().st_size
        and not NOT_STANDARD_LIBRARY.intersection(path.relative_to(root).parts)
    ]
    if not files:
        raise CorpusError(
            f"python-code: this Python has no source files in {root}; name another corpus"
        )
    return [Source(str(path.relative_to(root)), path) for path in files]


def _music21_folder(name: str) -> Path | None:
    """A folder of the corpus that the package music21 brings along; it is not imported."""
    found = importlib.util.find_spec("music21")
    for package in found.submodule_search_locations or [] if found else []:
        folder = Path(package) / "corpus" / name
        if folder.is_dir():
            return folder
    return None


def _music21_corpus(name: str, folder_name: str) -> list[Source]:
    folder = _music21_folder(folder_name)
    if folder is None:
        raise CorpusError(
            f"{name}: the music21 that is installed came without its corpus; "
            "install the whole package, or name music of your own"
        )
    files = sorted(path for path in folder.iterdir() if path.suffix in MUSIC21_SCORES)
    return [Source(str(path.relative_to(folder.parent)), path) for path in files]


EMBEDDED = {"python-docs": _python_docs, "python-code": _python_code}


def read_catalogue() -> dict[str, Entry]:
    """Every named corpus by its name.

    >>> "python-docs" in read_catalogue()
    True
    """
    return {name: Entry(name, **facts) for name, facts in _data("catalogue.json").items()}


def _data(name: str) -> dict[str, Any]:
    package = Path(__file__).parents[1]
    installed = package / "data" / name  # a checkout has it one level up
    path = installed if installed.exists() else package.parent / "data" / name
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


class CorpusSpec(NamedTuple):
    """What the user named."""

    name: str
    sources: list[Source]
    task: str | None = None  # None: the files tell
    options: Mapping[str, Any] = {}  # how the task reads it
    terms: tuple[str, ...] = ()  # what whoever uses it must know


def find(corpora: Iterable[str | Path], *, progress: bool = False) -> CorpusSpec:
    """A name for the corpus, its sources in order, and what the catalogue says of it.

    Args:
        corpora: paths, folders, globs, `-` for standard input, or names of the catalogue.
        progress: draw a progress bar of a download on stderr.

    Raises:
        CorpusError: one of them is nothing of that.
        DownloadError: a named corpus cannot be fetched.

    >>> found = find(["python-docs"])
    >>> found.name, len(found.sources), found.task
    ('python-docs', 1, 'text')
    """
    texts = [str(corpus) for corpus in corpora]
    if not texts:
        raise CorpusError("no corpus named; expected a path, a folder, a glob, - or a name")
    entries = read_catalogue()
    found: list[Source] = []
    named: list[Entry] = []
    for text in texts:
        from_path = sources.from_path(text)
        if from_path is not None:
            found += from_path
        elif text in entries:
            found += entries[text].read(progress=progress)
            named.append(entries[text])
        else:
            raise CorpusError(
                f"{text}: no such file, folder or glob, and no named corpus; "
                f"the names are {', '.join(entries)}"
            )
    tasks = {entry.task for entry in named}
    if len(tasks) > 1:
        raise CorpusError(f"{', '.join(texts)}: music and text; a model learns one or the other")
    return CorpusSpec(
        name_of(texts[0]),
        found,
        named[0].task if named else None,
        named[0].options if len(texts) == 1 and named else {},
        tuple(f"{entry.name}: {entry.terms}" for entry in named if entry.terms),
    )


def name_of(corpus: str) -> str:
    """What a corpus is called, from the first path or name that was given.

    A glob is called after the folder that it looks in.

    >>> name_of("poems/dawn.txt"), name_of("poems/*.txt"), name_of("-")
    ('dawn', 'poems', 'stdin')
    """
    if corpus == "-":
        return "stdin"
    path = Path(corpus)
    try:
        if not path.exists():
            path = Path(*takewhile(lambda part: not set(part) & set("*?["), path.parts))
        name = path.resolve().name if path.is_dir() else path.resolve().stem
    except OSError:  # no path that there can be
        return "corpus"
    return name or "corpus"
