"""Files from outside: music for primers, and models. A process of its own reads them first.

The formats are complicated, and a file may be made to make its reader hang or fill the memory; the
process has limits of time and memory (`seqgen.utils.child`), and its result comes back as JSON.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path, PurePath

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seqgen.errors import ConfigError, ModelFileError, MusicError, SeqgenError
from seqgen.music.io.result import RESULT
from seqgen.studio.bodies import chunks, read_bytes
from seqgen.studio.library import Library
from seqgen.studio.places import Places
from seqgen.types import Json
from seqgen.utils.child import CallError, Child, serve

MOST_MUSIC = 4 << 20  # bytes of a file of music
MOST_MODEL = 512 << 20  # bytes of a model
SECONDS = 20.0  # of processor time for any file
BYTES_PER_SECOND = 2_000_000  # of a file, for each of which there is one more
LONGEST_NAME = 200
CHILD = Child(__name__)


def read_music(name: str, data: bytes) -> Json:
    """The pieces of a file of music, as `seqgen.music.io.result.to_json`.

    Raises:
        MusicError: it holds no piece that can be used.
    """
    found = _answer_of("music", name, data, len(data))
    if not isinstance(found, dict):
        raise MusicError(f"{name}: {found}")
    RESULT(found)
    if found["reason"]:
        raise MusicError(f"{name} {found['reason']}")
    return found


def require_model(path: Path, name: str) -> None:
    """Raise `ModelFileError` unless a file is a model; `name` is what messages call it."""
    found = _answer_of("model", str(path), b"", path.stat().st_size)
    if found is not None:
        raise ModelFileError(str(found).replace(str(path), name))


def _answer_of(kind: str, name: str, data: bytes, size: int) -> object:
    head = json.dumps([kind, name]).encode()
    try:
        return json.loads(CHILD.call(head + b"\n" + data, SECONDS + size / BYTES_PER_SECOND))
    except CallError as error:
        return f"cannot be read: its reader {error}"


def _answer(request: bytes) -> bytes:
    head, _, data = request.partition(b"\n")
    kind, name = json.loads(head)
    try:
        return json.dumps((_music if kind == "music" else _model)(name, data)).encode()
    except SeqgenError as error:
        return json.dumps(str(error)).encode()
    except (MemoryError, RecursionError):
        return json.dumps("cannot be read: it needs too much memory").encode()


def _music(name: str, data: bytes) -> Json | None:
    from seqgen.music.io.read import read
    from seqgen.music.io.result import to_json

    return to_json(read(name, data))


def _model(path: str, data: bytes) -> None:
    from seqgen import model

    loaded = model.load(path)
    if loaded.data.task != "labels":
        loaded.engine.initial_state(1)


def main() -> None:
    """Answer calls."""
    import seqgen.model
    import seqgen.music.io.read  # noqa: F401  (once, before the first file and its limits)

    serve(_answer)


def file_name(request: Request) -> str:
    """The name of an uploaded file, without folders.

    Raises:
        ConfigError: there is none.
    """
    name = PurePath(request.query_params.get("name", "").replace("\\", "/")).name
    if not name or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ConfigError("name: expected the name of the file, got none that can be used")
    return name


class Uploads:
    """The handlers of `POST /api/music` and `POST /api/library`.

    Args:
        library: the models.
        places: for calls that take long.
    """

    def __init__(self, library: Library, places: Places) -> None:
        self._library = library
        self._places = places

    async def music(self, request: Request) -> Response:
        """The pieces of a file, as JSON."""
        name = file_name(request)
        data = await read_bytes(request, MOST_MUSIC)
        return JSONResponse(await self._places.run(read_music, name, data))

    async def model(self, request: Request) -> Response:
        """Add a model to the library."""
        name = file_name(request)
        self._library.new_path(name)  # raises early if the name cannot be used
        file, temporary = await run_in_threadpool(self._temporary)
        try:
            with os.fdopen(file, "wb") as output:
                async for chunk in chunks(request, MOST_MODEL):
                    await run_in_threadpool(output.write, chunk)
            await self._places.run(require_model, temporary, name)
            path = temporary.replace(self._library.new_path(name))
            entry = self._library.at(path)
            return JSONResponse(await run_in_threadpool(entry.facts), 201)
        finally:
            with suppress(OSError):
                temporary.unlink()

    def _temporary(self) -> tuple[int, Path]:
        """A new file in the library's folder, whose name no model has."""
        try:
            file, name = tempfile.mkstemp(".part", ".upload-", self._library.folder)
        except OSError as error:
            raise ConfigError(
                f"{self._library.folder.name}: cannot be written: {error.strerror}; start the "
                "studio with a folder that can"
            ) from error
        return file, Path(name)
