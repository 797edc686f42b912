"""`POST /v1/completions`: texts, in the form of OpenAI's API."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from seqgen.errors import ConfigError
from seqgen.model import Model
from seqgen.sampling import decode
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import MAX_ROWS, GeneratedSequence
from seqgen.sampling.running_batch import Stream
from seqgen.sampling.sampler import Sampler
from seqgen.studio.batcher import Batcher, Job
from seqgen.studio.bodies import read_json
from seqgen.studio.errors import response, status_of
from seqgen.studio.library import Library
from seqgen.tasks.sampling_options import new_seed
from seqgen.tasks.text.generate import Advance, TextGenerator, TextStream
from seqgen.types import Ids, Json
from seqgen.utils import schema

DEFAULT_TOKENS = 16  # as in OpenAI's API
MOST_TOKENS = 1_000_000  # of one text
MOST_ALTERNATIVES = 10
MOST_STOPS = 4
LONGEST_PROMPT = 200_000  # characters; the network reads them one by one
_TEXT = schema.text(LONGEST_PROMPT)
_STOP = schema.text(1000)
_NUMBER = schema.optional(schema.anything)  # `SampleConfig` says what it expects
_ZERO = schema.optional(schema.number(0, 0))


def _one_or_more(check: schema.Check, most: int) -> schema.Check:
    several = schema.sequence(check, most, least=1)
    return lambda value: (several if isinstance(value, list) else check)(value)


SCHEMA = schema.record(
    {"model": schema.text(255)},
    {
        "prompt": schema.optional(_one_or_more(_TEXT, MAX_ROWS)),
        "max_tokens": schema.optional(schema.integer(0, MOST_TOKENS)),
        "n": schema.optional(schema.integer(1, MAX_ROWS)),
        "stop": schema.optional(_one_or_more(_STOP, MOST_STOPS)),
        "stream": schema.optional(schema.flag),
        "stream_options": schema.optional(schema.record({}, {"include_usage": schema.flag})),
        "logprobs": schema.optional(schema.integer(0, MOST_ALTERNATIVES)),
        "echo": schema.optional(schema.flag),
        "seed": _NUMBER,
        "temperature": _NUMBER,
        "top_p": _NUMBER,
        "user": schema.optional(schema.text(1000)),  # says who asks; nothing depends on it
        # What OpenAI's clients may send with values that change nothing.
        "best_of": schema.optional(schema.integer(1, 1)),
        "frequency_penalty": _ZERO,
        "presence_penalty": _ZERO,
        # Options of seqgen.
        "top_k": _NUMBER,
        "min_p": _NUMBER,
        "repetition_penalty": _NUMBER,
        "max_copy": _NUMBER,
        "skip_unknown": schema.optional(schema.flag),
    },
)
OWN_OPTIONS = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_copy",
               "skip_unknown")  # fmt: skip


@dataclass
class _Choice:
    """One text of a response, and how much of it was sent."""

    text: TextStream
    stream: Stream
    echo: bool
    sent: int = 0  # tokens
    begun: bool = False  # the prompt was sent, if it is part of the text
    ended: bool = False  # the reason of the end was sent

    def part(self, index: int, logprobs: int | None) -> Json | None:
        """What is new since the last part; None if nothing is."""
        is_finished = self.stream.output.is_finished  # before its ids are read
        end = self.text.final_count
        if self.ended or (end == self.sent and not is_finished):
            return None
        tokens = self.text.vocabulary.decode(self.stream.output.ids[self.sent : end])
        prefix = self.text.prompt if self.echo and not self.begun else ""
        choice: Json = {
            "index": index,
            "text": prefix + "".join(tokens),
            "logprobs": None if logprobs is None else self._logprobs(tokens, prefix),
            "finish_reason": self._finish_reason() if is_finished else None,
        }
        self.begun, self.sent, self.ended = True, end, is_finished
        return choice

    def _finish_reason(self) -> str:
        output = self.stream.output
        return "length" if len(output.ids) >= output.length and not self.text.stopped else "stop"

    def _logprobs(self, tokens: Sequence[str], prefix: str) -> Json:
        """In the form of OpenAI; nothing is known about the tokens of an echoed prompt."""
        names = self.text.vocabulary.tokens
        scores = self.text.log_probabilities[self.sent : self.sent + len(tokens)]
        likely = self.stream.likely[self.sent : self.sent + len(tokens)]
        start = self.sent + (len(self.text.prompt) if self.echo else 0)
        return {
            "tokens": [*prefix, *tokens],
            "token_logprobs": [*[None] * len(prefix), *scores],
            "top_logprobs": [
                *[None] * len(prefix),
                *({names[each.token_id]: each.log_probability for each in row} for row in likely),
            ],
            "text_offset": [*range(len(prefix)), *range(start, start + len(tokens))],
        }


class Completions:
    """The handler of `/v1/completions`.

    Args:
        library: the models.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        data = await read_json(request, SCHEMA)
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def report() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        choices, job, batcher = await run_in_threadpool(self._begin, data, report)
        completion = _Completion(data, choices, job, changed)
        if data.get("stream"):
            return StreamingResponse(
                _cancelled_at_end(completion.events(), batcher, job),
                media_type="text/event-stream",
            )
        return await _whole(request, completion, batcher, job)

    def _begin(self, data: Json, report: Callable[[], None]) -> tuple[list[_Choice], Job, Batcher]:
        """Read the prompts and let the texts wait for their places."""
        model, batcher = self._library.get(data["model"]).load_with_batcher()
        if model.data.task != "text":
            raise ConfigError(
                f"model: expected one of text, got one of {model.data.task}; choose another model"
            )
        if data.get("seed") is None:
            data["seed"] = new_seed()
        prompts = data.get("prompt") or ""
        prompts = [prompts] if isinstance(prompts, str) else prompts
        batcher.require_room((data.get("n") or 1) * len(prompts))
        choices = [choice for prompt in prompts for choice in _choices(model, prompt, data)]
        job = Job([choice.stream for choice in choices], report)
        batcher.submit(job)
        return choices, job, batcher


def _choices(model: Model, prompt: str, data: Json) -> list[_Choice]:
    """The texts of one prompt, and the streams that will write them."""
    vocabulary, logprobs = model.data.vocabulary, data.get("logprobs")
    streams: list[Stream] = []

    def run(config: SampleConfig, ids: Ids, outputs: Sequence[GeneratedSequence]) -> list[Advance]:
        start, sampler = decode.read(model.engine, ids), Sampler(config)
        recent = [token for token in ids.tolist() if token != vocabulary.end_id]
        streams.extend(Stream(output, start, sampler, recent, logprobs or 0) for output in outputs)
        return [lambda: True] * len(outputs)  # nobody iterates: the batcher generates

    options = {name: data[name] for name in OWN_OPTIONS if data.get(name) is not None}
    options.setdefault("temperature", 1.0)
    texts = TextGenerator(model.engine, vocabulary, model.data.indexes, run=run).texts(
        data.get("n") or 1,
        prompt=prompt,
        length=DEFAULT_TOKENS if data.get("max_tokens") is None else data["max_tokens"],
        seed=data["seed"],
        stop=data.get("stop") or "",
        scored=logprobs is not None,
        **options,
    )
    echo = bool(data.get("echo"))
    return [_Choice(*pair, echo) for pair in zip(texts, streams, strict=True)]


class _Completion:
    """One response, whole or in parts."""

    def __init__(
        self, data: Json, choices: Sequence[_Choice], job: Job, changed: asyncio.Event
    ) -> None:
        self.data, self.choices, self.job, self.changed = data, choices, job, changed
        self.head = {
            "id": f"cmpl-{uuid.uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": data["model"],
            "seed": data["seed"],
        }

    def parts(self) -> list[Json]:
        """What is new in every choice."""
        logprobs = self.data.get("logprobs")
        found = (choice.part(i, logprobs) for i, choice in enumerate(self.choices))
        return [part for part in found if part is not None]

    def usage(self) -> Json:
        """The number of tokens read and generated."""
        read = sum(len(choice.text.prompt_ids) for choice in self.choices)
        written = sum(len(choice.stream.output.ids) for choice in self.choices)
        return {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
        }

    async def finish(self) -> None:
        """Wait until no text gets another token."""
        while not self.job.is_finished:
            await self.changed.wait()
            self.changed.clear()

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events, with several tokens in each."""
        is_finished = False
        while not is_finished:
            is_finished = self.job.is_finished  # before the parts are read
            for part in self.parts():
                yield _event({**self.head, "choices": [part]})
            if not is_finished:
                await self.changed.wait()
                self.changed.clear()
        if self.job.error is not None:
            error = response(status_of(self.job.error), str(self.job.error))
            yield f"data: {bytes(error.body).decode()}\n\n"
        elif (self.data.get("stream_options") or {}).get("include_usage"):
            yield _event({**self.head, "choices": [], "usage": self.usage()})
        yield "data: [DONE]\n\n"


def _event(data: Json) -> str:
    return f"data: {json.dumps(data)}\n\n"


async def _cancelled_at_end(
    events: AsyncIterator[str], batcher: Batcher, job: Job
) -> AsyncIterator[str]:
    """Free the places of a job when its client goes away."""
    try:
        async for event in events:
            yield event
    finally:
        if not job.is_finished:
            batcher.cancel(job)


async def _whole(request: Request, completion: _Completion, batcher: Batcher, job: Job) -> Response:
    """The whole response, unless the client goes away before."""
    finish = asyncio.ensure_future(completion.finish())
    leave = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((finish, leave), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (finish, leave):
            task.cancel()
        if not job.is_finished:
            batcher.cancel(job)
    if job.error is not None:
        return response(status_of(job.error), str(job.error))
    if not job.is_finished:
        return Response(status_code=204)  # nobody reads it
    body = {**completion.head, "choices": completion.parts(), "usage": completion.usage()}
    return JSONResponse(body)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
