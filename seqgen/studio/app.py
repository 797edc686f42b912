"""The ASGI application of the studio: routes → handlers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from seqgen._version import __version__
from seqgen.errors import ConfigError, SeqgenError
from seqgen.studio import errors, openapi
from seqgen.studio.completions import Completions
from seqgen.studio.copies import Copies
from seqgen.studio.labels import Labels
from seqgen.studio.library import Entry, Library
from seqgen.studio.pictures import Pictures
from seqgen.studio.places import Places
from seqgen.studio.security import Security, is_loopback
from seqgen.studio.training import Training, UnknownRunError
from seqgen.studio.tunes import Tunes
from seqgen.studio.uploads import Uploads
from seqgen.types import Json
from seqgen.utils.schema import SchemaError

STATIC = Path(__file__).parent / "static"
MODELS_VARIABLE = "SEQGEN_STUDIO_MODELS"  # paths, separated as in PATH
HOST_VARIABLE = "SEQGEN_STUDIO_HOST"
TOKEN_VARIABLE = "SEQGEN_STUDIO_TOKEN"

Handler = Callable[[Request], Awaitable[Response]]


def create_app(
    library: Library,
    *,
    host: str = "127.0.0.1",
    token: str = "",
    is_stopping: Callable[[], bool] = lambda: False,
) -> Starlette:
    """The application.

    Args:
        library: the models.
        host: on which the server listens.
        token: what requests must name; required unless only this machine can reach the host.
        is_stopping: whether the server stops, so that endless responses must end.

    Raises:
        ConfigError: other machines can reach the host, and there is no token.
    """
    if not is_loopback(host) and not token:
        raise ConfigError(
            f"host: other machines can reach {host}; expected a token too, got none; add --token"
        )
    places, training = Places(), Training(library, is_stopping)
    tunes, uploads = Tunes(library, places), Uploads(library, places)
    models = _Models(library)
    completions, copies = Completions(library), Copies(library)
    pictures, labels = Pictures(library, places), Labels(library, places)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(training.close)
        library.close()

    routes = [
        Route("/v1/completions", _called(completions), methods=["POST"]),
        Route("/v1/models", models.list, methods=["GET"]),
        Route("/v1/models/{name:path}", models.one, methods=["GET"]),
        Route("/v1/tunes", tunes.compose, methods=["POST"]),
        Route("/api/library", models.facts, methods=["GET"]),
        Route("/api/library", uploads.model, methods=["POST"]),
        Route("/api/music", uploads.music, methods=["POST"]),
        Route("/api/render", tunes.render, methods=["POST"]),
        Route("/api/copies", _called(copies), methods=["POST"]),
        Route("/api/pictures", _called(pictures), methods=["POST"]),
        Route("/api/labels", _called(labels), methods=["POST"]),
        Route("/api/runs", training.list, methods=["GET"]),
        Route("/api/runs", training.start, methods=["POST"]),
        Route("/api/runs/{number:int}/events", training.events, methods=["GET"]),
        Route("/api/runs/{number:int}/stop", training.stop, methods=["POST"]),
        Route("/openapi.json", _schema, methods=["GET"]),
        Route("/docs", _page("api.html"), methods=["GET"]),
        Route("/", _page("index.html"), methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Security, host=host, token=token)],
        exception_handlers={
            SeqgenError: _known_error,
            SchemaError: _known_error,
            UnknownRunError: _known_error,
            HTTPException: _http_error,
            Exception: _unknown_error,
        },
        lifespan=lifespan,
    )


def from_environment() -> Starlette:
    """The application for process managers, such as `uvicorn --factory`; see docs/studio.md."""
    paths = [path for path in os.environ.get(MODELS_VARIABLE, "").split(os.pathsep) if path]
    return create_app(
        Library(paths),
        host=os.environ.get(HOST_VARIABLE, "127.0.0.1"),
        token=os.environ.get(TOKEN_VARIABLE, ""),
    )


def _called(handler: Handler) -> Handler:
    """A handler that is an object, as the function that Starlette expects."""

    async def call(request: Request) -> Response:
        return await handler(request)

    return call


class _Models:
    """The handlers of `/v1/models` and `/api/library`."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def list(self, request: Request) -> Response:
        """The models, in the form of OpenAI's API."""
        entries = await run_in_threadpool(self._library.entries)
        return JSONResponse({"object": "list", "data": [_openai(entry) for entry in entries]})

    async def one(self, request: Request) -> Response:
        """One model, in the form of OpenAI's API."""
        entry = await run_in_threadpool(self._library.get, request.path_params["name"])
        return JSONResponse(_openai(entry))

    async def facts(self, request: Request) -> Response:
        """The models as the page shows them."""

        def find() -> Json:
            data = [entry.facts() for entry in self._library.entries()]
            return {"folder": self._library.folder.name, "version": __version__, "data": data}

        return JSONResponse(await run_in_threadpool(find))


def _openai(entry: Entry) -> Json:
    try:
        created = int(entry.path.stat().st_mtime)
    except OSError:
        created = 0
    return {"id": entry.name, "object": "model", "created": created, "owned_by": "seqgen"}


def _page(name: str) -> Handler:
    async def page(request: Request) -> Response:
        return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})

    return page


async def _schema(request: Request) -> Response:
    return JSONResponse(openapi.schema())


async def _known_error(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, UnknownRunError) else errors.status_of(error)
    return errors.response(status, str(error))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = f"{request.method} {request.url.path[:200]}"
    text = {404: f"expected a path of the studio, got {path}; see /docs",
            405: f"expected another method, got {path}; see /docs"}  # fmt: skip
    return errors.response(error.status_code, text.get(error.status_code, error.detail))


async def _unknown_error(request: Request, error: Exception) -> Response:
    return errors.response(500, "the studio failed; its terminal shows why")
