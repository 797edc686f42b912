"""`POST /api/pictures`: new pictures, and completed ones."""

from __future__ import annotations

import base64
import io
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seqgen.errors import ConfigError
from seqgen.studio.bodies import decoded, read_json
from seqgen.studio.library import Library
from seqgen.studio.places import Places
from seqgen.tasks.sampling_options import new_seed
from seqgen.types import Json
from seqgen.utils import schema

MOST_PICTURES = 64
MOST_BYTES = 8 << 20  # of a request, which may hold a picture
_NUMBER = schema.optional(schema.anything)  # `SampleConfig` checks them
SCHEMA = schema.record(
    {"model": schema.text(255)},
    {
        "n": schema.optional(schema.integer(1, MOST_PICTURES)),
        "primer": schema.optional(schema.text(MOST_BYTES)),  # a file in base64
        "primer_rows": schema.optional(schema.integer(1, 100_000)),
        **dict.fromkeys(("seed", "temperature", "top_p", "top_k", "min_p", "max_copy"), _NUMBER),
    },
)


def generate(library: Library, data: Json) -> Json:
    """New pictures as PNG in base64.

    Raises:
        SeqgenError: the request cannot be met.
    """
    data = {name: value for name, value in data.items() if value is not None}
    model = library.get(data.pop("model")).load()
    if model.data.task != "images":
        raise ConfigError(
            f"model: expected one of images, got one of {model.data.task}; choose another model"
        )
    count = data.pop("n", 1)
    options = {"seed": new_seed(), **data}
    with tempfile.TemporaryDirectory(prefix="seqgen-") as folder:
        if "primer" in data:  # Pillow reads it in a process of its own
            path = Path(folder) / "primer.png"
            path.write_bytes(decoded("primer", data["primer"]))
            options["primer"] = path
        pictures = list(model.pictures(count, **options))
    found = []
    for picture in pictures:
        file = io.BytesIO()
        picture.image().save(file, "PNG")
        png = base64.b64encode(file.getvalue()).decode()
        found.append({"png": png, "longest_copy": picture.longest_copy})
    return {"seed": options["seed"], "data": found}


class Pictures:
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
        data = await read_json(request, SCHEMA, MOST_BYTES)
        return JSONResponse(await self._places.run(generate, self._library, data))
