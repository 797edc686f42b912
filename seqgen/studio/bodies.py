"""Bodies of requests: limits of size, JSON, and checks of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator

from starlette.requests import Request

from seqgen.errors import ConfigError
from seqgen.studio.errors import TooLargeError
from seqgen.types import Json
from seqgen.utils.schema import Check

MOST_JSON = 1 << 20  # bytes of a request that is no upload
JSON_TYPE = "application/json"


async def chunks(request: Request, most: int) -> AsyncIterator[bytes]:
    """Yield the body of a request.

    Raises:
        TooLargeError: it has more than `most` bytes; if its header says so, before it is read.
    """
    length = request.headers.get("content-length", "")
    read = int(length) if length.isdecimal() else 0
    if read <= most:
        read = 0
        async for chunk in request.stream():
            read += len(chunk)
            if read > most:
                break
            yield chunk
    if read > most:
        raise TooLargeError(f"expected at most {most:,} bytes, got more; send less at a time")


async def read_bytes(request: Request, most: int) -> bytes:
    """The body of a request; errors as for `chunks`."""
    return b"".join([chunk async for chunk in chunks(request, most)])


async def read_json(request: Request, check: Check, most: int = MOST_JSON) -> Json:
    """The JSON of a request.

    Args:
        request: whose body it is.
        check: of the whole object.
        most: bytes.

    Raises:
        ConfigError: it is not JSON.
        SchemaError: it is not what `check` expects.
        TooLargeError: it is too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE:
        raise ConfigError(f"expected a body of type {JSON_TYPE}, got {kind!r}")
    body = await read_bytes(request, most)
    try:
        data: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ConfigError("expected JSON, got something else; correct it") from error
    check(data)
    return data


def decoded(name: str, text: str) -> bytes:
    """The bytes of a text in base64.

    Raises:
        ConfigError: it is not base64.

    >>> decoded("data", "aGVsbG8=")
    b'hello'
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError(f"{name}: expected bytes in base64, got something else") from error
