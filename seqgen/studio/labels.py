"""`POST /api/labels`: the label of a text, and how it moves along the text."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seqgen.errors import ConfigError
from seqgen.studio.bodies import read_json
from seqgen.studio.library import Library
from seqgen.studio.places import Places
from seqgen.types import Json
from seqgen.utils import schema

LONGEST = 20_000  # characters
SCHEMA = schema.record({"model": schema.text(255), "text": schema.text(LONGEST)})


def classify(library: Library, data: Json) -> Json:
    """The probabilities of all labels, after every step and after the last one.

    Raises:
        SeqgenError: the text is empty, or the model does not label texts.
    """
    model = library.get(data["model"]).load()
    if model.data.task != "labels":
        raise ConfigError(
            f"model: expected one of labels, got one of {model.data.task}; choose another model"
        )
    prediction = model.classify(data["text"])[0]
    course = model.explain(data["text"])
    return {
        "label": prediction.label,
        "probabilities": prediction.probabilities,
        "steps": course.steps,
        "labels": course.labels,
        "course": [[round(float(p), 4) for p in row] for row in course.probabilities],
    }


class Labels:
    """The handler.

    Args:
        library: the models.
        places: for calls that take long.
    """

    def __init__(self, library: Library, places: Places) -> None:
        self._library = library
        self._places = places

    async def __call__(self, request: Request) -> Response:
        """Answer a request."""
        data = await read_json(request, SCHEMA)
        return JSONResponse(await self._places.run(classify, self._library, data))
