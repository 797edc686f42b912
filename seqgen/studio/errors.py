"""Errors → JSON in the form of OpenAI's API, with the texts of the command line."""

from __future__ import annotations

import re

from starlette.responses import JSONResponse

from seqgen.errors import SeqgenError
from seqgen.studio.batcher import BusyError
from seqgen.studio.library import UnknownModelError
from seqgen.utils.schema import SchemaError

SECONDS_UNTIL_RETRY = 1
TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error",
         429: "rate_limit_error", 500: "server_error"}  # fmt: skip
INVALID = "invalid_request_error"
NAMED = re.compile(r"([a-z_]+): ")  # the option at the start of a message


class TooLargeError(SeqgenError):
    """The body of a request is too large."""


def response(status: int, message: str) -> JSONResponse:
    """A response with an error."""
    found = NAMED.match(message)
    error = {
        "message": message,
        "type": TYPES.get(status, INVALID),
        "param": found[1] if found and status == 400 else None,
        "code": None,
    }
    headers = {"Retry-After": str(SECONDS_UNTIL_RETRY)} if status == 429 else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"error": error}, status, headers)


def status_of(error: Exception) -> int:
    """The status of an error that a request caused."""
    if isinstance(error, BusyError):
        return 429
    if isinstance(error, UnknownModelError):
        return 404
    if isinstance(error, TooLargeError):
        return 413
    return 400 if isinstance(error, (SeqgenError, SchemaError)) else 500
