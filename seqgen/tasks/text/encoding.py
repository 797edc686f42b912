"""Encoding of text: bytes → characters → ids.

The bytes are read twice in chunks: first to count the characters, which gives the vocabulary, then
to look up their ids. The ids of a large corpus are written to a file in the cache folder and
memory-mapped, so that it is never completely in memory.
"""

from __future__ import annotations

import errno
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from seqgen.corpus.sources import Source
from seqgen.errors import CorpusError, OutputError
from seqgen.tasks.text.decoding import UnreadableTextError, decoded, require_encoding
from seqgen.types import Ids
from seqgen.utils import schema
from seqgen.utils.archives import open_regular
from seqgen.utils.cache import cache_folder, read_json
from seqgen.utils.validate import require_whole
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

IN_MEMORY_BYTES = 1 << 25  # a larger corpus is encoded into a file
CACHE_VERSION = 2  # of the encoding; increase it to invalidate cached corpora
CHUNK = 1 << 22  # ids that are checked at once
CODE_POINTS = 0x110000
MOST_COUNT = 1_000_000_000  # largest `min_count`
NEWLINE = ord("\n")
FACTS = schema.record(
    {
        "vocabulary": schema.sequence(schema.text(20, least=1), CODE_POINTS + 2, least=1),
        "lengths": schema.sequence(schema.integer(), 2, least=2),  # of the ids and the bounds
    }
)

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
    return _mapped(_encoded_on_disk(sources, options, digest))


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
    position = 0  # of the next id
    bounds_file.write(np.int64(0).tobytes())
    for codes in _codes(sources, options):
        ids = table[codes]
        ids_file.write(ids.tobytes())
        if options.lines:
            ends = np.flatnonzero(ids == vocabulary.end_id) + (position + 1)
            bounds_file.write(ends.astype(np.int64).tobytes())
        position += len(ids)
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


def _mapped(folder: Path) -> tuple[Vocabulary, Ids, Bounds]:
    """Map the files of a corpus in the cache, see `encode`.

    Raises:
        OSError: a file is missing.
        ValueError: the files are damaged.
    """
    facts = read_json(folder / "facts.json")
    FACTS(facts)
    vocabulary = Vocabulary.from_json(facts["vocabulary"])
    for name in ("ids.bin", "bounds.bin"):
        open_regular(folder / name).close()  # mapping a pipe would wait for ever
    ids = np.memmap(folder / "ids.bin", vocabulary.dtype, mode="r")
    bounds = np.memmap(folder / "bounds.bin", np.int64, mode="r")
    in_order = bounds[0] == 0 and (np.diff(bounds) > 0).all() and bounds[-1] in (0, len(ids))
    intact = in_order and [len(ids), len(bounds)] == facts["lengths"]
    if not intact or _highest(folder / "ids.bin", vocabulary.dtype) >= len(vocabulary):
        raise ValueError(f"expected {facts['lengths']} ids and bounds, got other ones")
    return vocabulary, ids, bounds


def _highest(path: Path, dtype: np.dtype[Any]) -> int:
    """The highest id of a file, which is not mapped: its pages would stay in memory."""
    highest = 0
    with path.open("rb") as file:
        while len(ids := np.fromfile(file, dtype, CHUNK)):
            highest = max(highest, int(ids.max()))
    return highest


def _is_intact(folder: Path) -> bool:
    try:
        _mapped(folder)
    except (OSError, ValueError):
        return False
    return True


def _encoded_on_disk(sources: Sequence[Source], options: TextOptions, digest: str) -> Path:
    """The cache folder of a corpus encoded with these options, which is created if missing.

    Two processes may create it at a time: a folder appears complete, under its final name.
    """
    sizes = [source.size for source in sources]  # a newline may be added after a text
    key = sha256(repr((CACHE_VERSION, digest, sizes, options)).encode()).hexdigest()
    folder = cache_folder() / "corpora" / key
    if _is_intact(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".", dir=folder.parent))
        try:
            _encode_into(temporary, sources, options)
            shutil.rmtree(folder, ignore_errors=True)  # it is damaged
            with suppress(OSError):  # another process was faster
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        if not _is_intact(folder):
            raise OSError(errno.EIO, "the files differ from what was written")
    except OSError as error:
        raise OutputError(
            f"{folder.parent}: the encoded corpus cannot be written to this folder "
            f"({error.strerror}); make room, or set another folder in SEQGEN_CACHE"
        ) from error
    return folder


def _encode_into(folder: Path, sources: Sequence[Source], options: TextOptions) -> None:
    ids_path, bounds_path = folder / "ids.bin", folder / "bounds.bin"
    with ids_path.open("wb") as ids_file, bounds_path.open("wb") as bounds_file:
        vocabulary = _encode(sources, options, ids_file, bounds_file)
        lengths = [ids_file.tell() // vocabulary.dtype.itemsize, bounds_file.tell() // 8]
    facts = {"vocabulary": vocabulary.to_json(), "lengths": lengths}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
