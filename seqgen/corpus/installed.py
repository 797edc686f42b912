"""Corpora that are installed with Python or another package, found without reading them."""

from __future__ import annotations

import importlib.util
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from seqgen.corpus import digits, packages
from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError

STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
# Folders that `python-code` skips: some tests of the standard library are broken or binary on
# purpose, and installed packages are not part of it.
NOT_STANDARD_LIBRARY = {"test", "tests", "idle_test", "site-packages", "dist-packages"}


def _python_docs() -> list[Source]:
    try:
        from pydoc_data.topics import topics
    except ImportError as error:
        raise CorpusError(
            "python-docs: this Python lacks its help texts (pydoc_data); "
            "install the full Python of your system, or choose another corpus"
        ) from error
    text = "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
    return [Source("python-docs", data=text.encode("utf-8"))]


def _has_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package that should contain it
        return False


def _python_files() -> Iterator[Path]:
    """The source files of the standard library, in any order."""
    for path in STANDARD_LIBRARY.rglob("*.py"):
        parts = path.relative_to(STANDARD_LIBRARY).parts
        if path.stat().st_size and not NOT_STANDARD_LIBRARY.intersection(parts):
            yield path


def _python_code() -> list[Source]:
    files = sorted(_python_files())
    if not files:
        raise CorpusError(
            f"python-code: this Python has no source files in {STANDARD_LIBRARY}; choose another "
            "corpus"
        )
    return [Source(str(path.relative_to(STANDARD_LIBRARY)), path) for path in files]


class Installed(NamedTuple):
    """How an installed corpus is found and read."""

    read: Callable[[], list[Source]]
    is_here: Callable[[], bool]  # without reading it


INSTALLED = {
    "python-docs": Installed(_python_docs, lambda: _has_module("pydoc_data.topics")),
    "python-code": Installed(_python_code, lambda: any(_python_files())),
    "digits": Installed(digits.read, lambda: digits.path() is not None),
    "names-by-origin": Installed(packages.names_by_origin, lambda: _has_module("faker")),
}
