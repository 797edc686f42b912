"""Encoding of text: bytes → characters → ids.

The bytes are read twice in chunks: first to count the characters, which gives the vocabulary, then
to look up their ids. The ids of a large corpus are written to a file in the cache folder and
memory-mapped, so that it is never completely in memory.
"""

from __future__ import annotations

import codecs
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError, OutputError
from seqgen.tasks.text.guess_encoding import guess
from seqgen.types import Ids
from seqgen.utils.cache import cache_folder
from seqgen.utils.validate import require_whole
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

IN_MEMORY_BYTES = 1 << 25  # a larger corpus is encoded into a file
CACHE_VERSION = 1  # of the encoding; increase it to invalidate cached corpora
CODE_POINTS = 0x110000
MOST_COUNT = 1_000_000_000  # largest `min_count`
NEWLINE = ord("\n")
GUESSED_BYTES = 4096  # before and after a byte that cannot be decoded
# Python calls these encodings of text, but no file is written in them.
NOT_OF_FILES = ("punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape")

Codes = npt.NDArray[np.uint32]
Bounds = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TextOptions:
    """Options of the encoding.

    Raises:
        ConfigError: the encoding is unknown, or `min_count` is less than 1.
    """

    encoding: str = "utf-8"
    lines: bool = False  # whether every line is a piece
    min_count: int = 1  # rarer characters become `<unk>`

    def __post_init__(self) -> None:
        require_encoding(self.encoding)
        require_whole("min_count", self.min_count, 1, MOST_COUNT)


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


def encode(
    sources: Sequence[Source], options: TextOptions, digest: str
) -> tuple[Vocabulary, Ids, Bounds]:
    """Encode texts.

    Args:
        sources: the texts.
        options: how to encode them.
        digest: SHA-256 of the sources, the key of a large corpus in the cache.

    Returns:
        The vocabulary, the ids `(N,)`, and with `lines` the bounds `(P + 1,)` of the pieces.

    Raises:
        CorpusError: the bytes are not in this encoding, or there is nothing to learn.
        OutputError: a large corpus cannot be written to the cache folder.
    """
    if sum(source.size for source in sources) <= IN_MEMORY_BYTES:
        ids_file, bounds_file = io.BytesIO(), io.BytesIO()
        vocabulary = _encode(sources, options, ids_file, bounds_file)
        ids = np.frombuffer(ids_file.getbuffer(), vocabulary.dtype)
        return vocabulary, ids, np.frombuffer(bounds_file.getbuffer(), np.int64)
    folder = _encoded_on_disk(sources, options, digest)
    vocabulary = Vocabulary.from_json(json.loads((folder / "vocabulary.json").read_bytes()))
    ids = np.memmap(folder / "ids.bin", vocabulary.dtype, mode="r")
    return vocabulary, ids, np.memmap(folder / "bounds.bin", np.int64, mode="r")


def _encode(
    sources: Sequence[Source], options: TextOptions, ids_file: BinaryIO, bounds_file: BinaryIO
) -> Vocabulary:
    """Write the ids, as `vocabulary.dtype`, and the bounds of pieces, as int64, to files."""
    counts = np.zeros(CODE_POINTS, np.int64)
    for codes in _codes(sources, options):
        found = np.bincount(codes)
        counts[: len(found)] += found
    if options.lines:
        counts[NEWLINE] = 0  # encoded as the end token
    characters = {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}
    if not characters:
        raise CorpusError("no text to learn from: all lines are empty; choose another corpus")
    vocabulary = Vocabulary.from_counts(characters, min_count=options.min_count, end=options.lines)
    if not set(characters).intersection(vocabulary.tokens):
        raise CorpusError(
            f"no text to learn from: no character occurs {options.min_count} times; "
            "lower --min-count"
        )
    table = _lookup_table(vocabulary)
    written = 0
    bounds_file.write(np.int64(0).tobytes())
    for codes in _codes(sources, options):
        ids = table[codes]
        ids_file.write(ids.tobytes())
        if options.lines:
            ends = np.flatnonzero(ids == vocabulary.end_id) + (written + 1)
            bounds_file.write(ends.astype(np.int64).tobytes())
        written += len(ids)
    return vocabulary


def _lookup_table(vocabulary: Vocabulary) -> Ids:
    """Code point → id `(CODE_POINTS,)`; a newline becomes the end token, if there is one."""
    table = np.full(CODE_POINTS, vocabulary.unknown_id or 0, vocabulary.dtype)
    for i, token in enumerate(vocabulary.tokens):
        if token not in (END, UNKNOWN):
            table[ord(token)] = i
    if vocabulary.end_id is not None:
        table[NEWLINE] = vocabulary.end_id
    return table


def _codes(sources: Sequence[Source], options: TextOptions) -> Iterator[Codes]:
    """Yield the code points of all sources in chunks; with `lines`, without empty lines."""
    last = NEWLINE
    for number, source in enumerate(sources):
        for text in decoded(source, options.encoding):
            codes = np.frombuffer(_utf_32(source, text), np.uint32)
            if not len(codes):
                continue
            previous = np.concatenate((np.array([last], np.uint32), codes[:-1]))
            last = int(codes[-1])
            yield codes[(codes != NEWLINE) | (previous != NEWLINE)] if options.lines else codes
        is_last = number == len(sources) - 1
        if last != NEWLINE and (options.lines or not is_last):
            yield np.array([NEWLINE], np.uint32)
            last = NEWLINE


def _utf_32(source: Source, text: str) -> bytes:
    try:
        return text.encode("utf-32-le")
    except UnicodeEncodeError as error:  # UTF-7 decodes lone surrogates
        raise UnreadableTextError(
            source.label, "contains a lone surrogate, half of a character; remove it"
        ) from error


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


def _encoded_on_disk(sources: Sequence[Source], options: TextOptions, digest: str) -> Path:
    """The cache folder of a corpus encoded with these options, which is created if missing."""
    sizes = [source.size for source in sources]  # a newline may be added after a text
    key = sha256(repr((CACHE_VERSION, digest, sizes, options)).encode()).hexdigest()
    folder = cache_folder() / "corpora" / key
    if folder.exists():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
        try:
            ids_path, bounds_path = temporary / "ids.bin", temporary / "bounds.bin"
            with ids_path.open("wb") as ids_file, bounds_path.open("wb") as bounds_file:
                vocabulary = _encode(sources, options, ids_file, bounds_file)
            text = json.dumps(vocabulary.to_json())
            (temporary / "vocabulary.json").write_text(text, encoding="utf-8")
            if not folder.exists():  # unless another process was faster
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"{folder.parent}: the encoded corpus cannot be written to this folder "
            f"({error.strerror}); make room, or set another folder in SEQGEN_CACHE"
        ) from error
    return folder
