"""Text as a sequence of Unicode code points: files → corpus, prompt → ids, tokens → file.

Reading goes twice over the bytes, a few megabytes at a time: once to count the characters, which
gives the vocabulary, once to look each one up in a table. Nothing is ever held whole; the ids of
a large corpus go to a file in the cache folder and are memory-mapped from there.
"""

from __future__ import annotations

import codecs
import io
import json
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, pairwise
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import numpy.typing as npt

from seqgen import sources as sources_module
from seqgen.catalogue import cache_folder
from seqgen.corpus import Corpus
from seqgen.errors import ConfigError, CorpusError, OutputError, VocabularyError
from seqgen.sources import Source
from seqgen.vocabulary import END, UNKNOWN, Ids, Vocabulary

IN_MEMORY_BYTES = 1 << 25  # a larger corpus is encoded into a file
CACHE_VERSION = 1  # of the encoding; another number is another cache entry
CODE_POINTS = 0x110000
NEWLINE = ord("\n")
SNIFFED_BYTES = 8192
SAMPLED_LINES = 200
SECONDS_PER_FLUSH = 0.02
RULE = "-" * 15
BINARY_STARTS = (
    b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"MThd", b"ID3",
)  # fmt: skip

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True)
class TextOptions:
    """How bytes become tokens."""

    encoding: str = "utf-8"
    lines: bool = False  # every line is a piece of its own
    min_count: int = 1  # characters seen less often share one token

    def __post_init__(self) -> None:
        try:
            b"a".decode(self.encoding)
        except UnicodeDecodeError:
            pass  # a text encoding with wider units
        except (LookupError, ValueError) as error:
            raise ConfigError(
                f"encoding: expected a name such as utf-8, latin-1, cp1252 or utf-16, "
                f"got {self.encoding!r}"
            ) from error
        if self.min_count < 1:
            raise ConfigError(f"min_count: expected at least 1, got {self.min_count}")


def read(
    sources: Sequence[Source],
    *,
    name: str = "text",
    encoding: str = "utf-8",
    lines: bool = False,
    min_count: int = 1,
    validation: float = 0.1,
) -> Corpus:
    r"""Encode text, in order; a text without a final newline gets one before the next.

    A byte order mark is dropped and `\r\n` and `\r` become `\n`.

    Args:
        sources: files, folders' files or bytes.
        name: what the model file calls the corpus.
        encoding: of the bytes.
        lines: every line that is not empty is a piece of its own, closed by an end token.
        min_count: characters seen less often become one `<unk>`, which is never generated.
        validation: share held out at the end.

    Raises:
        CorpusError: bytes are not in that encoding, a file is binary or empty, there is no text.
        ConfigError: an option is out of its range.

    >>> corpus = read([Source("note", data=b"hello\r\n")], validation=0)
    >>> "".join(corpus.vocabulary.decode(corpus.ids))
    'hello\n'
    """
    options = TextOptions(encoding, lines, min_count)
    kept, notes = _usable(sources, options)
    digest = sources_module.sha256(kept)
    if sum(source.size for source in kept) <= IN_MEMORY_BYTES:
        ids_file, bounds_file = io.BytesIO(), io.BytesIO()
        vocabulary = _encode(kept, options, ids_file, bounds_file)
        ids: Ids = np.frombuffer(ids_file.getbuffer(), vocabulary.dtype)
        bounds = np.frombuffer(bounds_file.getbuffer(), np.int64)
        if lines and _is_sorted(vocabulary, ids, bounds):
            ids, bounds = _shuffled(ids, bounds)
            notes += ("the lines are sorted; shuffled, so that those held out are like the rest",)
    else:
        folder = _encoded_on_disk(kept, options, digest)
        vocabulary = Vocabulary.from_json(json.loads((folder / "vocabulary.json").read_bytes()))
        ids = np.memmap(folder / "ids.bin", vocabulary.dtype, mode="r")
        bounds = np.memmap(folder / "bounds.bin", np.int64, mode="r")
    return Corpus(
        name,
        "text",
        vocabulary,
        ids,
        bounds if lines else None,
        validation,
        digest,
        {"encoding": encoding, "lines": lines, "min_count": min_count},
        notes,
    )


def _usable(
    sources: Sequence[Source], options: TextOptions
) -> tuple[list[Source], tuple[str, ...]]:
    """The sources that hold text, and what was skipped; what the user named must hold text."""
    kept, skipped = [], []
    for source in sources:
        reason = _why_not_text(source, options.encoding)
        if reason is None:
            kept.append(source)
        elif source.optional:
            skipped.append(f"skipped {source.label}: {reason}")
        else:
            raise CorpusError(f"{source.label} {reason}")
    if not kept:
        where = "the folder has no files" if not sources else "no file of the folder holds text"
        detail = f": {'; '.join(skipped[:3])}" if skipped else ""
        raise CorpusError(f"no text to learn from: {where}{detail}")
    return kept, tuple(skipped)


def _why_not_text(source: Source, encoding: str) -> str | None:
    with source.open() as file:
        head = file.read(SNIFFED_BYTES)
    if not head:
        return "is empty; name a file with text in it"
    wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    if not wide and head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "looks like UTF-16; add --encoding utf-16"
    if head.startswith(BINARY_STARTS) or (not wide and b"\0" in head):
        return "is a binary file, not text; save it as plain text and name that"
    return None


def _encode(
    sources: Sequence[Source], options: TextOptions, ids_file: BinaryIO, bounds_file: BinaryIO
) -> Vocabulary:
    """Write ids, in the vocabulary's type, and the pieces' bounds, as int64, to the files."""
    counts = np.zeros(CODE_POINTS, np.int64)
    for codes in _codes(sources, options):
        found = np.bincount(codes)
        counts[: len(found)] += found
    if options.lines:
        counts[NEWLINE] = 0  # the end token stands for it
    characters = {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}
    if not characters:
        raise CorpusError("no text to learn from: there is nothing but empty lines")
    vocabulary = Vocabulary.from_counts(characters, min_count=options.min_count, end=options.lines)
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
    """Code point → id `(CODE_POINTS,)`; the end token stands where a newline would."""
    table = np.full(CODE_POINTS, vocabulary.unknown_id or 0, vocabulary.dtype)
    for i, token in enumerate(vocabulary.tokens):
        if token not in (END, UNKNOWN):
            table[ord(token)] = i
    if vocabulary.end_id is not None:
        table[NEWLINE] = vocabulary.end_id
    return table


def _codes(sources: Sequence[Source], options: TextOptions) -> Iterator[Codes]:
    """The code points of all sources, chunk by chunk; with `lines`, without empty lines."""
    last = NEWLINE
    for number, source in enumerate(sources):
        for text in _decoded(source, options.encoding):
            codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
            if not len(codes):
                continue
            previous = np.concatenate((np.array([last], np.uint32), codes[:-1]))
            last = int(codes[-1])
            yield codes[(codes != NEWLINE) | (previous != NEWLINE)] if options.lines else codes
        is_last = number == len(sources) - 1
        if last != NEWLINE and (options.lines or not is_last):
            yield np.array([NEWLINE], np.uint32)
            last = NEWLINE


def _decoded(source: Source, encoding: str) -> Iterator[str]:
    """The text of a source, chunk by chunk, without a byte order mark, newlines normalised."""
    decoder = codecs.getincrementaldecoder(encoding)()
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    consumed, at_start = 0, True
    for chunk in chain(source.chunks(), [b""]):  # the empty one closes both decoders
        final = not chunk
        pending = len(decoder.getstate()[0])
        try:
            text = newlines.decode(decoder.decode(chunk, final), final)
        except UnicodeDecodeError as error:
            offset = consumed - pending + error.start
            byte = error.object[error.start]
            raise CorpusError(
                f"{source.label}: byte {offset:,} (0x{byte:02x}) is not {encoding}; "
                "name the encoding that the file has, for example --encoding cp1252 or latin-1"
            ) from error
        consumed += len(chunk)
        if at_start and text:
            text, at_start = text.removeprefix("\ufeff"), False
        if "\0" in text:
            raise CorpusError(f"{source.label} is a binary file: it has a zero character")
        yield text


def _is_sorted(vocabulary: Vocabulary, ids: Ids, bounds: npt.NDArray[np.int64]) -> bool:
    """Whether the lines stand in the order of the alphabet, judged by a few spread over them.

    Of such a list the last tenth, held out, begins with letters that the rest never begins with:
    every network would only seem to get worse.
    """
    lines = len(bounds) - 1
    chosen = np.unique(np.linspace(0, lines - 1, SAMPLED_LINES).astype(int))
    pieces = [vocabulary.decode(ids[bounds[i] : bounds[i + 1] - 1]) for i in chosen]
    texts = ["".join(piece).casefold() for piece in pieces]
    in_order = sum(a <= b for a, b in pairwise(texts))
    return len(texts) >= 10 and in_order >= 0.95 * (len(texts) - 1)


def _shuffled(ids: Ids, bounds: npt.NDArray[np.int64]) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The same pieces in another order, always the same one."""
    order = np.random.default_rng(0).permutation(len(bounds) - 1)
    pieces = [ids[bounds[i] : bounds[i + 1]] for i in order]
    lengths = np.diff(bounds)[order]
    return np.concatenate(pieces), np.concatenate(([0], np.cumsum(lengths)))


def _encoded_on_disk(sources: Sequence[Source], options: TextOptions, digest: str) -> Path:
    """The folder of the cache that holds this content encoded with these options."""
    sizes = [source.size for source in sources]  # where one text ends a newline may be added
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
            if not folder.exists():  # another run may have been faster
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"{folder.parent}: the encoded corpus cannot be written there "
            f"({error.strerror}); make room, or name another folder in SEQGEN_CACHE"
        ) from error
    return folder


def encode_prompt(
    vocabulary: Vocabulary, prompt: str, *, skip_unknown: bool = False
) -> tuple[str, Ids]:
    """The prompt as the model can read it, and the ids `(T,)`, at least one, to feed it.

    Where pieces have an end, the ids begin with the end token, as every piece in training does.
    Elsewhere an empty prompt is fed as a newline, or whatever comes first in the vocabulary.

    Args:
        skip_unknown: drop characters that the model has never seen.

    Raises:
        VocabularyError: there are such characters; all of them are listed.

    >>> encode_prompt(Vocabulary(("<end>", "a", "b")), "ab")
    ('ab', array([0, 1, 2], dtype=uint8))
    """
    prompt = prompt.replace("\r\n", "\n").replace("\r", "\n")
    unknown = sorted(set(prompt) - vocabulary.ids.keys())
    if unknown and not skip_unknown:
        listed = ", ".join(f"{each!r} ({_code_point_name(each)})" for each in unknown)
        raise VocabularyError(
            f"the prompt has characters that the model has never seen: {listed}; "
            "leave them out, or add --skip-unknown to drop them"
        )
    prompt = "".join(character for character in prompt if character in vocabulary.ids)
    tokens = [*prompt]
    if vocabulary.end_id is not None:
        tokens.insert(0, END)
    elif not tokens:
        printable = [token for token in vocabulary.tokens if token != UNKNOWN]
        tokens = ["\n" if "\n" in vocabulary.ids else printable[0]]
    return prompt, vocabulary.encode(tokens)


def _code_point_name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def write(texts: Sequence[Iterable[str]], file: TextIO, *, lines: bool) -> None:
    """Write generated text as it comes.

    Several texts are set apart by a rule; lines stand one below the other. A terminal gets a
    newline at the end, a file just the text.

    >>> import sys
    >>> write([["a", "b"], ["c"]], sys.stdout, lines=True)
    ab
    c
    """
    flushed = time.monotonic()
    for piece in _joined(texts, lines):
        file.write(piece)
        if (now := time.monotonic()) - flushed > SECONDS_PER_FLUSH:
            file.flush()
            flushed = now
    if file.isatty() and not lines:
        file.write("\n")
    file.flush()


def _joined(texts: Sequence[Iterable[str]], lines: bool) -> Iterator[str]:
    for number, text in enumerate(texts):
        if number and not lines:
            yield f"\n{RULE}\n"
        yield from text
        if lines:
            yield "\n"
