"""`POST /v1/tunes` and `POST /api/render`: new pieces, and pieces as files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seqgen.errors import ConfigError
from seqgen.music import excerpts, pitch_names
from seqgen.music.io.result import PIECE, piece_from_json, piece_to_json
from seqgen.music.io.write import PIANO_ROLLS, WRITERS
from seqgen.music.piece import TICKS_PER_QUARTER, Piece
from seqgen.studio.bodies import JSON_TYPE, read_json
from seqgen.studio.library import Library
from seqgen.studio.places import Places
from seqgen.tasks.music.generate import Composition
from seqgen.tasks.sampling_options import new_seed
from seqgen.types import Json
from seqgen.utils import schema

MOST_TUNES = 16  # of one request
MOST_BARS = 256
MOST_BYTES = 8 << 20  # of a request, which may hold a piece

_NAME = schema.optional(schema.text(200))
_NUMBER = schema.optional(schema.anything)  # `MusicRequest` and `SampleConfig` check them
SCHEMA = schema.record(
    {"model": schema.text(255)},
    {
        "n": schema.optional(schema.integer(1, MOST_TUNES)),
        "bars": schema.optional(schema.integer(1, MOST_BARS)),
        "key": _NAME,
        "meter": _NAME,
        "range": _NAME,
        "instrument": _NAME,
        "tempo": schema.optional(schema.number(0, 1e6)),
        "primer": schema.optional(schema.anything),  # notes as text, or a piece
        "keep_bars": schema.optional(schema.integer(1, 100_000)),
        "echo": schema.optional(schema.flag),
        **dict.fromkeys(("seed", "temperature", "top_p", "top_k", "min_p", "max_copy"), _NUMBER),
    },
)
SAMPLING = ("top_p", "top_k", "min_p", "max_copy")
RENDER = schema.record({"piece": PIECE, "format": schema.text(20)})


class _Format(NamedTuple):
    """A format of pieces."""

    suffix: str
    media_type: str
    is_roll: bool = False


FORMATS: Mapping[str, _Format] = {
    "midi": _Format(".mid", "audio/midi"),
    "musicxml": _Format(".musicxml", "application/vnd.recordare.musicxml+xml"),
    "abc": _Format(".abc", "text/vnd.abc"),
    "wav": _Format(".wav", "audio/wav"),
    "png": _Format(".png", "image/png"),
    "svg": _Format(".svg", "image/svg+xml"),
    "roll": _Format(".png", "image/png", is_roll=True),
}


def primer_of(data: Json) -> Piece | None:
    """The primer of a request: a piece as JSON, or notes as text, which is never taken for a path.

    Raises:
        MusicError: the text spells no notes, or the piece contradicts itself.
        ConfigError: there is nothing to keep.
    """
    given, kept = data.get("primer"), data.get("keep_bars")
    primer: Piece | None = None
    if isinstance(given, dict):
        schema.check_at("primer", PIECE, given)
        primer = piece_from_json(given)
    elif given is not None:
        schema.check_at("primer", schema.text(100_000), given)
        primer = pitch_names.piece_of(given) if given.strip() else None
    if kept is not None:
        if primer is None or kept >= len(primer.bars):
            count = len(primer.bars) if primer else 0
            raise ConfigError(
                f"keep_bars: expected fewer than the {count} bars of the primer, got {kept}"
            )
        primer = excerpts.before(primer, primer.bars[kept])
    return primer


def compose(library: Library, data: Json) -> list[tuple[Composition, Json]]:
    """New pieces, and each of them as JSON.

    Raises:
        SeqgenError: the request cannot be met.
    """
    model = library.get(data["model"]).load()
    if model.data.task != "music":
        raise ConfigError(
            f"model: expected one of music, got one of {model.data.task}; choose another model"
        )
    seed = new_seed() if data.get("seed") is None else data["seed"]
    found = model.pieces(
        data.get("n") or 1,
        bars=data.get("bars"),
        key=data.get("key"),
        meter=data.get("meter"),
        tempo=data.get("tempo"),
        pitch_range=data.get("range"),
        instrument=data.get("instrument"),
        primer=primer_of(data),
        echo=data.get("echo") is not False,
        temperature=data.get("temperature"),
        seed=seed,
        **{name: data[name] for name in SAMPLING if data.get(name) is not None},
    )
    return [
        (
            each,
            {
                "seed": seed,
                "item": number,
                "longest_copy": each.longest_copy,
                "ticks_per_quarter": TICKS_PER_QUARTER,
                "piece": piece_to_json(each.piece),
            },
        )
        for number, each in enumerate(found, 1)
    ]


def rendered(piece: Piece, name: str) -> Response:
    """A piece in one of `FORMATS`.

    Raises:
        ConfigError: there is no such format.
        OutputError: a package that draws scores is not installed, or the piece is too long.
    """
    form = FORMATS.get(name)
    if form is None:
        raise ConfigError(f"format: expected one of {', '.join(FORMATS)}, got {name!r}")
    writer = (PIANO_ROLLS if form.is_roll else WRITERS)[form.suffix]
    headers = {"Content-Disposition": f'attachment; filename="tune{form.suffix}"'}
    return Response(writer(piece), media_type=form.media_type, headers=headers)


def accepted(header: str) -> str | None:
    """The format that an `Accept` header asks for first; None for JSON.

    Raises:
        ConfigError: it names other types only.

    >>> accepted("audio/midi"), accepted("*/*"), accepted("text/html, application/json;q=0.5")
    ('midi', None, None)
    """
    ranges: list[tuple[float, str]] = []
    for part in header.split(",") if header else ["*/*"]:
        kind, *parameters = (text.strip().lower() for text in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        ranges.append((float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0, kind))
    by_type = {form.media_type: name for name, form in FORMATS.items() if not form.is_roll}
    for share, kind in sorted(ranges, key=lambda each: -each[0]):
        if share and kind in (JSON_TYPE, "*/*", "application/*"):
            return None
        if share and kind in by_type:
            return by_type[kind]
    types = ", ".join((JSON_TYPE, *dict.fromkeys(form.media_type for form in FORMATS.values())))
    raise ConfigError(f"accept: expected one of {types}, got {header[:200]!r}")


class Tunes:
    """The handlers.

    Args:
        library: the models.
        places: for calls that take long.
    """

    def __init__(self, library: Library, places: Places) -> None:
        self._library = library
        self._places = places

    async def compose(self, request: Request) -> Response:
        """Answer a request for new pieces."""
        name = accepted(request.headers.get("accept", ""))
        data = await read_json(request, SCHEMA, MOST_BYTES)
        if name is not None and (data.get("n") or 1) > 1:
            raise ConfigError(f"n: expected 1 for a file of {name}, got {data['n']}; take JSON")

        def work() -> Response:
            found = compose(self._library, data)
            if name is None:
                body = {"object": "list", "model": data["model"], "data": [f for _, f in found]}
                return JSONResponse(body)
            answer = rendered(found[0][0].piece, name)
            answer.headers["X-Seed"] = str(found[0][1]["seed"])
            return answer

        return await self._places.run(work)

    async def render(self, request: Request) -> Response:
        """Answer a request for a file of a piece."""
        data = await read_json(request, RENDER, MOST_BYTES)
        return await self._places.run(
            lambda: rendered(
                piece_from_json(data["piece"]),
                data["format"],
            )
        )
