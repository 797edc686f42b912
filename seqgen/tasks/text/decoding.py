"""Decoding of text: bytes → characters, or why they are not text."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from itertools import chain

from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError
from seqgen.tasks.text.guess_encoding import guess

GUESSED_BYTES = 4096  # before and after a byte that cannot be decoded
# Python calls these encodings of text, but no file is written in them.
NOT_OF_FILES = ("punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape")


class UnreadableTextError(CorpusError):
    """A source that is no text, or not in the expected encoding."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"{label} {reason}")
        self.reason = reason  # without the label


def require_encoding(name: str) -> None:
    """Raise `ConfigError` unless files may be written in an encoding.

    >>> require_encoding("latin-1")
    >>> require_encoding("punycode")
    Traceback (most recent call last):
    seqgen.errors.ConfigError: encoding: expected a name such as utf-8, latin-1, cp1252 or utf-16, \
got 'punycode'; choose one that Python knows
    """
    try:
        b"a".decode(name)  # codecs that are not of text, such as base64, raise `LookupError`
        known = True
    except UnicodeDecodeError:
        known = True  # more than one byte per character
    except (LookupError, ValueError):
        known = False
    if known:
        info = codecs.lookup(name)
        known = info.incrementaldecoder is not None and info.name not in NOT_OF_FILES
    if not known:
        raise ConfigError(
            "encoding: expected a name such as utf-8, latin-1, cp1252 or utf-16, "
            f"got {name!r}; choose one that Python knows"
        )


def decoded(source: Source, encoding: str) -> Iterator[str]:
    """Yield the text of a source in chunks, without byte order mark, with normalised newlines.

    Raises:
        UnreadableTextError: it is not in this encoding, or is a binary file.
        CorpusError: it cannot be opened or read.

    >>> list(decoded(Source("note", data=b"a\\r\\n"), "utf-8"))
    ['a\\n', '']
    """
    # A byte order mark is removed below; the codec utf-8-sig would shift the offsets in errors.
    name = "utf-8" if codecs.lookup(encoding).name == "utf-8-sig" else encoding
    decoder = codecs.getincrementaldecoder(name)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    consumed, at_start = 0, True
    for chunk in chain(source.chunks(), [b""]):  # the empty chunk flushes both decoders
        final = not chunk
        pending = len(decoder.getstate()[0])
        try:
            text = newlines.decode(decoder.decode(chunk, final), final)
        except UnicodeDecodeError as error:
            raise _undecodable(source, encoding, error, consumed - pending) from error
        except UnicodeError as error:  # UTF-16 without a mark
            raise UnreadableTextError(source.label, _reason(encoding, chunk)) from error
        consumed += len(chunk)
        if at_start and text:
            text, at_start = text.removeprefix("\ufeff"), False
        if "\0" in text:
            raise UnreadableTextError(
                source.label, "is a binary file: it contains NUL; expected plain text, leave it out"
            )
        yield text


def _undecodable(
    source: Source, encoding: str, error: UnicodeDecodeError, offset: int
) -> UnreadableTextError:
    """The error for a byte that is not in an encoding, with the likely encoding of the text.

    Args:
        source: the text.
        encoding: in which it should be.
        error: of a part of the text.
        offset: where that part begins.
    """
    part, place = error.object, min(error.start, len(error.object) - 1)
    first = part.rfind(b"\n", 0, max(place - GUESSED_BYTES, 0)) + 1
    what = f"is not {encoding} at byte {offset + place:,} (0x{part[place]:02x})"
    context = part[first : place + GUESSED_BYTES]
    return UnreadableTextError(source.label, f"{what}; {_advice(encoding, context)}")


def _reason(encoding: str, data: bytes) -> str:
    return f"is not {encoding}: it has no byte order mark; {_advice(encoding, data)}"


def _advice(encoding: str, data: bytes) -> str:
    likely = guess(data)
    if likely is None and _is_utf_8(data):
        likely = "utf-8"
    if likely and codecs.lookup(likely) != codecs.lookup(encoding):
        return f"it looks like {likely}: add --encoding {likely}"
    return "give the encoding of the file, for example --encoding cp1252 or latin-1"


def _is_utf_8(data: bytes) -> bool:
    """Whether a part of a text, whose end may be half of a character, is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return False
    return True
