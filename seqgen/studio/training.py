"""Training from the page: `POST /api/runs`, its progress as server-sent events, and its end.

A run goes on when the page is closed. When the studio stops, its runs end early and their models
are saved.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path, PurePath

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from seqgen.errors import ConfigError
from seqgen.studio.batcher import BusyError
from seqgen.studio.bodies import decoded, read_json
from seqgen.studio.library import SUFFIX, Library
from seqgen.tasks import base
from seqgen.types import Json
from seqgen.utils import schema

MOST_RUNS = 1  # at a time; a second one would only slow down the first
MOST_BYTES = 64 << 20  # of a request with files
MOST_EVENTS = 20_000  # of a run that are kept; steps are left out first
SECONDS_TO_SAVE = 120.0  # when the studio stops
SECONDS_BETWEEN_LOOKS = 0.1
NAME = re.compile(r"\w[\w .-]{0,79}")
STEP = "step"
SCHEMA = schema.record(
    {"name": schema.text(80, least=1), "minutes": schema.number(0.01, 10_000)},
    {
        "files": schema.sequence(
            schema.record({"name": schema.text(500, least=1), "data": schema.text(MOST_BYTES)}),
            most=10_000,
        ),
        "text": schema.text(MOST_BYTES),
        "task": schema.optional(schema.choice(base.names())),
        "lines": schema.flag,
    },
)


class UnknownRunError(ConfigError):
    """A number that no run has."""


class Run:
    """A run of training, in a process of its own.

    Args:
        number: of the run.
        source: the folder with its corpus, which is deleted at the end.
        request: as `training_process.run` gets it.
    """

    def __init__(self, number: int, source: Path, request: Json) -> None:
        self.number = number
        self.name = Path(request["output"]).stem
        self.events: list[Json] = []
        self.is_finished = False
        self._source = source
        self._process = subprocess.Popen(
            [sys.executable, "-m", "seqgen.studio.training_process"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            encoding="utf-8", start_new_session=True,  # so that Ctrl-C reaches the studio only
        )  # fmt: skip
        assert self._process.stdin
        with self._process.stdin as pipe:
            json.dump(request, pipe)
        self._errors = ""
        for work in (self._read_errors, self._read):
            threading.Thread(target=work, daemon=True).start()

    def _read_errors(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self._errors = (self._errors + line)[-2000:]

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._add(json.loads(line))
        code = self._process.wait()
        if not self.events or self.events[-1]["kind"] not in ("done", "error"):
            last = self._errors.strip().splitlines()[-1:]
            self._add({"kind": "error", "text": f"the training process ended ({code}): {last}"})
        self.is_finished = True
        shutil.rmtree(self._source, ignore_errors=True)

    def _add(self, event: Json) -> None:
        """Keep an event. Of steps that follow each other, a long run keeps the last one."""
        is_step = event["kind"] == STEP
        if is_step and len(self.events) > MOST_EVENTS and self.events[-1]["kind"] == STEP:
            self.events[-1] = event
        else:
            self.events.append(event)

    def facts(self) -> Json:
        """What the list of runs shows."""
        return {"id": self.number, "name": self.name, "finished": self.is_finished}

    def stop(self) -> None:
        """End the run early; its model is saved."""
        if not self.is_finished:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait until the process has ended, at most `seconds`."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()


class Training:
    """The runs and their handlers.

    Args:
        library: to whose folder models are written.
        is_stopping: whether the studio stops, so that endless responses must end.
    """

    def __init__(self, library: Library, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self._library = library
        self._is_stopping = is_stopping
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()

    async def start(self, request: Request) -> Response:
        """Start a run."""
        data = await read_json(request, SCHEMA, 2 * MOST_BYTES)
        run = await run_in_threadpool(self._start, data)
        return JSONResponse(run.facts(), 201)

    def _start(self, data: Json) -> Run:
        name = data["name"].strip()
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"name: expected letters, digits, spaces, dots and hyphens, got {name!r}; choose "
                "another one"
            )
        with self._lock:
            if sum(not run.is_finished for run in self._runs.values()) >= MOST_RUNS:
                raise BusyError("a model is being trained already; wait for it, or stop it")
            path = self._library.new_path(name + SUFFIX)
            folder = Path(tempfile.mkdtemp(prefix="seqgen-run-"))
            try:
                source = write_corpus(folder, name, data)
                request = {
                    "source": str(source),
                    "output": str(path),
                    "options": {"minutes": data["minutes"]},
                    "corpus_options": corpus_options(data),
                }
                number = len(self._runs) + 1
                run = self._runs[number] = Run(number, folder, request)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            return run

    async def list(self, request: Request) -> Response:
        """All runs since the start."""
        return JSONResponse({"data": [run.facts() for run in self._runs.values()]})

    async def stop(self, request: Request) -> Response:
        """End a run early; its model is saved."""
        self._get(request).stop()
        return JSONResponse({}, 202)

    async def events(self, request: Request) -> Response:
        """Everything that happened in a run, and what happens from now on."""
        events = self._events(self._get(request))
        return StreamingResponse(events, media_type="text/event-stream")

    async def _events(self, run: Run) -> AsyncIterator[str]:
        sent = 0
        while not self._is_stopping():
            is_finished = run.is_finished  # before the events are read
            new = run.events[sent:]
            sent += len(new)
            for event in new:
                yield f"data: {json.dumps(event)}\n\n"
            if is_finished:
                break
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    def _get(self, request: Request) -> Run:
        run = self._runs.get(request.path_params["number"])
        if run is None:
            raise UnknownRunError("run: expected the number of a run, got another one")
        return run

    def close(self) -> None:
        """End all runs early, and wait until their models are saved."""
        for run in self._runs.values():
            run.stop()
        for run in self._runs.values():
            run.wait(SECONDS_TO_SAVE)


def corpus_options(data: Json) -> Json:
    """Options of `load_corpus` that a request gives."""
    options = {"task": data["task"]} if data.get("task") else {}
    return {**options, "lines": True} if data.get("lines") else options


def write_corpus(folder: Path, name: str, data: Json) -> Path:
    """Write the files or the text of a request, and return what `load_corpus` should read.

    Names of files never have folders: `../x` becomes `x`.

    Raises:
        ConfigError: there are none, or both.
        ConfigError: a file is not in base64.
    """
    files, text = data.get("files") or [], data.get("text") or ""
    if bool(files) == bool(text.strip()):
        raise ConfigError("files: expected either files or a text, got " + ("both" if files else
                          "neither; choose a file, or paste a text"))  # fmt: skip
    if text:
        path = folder / f"{name}.txt"
        path.write_text(text, encoding="utf-8")
        return path
    corpus = folder / name
    corpus.mkdir()
    for number, file in enumerate(files, 1):
        plain = PurePath(file["name"].replace("\\", "/")).name.replace("\0", "")[-100:]
        own = plain if plain not in ("", ".", "..") else f"{number}.txt"
        path = corpus / own
        while path.exists():
            path = path.with_name(f"{number}-{path.name}")
        path.write_bytes(decoded("files", file["data"]))
    paths = list(corpus.iterdir())
    return paths[0] if len(paths) == 1 else corpus
