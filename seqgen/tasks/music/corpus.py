"""Music as tokens: files → corpus, tokens → pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.corpus import sources as sources_module
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError, MusicError
from seqgen.music.analysis.key_finding import close_of, key_of
from seqgen.music.analysis.near_duplicates import families
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import Piece
from seqgen.music.tokens import codec as codec_module
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.music.files import readings
from seqgen.types import Ids
from seqgen.vocabulary import END, Vocabulary

TRANSPOSE = ("none", "augment", "c")
SHIFTS = (0, *range(-5, 0), *range(1, 7))  # semitones: every key once, the piece's own first
MOST_MOVED = 0.25  # share of notes, before it is said that files were played, not written
LISTED = 3  # reasons for skipping that are said


def read(
    sources: Sequence[Source],
    *,
    name: str = "music",
    encoding: str | None = None,
    transpose: str = "c",
    velocity: bool = False,
    expand_repeats: bool = False,
    voices: int | None = None,
    validation: float = 0.1,
    progress: bool = False,
) -> Corpus:
    """Encode music: every piece of every file ends with the end token.

    Pieces are shuffled, always the same way; those that are nearly the same lie side by side, on
    one side of the split.

    Args:
        sources: files.
        name: what the model file calls the corpus.
        encoding: melody or polyphony; chosen by what there is, unless given.
        transpose: `c` moves each piece to C or its relatives, from where a new one is moved to
            the key that is wanted; `augment` learns every piece in all keys, `none` leaves them
            where they are.
        velocity: keep how loud notes are, in eight steps.
        expand_repeats: write out what repeat signs of a score repeat.
        voices: leave out all but the pieces of so many parts with one note at a time.
        validation: share held out at the end.
        progress: draw a progress bar on stderr, where it takes long.

    Raises:
        CorpusError: nothing of it can be used.
        ConfigError: an option is out of its range.
    """
    if transpose not in TRANSPOSE:
        raise ConfigError(f"transpose: expected {', '.join(TRANSPOSE)}, got {transpose!r}")
    found = readings(sources, expand_repeats=expand_repeats, progress=progress)
    pieces, notes = _usable(sources, found, voices)
    codec = codec_module.fitting(pieces, encoding, velocity)
    without_key = sum(piece.key is None for piece in pieces)
    fitted = [codec.restrict(_with_header(piece)) for piece in pieces]
    left_out = sum(p.note_count - f.note_count for p, f in zip(pieces, fitted, strict=True))
    keys = Counter(str(piece.key) for piece in fitted if piece.key)
    closes = _closes(fitted)
    if transpose == "c":
        fitted = [_in_c(piece) for piece in fitted]
    order, families_of = _order(fitted)
    texts = [[*codec.encode(fitted[i]), END] for i in order]
    vocabulary, variants = _vocabulary(texts, codec, transpose == "augment")
    lengths = [len(text) for text in texts]
    bounds = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    corpus = Corpus(
        name,
        "music",
        vocabulary,
        vocabulary.encode(token for text in texts for token in text),
        bounds,
        validation,
        sources_module.sha256(sources),
        {
            "encoding": codec.encoding,
            "transpose": transpose,
            "velocity": velocity,
            "expand_repeats": expand_repeats,
            "voices": voices,
        },
        (
            *notes,
            *_key_note(without_key),
            _encoding_note(codec, left_out),
        ),
        cuts=bounds[np.flatnonzero(np.diff(families_of, prepend=-1, append=-1))],
        variants=variants,
    )
    return replace(corpus, details=_details(corpus, codec, pieces, keys, closes))


def _usable(
    sources: Sequence[Source], found: Sequence[ReadResult], voices: int | None
) -> tuple[list[Piece], list[str]]:
    """The pieces, and what a person wants to know of the files."""
    pieces = [piece for reading in found for piece in reading.pieces if _has(piece, voices)]
    if not pieces:
        reasons = "; ".join(
            f"{source.label} {reading.reason}"
            for source, reading in list(zip(sources, found, strict=True))[:LISTED]
        )
        raise CorpusError(f"no music to learn from: {reasons or 'there are no files'}")
    notes = _skipped(sources, found)
    total = sum(len(reading.pieces) for reading in found)
    if total > len(pieces):
        notes.append(f"left out {total - len(pieces)} pieces that are not of {voices} voices")
    counts: Counter[str] = Counter()
    for reading in found:
        counts.update({name: n for name, n in reading.counts.items() if name != "moved ms"})
    said = [f"{count:,.0f} {name}" for name, count in counts.items() if count]
    if said:
        notes.append(", ".join(said))
    if counts["notes moved"] > MOST_MOVED * sum(reading.notes for reading in found):
        moves = [r.counts["moved ms"] for r in found if r.counts.get("moved ms")]
        by = f"{median(moves):.0f} ms, " if moves else ""
        notes.append(f"many notes were played off the beat, by {by}and are moved onto the grid")
    return pieces, notes


def _skipped(sources: Sequence[Source], found: Sequence[ReadResult]) -> list[str]:
    """Why files, and pieces of others, are left out: the first few, and how many there are."""
    reasons = [
        f"skipped {source.label}: {reason}"
        for source, reading in zip(sources, found, strict=True)
        for reason in (reading.reason, *reading.skipped)
        if reason
    ]
    if not reasons:
        return []
    files = sum(bool(reading.reason) for reading in found)
    pieces = sum(len(reading.skipped) for reading in found)
    inside = f", and {pieces:,} pieces of others" if pieces else ""
    more = "; seqgen inspect says why" if len(reasons) > LISTED else ""
    return [*reasons[:LISTED], f"skipped {files:,} of {len(found):,} files{inside}{more}"]


def _has(piece: Piece, voices: int | None) -> bool:
    return voices is None or (
        len(piece.parts) == voices and all(part.is_monophonic for part in piece.parts)
    )


def _with_header(piece: Piece) -> Piece:
    """The piece with a meter, and with a key, found by its notes where it does not say one."""
    if not piece.meters or piece.meters[0][0] > 0:
        piece = replace(piece, meters=((0, piece.meter), *piece.meters))
    if piece.key is not None or (key := key_of(piece)) is None:
        return piece
    return replace(piece, keys=((0, key), *piece.keys))


def _key_note(without_key: int) -> list[str]:
    return [f"{without_key:,} pieces name no key; it is found by their notes"] * bool(without_key)


def _encoding_note(codec: Codec, left_out: int) -> str:
    under = f"; {left_out:,} notes lie under others, or repeat them: left out"
    return f"{codec.encoding} encoding{under if left_out else ''}"


def _in_c(piece: Piece) -> Piece:
    """The piece in C major, A minor, D dorian, …; unchanged if it has no key."""
    if piece.key is None:
        return piece
    try:
        return piece.transposed(piece.key.semitones_to_c)
    except MusicError:  # a note would leave MIDI's range
        return piece


def _order(pieces: Sequence[Piece]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places `(P,)` of the pieces in the corpus's order, and what family each is of."""
    numbers = families(pieces)
    shuffled = np.random.default_rng(0).permutation(int(numbers.max()) + 1)[numbers]
    order = np.argsort(shuffled, kind="stable")
    return order, shuffled[order]


def _vocabulary(
    texts: Sequence[Sequence[str]], codec: Codec, augment: bool
) -> tuple[Vocabulary, Ids | None]:
    """The vocabulary, and with `augment` what each token `(12, V)` is in every other key."""
    counts = Counter(token for text in texts for token in text if token != END)
    if not augment:
        return Vocabulary.from_counts(counts, end=True), None
    every = {
        moved: 1
        for token in counts
        for shift in SHIFTS
        if (moved := codec.transposed(token, shift)) is not None
    }
    vocabulary = Vocabulary.from_counts(every, end=True)
    moved_tokens = (
        [codec.transposed(token, shift) if token != END else END for token in vocabulary.tokens]
        for shift in SHIFTS
    )
    rows = [[vocabulary.ids.get(token or "", -1) for token in row] for row in moved_tokens]
    return vocabulary, np.array(rows, np.int32)


def _closes(pieces: Sequence[Piece]) -> dict[str, list[int]]:
    """By mode, on which of the twelve degrees of their key how many pieces close."""
    closes: dict[str, list[int]] = {}
    for close in map(close_of, pieces):
        if close:
            mode, degree = close
            closes.setdefault(mode, [0] * 12)[degree] += 1
    return closes


def _details(
    corpus: Corpus,
    codec: Codec,
    pieces: Sequence[Piece],
    keys: Mapping[str, int],
    closes: Mapping[str, list[int]],
) -> dict[str, Any]:
    """What generation needs to know of the corpus."""
    begins = np.array([codec.starts_note(token) for token in corpus.vocabulary.tokens])
    programs = Counter(part.program for piece in pieces for part in piece.parts)
    tempi = [piece.tempo for piece in pieces if piece.tempi]
    return {
        "codec": asdict(codec),
        "pieces": len(pieces),
        "notes": sum(piece.note_count for piece in pieces),
        "notes_per_validation_token": float(begins[corpus.validation_ids].mean())
        if len(corpus.validation_ids)
        else None,
        "tempo": median(tempi) if 2 * len(tempi) >= len(pieces) else None,  # a few tell nothing
        "program": programs.most_common(1)[0][0],
        "keys": dict(keys),
        "closes": dict(closes),
        "meter": str(Counter(piece.meter for piece in pieces).most_common(1)[0][0]),
    }
