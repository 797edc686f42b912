"""The description of the public API in OpenAPI 3.1, served at `/openapi.json` and `/docs`."""

from __future__ import annotations

from typing import Any

from seqgen._version import __version__
from seqgen.sampling.decode import MAX_ROWS
from seqgen.studio import completions, tunes
from seqgen.types import Json

_SAMPLING: Json = {
    "seed": {"type": "integer", "description": "The same seed gives the same output on the same "
             "machine, and that of `seqgen generate`; random by default."},
    "temperature": {"type": "number", "description": "0 takes the most likely token."},
    "top_p": {"type": "number", "description": "Only the most likely tokens that have this "
              "probability together."},
    "top_k": {"type": "integer", "description": "Only this number of most likely tokens."},
    "min_p": {"type": "number", "description": "Only tokens with at least this share of the "
              "probability of the most likely one."},
    "max_copy": {"type": "integer", "description": "The longest run that may be copied from the "
                 "corpus: in characters, or in notes."},
}  # fmt: skip

_STRINGS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}

_COMPLETION: Json = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string", "description": "The name of a model of text."},
        "prompt": {**_STRINGS, "description": "The text to continue, or several."},
        "max_tokens": {"type": "integer", "default": completions.DEFAULT_TOKENS,
                       "description": "The largest number of new characters."},
        "n": {"type": "integer", "default": 1, "maximum": MAX_ROWS,
              "description": "The number of texts for each prompt."},
        "stop": {**_STRINGS, "description": "Texts before which every text ends."},
        "stream": {"type": "boolean", "description": "Send server-sent events while characters "
                   "are generated, the last one `[DONE]`."},
        "stream_options": {"type": "object",
                           "properties": {"include_usage": {"type": "boolean"}}},
        "logprobs": {"type": "integer", "maximum": completions.MOST_ALTERNATIVES,
                     "description": "Add log-probabilities, and this number of alternatives."},
        "echo": {"type": "boolean", "description": "Put the prompt before every text."},
        "skip_unknown": {"type": "boolean", "description": "Drop characters of the prompt that "
                         "the model has never seen."},
        "repetition_penalty": {"type": "number"},
        **_SAMPLING,
    },
    "additionalProperties": False,
}  # fmt: skip

_TUNE: Json = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string", "description": "The name of a model of music."},
        "n": {"type": "integer", "default": 1, "maximum": tunes.MOST_TUNES},
        "bars": {"type": "integer", "description": "Full bars after a pick-up or the primer."},
        "key": {"type": "string", "example": "Em"},
        "meter": {"type": "string", "example": "6/8"},
        "tempo": {"type": "number", "description": "Quarter notes a minute."},
        "range": {"type": "string", "example": "G3-C6"},
        "instrument": {"type": "string", "example": "violin"},
        "primer": {"description": "Music to continue: notes such as `G4/8 A4/8 B4/4`, or a piece "
                   "as in the answer.", "anyOf": [{"type": "string"}, {"type": "object"}]},
        "keep_bars": {"type": "integer", "description": "The bars of the primer that are kept; "
                      "those after them are written again."},
        "echo": {"type": "boolean", "default": True, "description": "Include the primer."},
        **_SAMPLING,
    },
    "additionalProperties": False,
}  # fmt: skip

_ERRORS = {
    "400": "a value that cannot be used; the message says what was expected",
    "401": "the token is missing or wrong",
    "403": "a request of another site",
    "404": "no such model",
    "413": "the request is too large",
    "429": "too many requests wait; try again after the seconds in `Retry-After`",
}


_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def _operation(summary: str, body: Json | None, answers: list[str]) -> Json:
    operation: Json = {
        "summary": summary,
        "responses": {
            "200": {"description": "the result", "content": {kind: {} for kind in answers}},
            **{
                status: {"description": text, "content": _ERROR}
                for status, text in _ERRORS.items()
            },
        },
    }  # fmt: skip
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body}},
        }
    return operation


def schema() -> Json:
    """The description as plain data.

    >>> sorted(schema()["paths"])
    ['/v1/completions', '/v1/models', '/v1/models/{model}', '/v1/tunes']
    """
    types = ["application/json", *dict.fromkeys(f.media_type for f in tunes.FORMATS.values())]
    one_model = _operation("One model.", None, ["application/json"])
    one_model["parameters"] = [
        {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
    ]
    paths: dict[str, Any] = {
        "/v1/completions": {
            "post": _operation(
                "Generate text, as OpenAI's clients ask for it.",
                _COMPLETION,
                ["application/json", "text/event-stream"],
            )
        },
        "/v1/tunes": {
            "post": _operation(
                "Generate music, in the format that `Accept` names.", _TUNE, types
            )
        },
        "/v1/models": {"get": _operation("All models.", None, ["application/json"])},
        "/v1/models/{model}": {"get": one_model},
    }  # fmt: skip
    error = {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    name: {"type": ["string", "null"]} for name in ("message", "type", "param")
                },
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "seqgen studio", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }
