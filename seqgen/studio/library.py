"""The models of a studio: found in files and folders, loaded once, and shared by all requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqgen import model
from seqgen.errors import ConfigError, ModelFileError, OutputError, SeqgenError, shown
from seqgen.model import Model
from seqgen.model_file import require_model_path
from seqgen.reporting import summaries
from seqgen.studio.batcher import Batcher
from seqgen.types import Json
from seqgen.utils.atomic_files import unused_path

SUFFIX = ".keras"
DEFAULT_FOLDERS = ("models", ".")  # the first one that exists


class UnknownModelError(ConfigError):
    """A name that no model of the library has."""


@dataclass(eq=False)
class Entry:
    """A model file, loaded on first use and again when it has changed."""

    name: str
    path: Path
    _model: Model | None = None
    _batcher: Batcher | None = None
    _version: tuple[int, int] = (0, 0)  # time of the last change, and size
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> Model:
        """The model.

        Raises:
            ModelFileError: the file is missing, damaged, or no model.
        """
        with self._lock:
            try:
                status = self.path.stat()
            except OSError as error:
                reason = error.strerror
                raise ModelFileError(f"{self.path.name}: cannot be read: {reason}") from error
            version = status.st_mtime_ns, status.st_size
            if self._model is None or version != self._version:
                self._model, self._version = model.load(self.path), version
                self.close()
            return self._model

    def load_with_batcher(self) -> tuple[Model, Batcher]:
        """The model, and what runs its streams; errors as for `load`."""
        with self._lock:
            loaded = self.load()
            if self._batcher is None:
                self._batcher = Batcher(loaded)
            return loaded, self._batcher

    def close(self) -> None:
        """End the thread of the model."""
        if self._batcher is not None:
            self._batcher.close()
            self._batcher = None

    def facts(self) -> Json:
        """What the page shows of the model; `error` if it cannot be used."""
        facts: Json = {"id": self.name, "file": self.path.name}
        try:
            data = self.load().data
        except SeqgenError as error:
            return {**facts, "error": str(error)}
        metadata = summaries.model_metadata(data)
        return {
            **facts,
            "bytes": self._version[1],
            "created": self._version[0] // 1_000_000_000,
            "task": data.task,
            "corpus": data.corpus["name"],
            "cell": f"{data.model_config.cell} {data.model_config.layers} x "
            f"{data.model_config.units}",
            "parameters": metadata["parameters"],
            "score": summaries.score(data),
            "keys": _known(data.vocabulary.tokens, "key:"),
            "meters": _known(data.vocabulary.tokens, "meter:"),
        }


def _known(tokens: Sequence[str], kind: str) -> list[str]:
    return [token.removeprefix(kind) for token in tokens if token.startswith(kind)]


class Library:
    """The models of files and folders. Threads may share it.

    Args:
        paths: model files, and folders of them; by default the folder `models`, or the current
            one.

    Raises:
        ModelFileError: a path does not exist.
    """

    def __init__(self, paths: Sequence[str | Path] = ()) -> None:
        if not paths:
            paths = [next(path for path in DEFAULT_FOLDERS if Path(path).is_dir())]
        self._paths = [Path(path) for path in paths]
        for path in self._paths:
            if not path.exists():
                raise ModelFileError(f"{shown(path)}: no such file or folder; check the name")
            if path.is_file():
                require_model_path(path)
        self._added: list[Path] = []  # paths that were given to new models
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        folders = [path for path in self._paths if path.is_dir()]
        # The folder to which models are added: no request can write anywhere else.
        self.folder = (folders or [path.parent for path in self._paths])[0].absolute()
        self.entries()

    def entries(self) -> list[Entry]:
        """All models, those of the files that are there now."""
        with self._lock:
            known = {entry.path: entry for entry in self._entries.values()}
            entries: dict[str, Entry] = {}
            for path in self._files():
                name, number = path.stem, 1
                while name in entries:
                    number += 1
                    name = f"{path.stem}-{number}"
                entry = known.pop(path, None) or Entry(name, path)
                entry.name = name
                entries[name] = entry
            for entry in known.values():
                entry.close()
            self._entries = entries
            return list(entries.values())

    def _files(self) -> list[Path]:
        """The paths of all model files, each once."""
        files: dict[Path, None] = {}
        for path in self._paths:
            found = [path] if path.is_file() else sorted(path.glob(f"*{SUFFIX}"))
            files |= dict.fromkeys(each.absolute() for each in found if each.is_file())
        return list(files | dict.fromkeys(path for path in self._added if path.is_file()))

    def get(self, name: str) -> Entry:
        """The model of a name, which is looked up and never read as a path.

        Raises:
            UnknownModelError: there is none.
        """
        entry = self._entries.get(name)
        if entry is None:
            entry = {each.name: each for each in self.entries()}.get(name)
        if entry is None:
            known = ", ".join(self._entries) or "none"
            raise UnknownModelError(f"model: expected one of {known}, got {shown(name)!r}")
        return entry

    def new_path(self, name: str) -> Path:
        """An unused path in the library's folder for a model.

        Raises:
            OutputError: it is no plain file name that ends in `.keras`.
        """
        is_plain = name == os.path.basename(name) and not name.startswith(".")  # noqa: PTH119
        if not is_plain or "\\" in name or not name.isprintable() or len(name) > 200:
            raise OutputError(f"expected the name of a file, got {shown(name)!r}; rename it")
        if not name.endswith(SUFFIX) or name == SUFFIX:
            raise OutputError(f"expected a file that ends in {SUFFIX}, got {shown(name)!r}")
        path = unused_path(self.folder / name)
        self._added.append(path)
        return path

    def at(self, path: Path) -> Entry:
        """The entry of a file that was written to `new_path`."""
        return next(entry for entry in self.entries() if entry.path == path)

    def close(self) -> None:
        """End the threads of all models."""
        for entry in self._entries.values():
            entry.close()
