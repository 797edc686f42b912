"""`POST /api/copies`: which runs of a text are copied from the corpus of a model."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seqgen.copying.codes import TokenCodes
from seqgen.copying.report import shortest_copy
from seqgen.model import Model
from seqgen.studio.bodies import read_json
from seqgen.studio.completions import LONGEST_PROMPT
from seqgen.studio.library import Library
from seqgen.tasks.text.generate import UNIT
from seqgen.tasks.text.prompt import encode_prompt
from seqgen.types import Json
from seqgen.utils import schema

SCHEMA = schema.record({"model": schema.text(255), "text": schema.text(2 * LONGEST_PROMPT)})


def copied_runs(model: Model, text: str) -> Json:
    """The runs of a text that are copied from the corpus of a model of text.

    Returns:
        `runs`, a list of (first character, number of characters), which do not overlap; and
        `shortest`, the length from which on a run is told from coincidence, None without an index.
    """
    data = model.data
    if not data.indexes:
        return {"runs": [], "shortest": None}
    codes = TokenCodes(data.vocabulary, UNIT)
    shortest = shortest_copy(data.indexes, codes)
    text, ids = encode_prompt(data.vocabulary, text, skip_unknown=True)
    output, starts_piece = codes.of(ids)
    found = []
    for index in data.indexes:
        lengths = index.runs(output, starts_piece=starts_piece)
        for end, length in enumerate(lengths.tolist(), 1):
            is_last = end == len(lengths) or lengths[end] <= length
            if length >= shortest and is_last:
                found.append((end - length, length))
    runs: list[tuple[int, int]] = []
    for start, length in sorted(found, key=lambda run: (-run[1], run[0])):
        if all(start >= a + n or start + length <= a for a, n in runs):
            runs.append((start, length))
    return {"runs": sorted(runs) if text else [], "shortest": shortest}


class Copies:
    """The handler.

    Args:
        library: the models.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        data = await read_json(request, SCHEMA)

        def find() -> Json:
            return copied_runs(self._library.get(data["model"]).load(), data["text"])

        return JSONResponse(await run_in_threadpool(find))
