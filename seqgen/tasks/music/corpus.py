"""Music files → a corpus of tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from seqgen.corpus import sources as sources_module
from seqgen.corpus.corpus import Corpus, split_position
from seqgen.corpus.sources import Source
from seqgen.errors import ConfigError, CorpusError, MusicError
from seqgen.music.analysis.key_finding import final_degree, key_of
from seqgen.music.analysis.near_duplicates import families
from seqgen.music.io.result import ReadResult
from seqgen.music.piece import Piece
from seqgen.music.tokens import melody
from seqgen.music.tokens.codec import Codec, choose_codec
from seqgen.tasks.music.files import readings
from seqgen.types import Ids, Json
from seqgen.vocabulary import END, Vocabulary

TRANSPOSE = ("none", "augment", "c")
SHIFTS = (0, *range(-5, 0), *range(1, 7))  # semitones: every key once, the piece's own first
PLAYED = 0.25  # a larger fraction of notes off the grid means that the music was performed
MAX_REASONS = 3  # listed for files that are skipped

Numbers = npt.NDArray[np.int64]


def read(
    sources: Sequence[Source],
    *,
    encoding: str | None = None,
    transpose: str = "c",
    velocity: bool = False,
    expand_repeats: bool = False,
    voices: int | None = None,
    validation: float = 0.1,
    progress: bool = False,
    **origin: Any,
) -> Corpus:
    """Encode music: all pieces of all files, with the end token after every piece.

    Pieces are shuffled, always in the same way. Near-duplicates are neighbours, and on the same
    side of the split.

    Args:
        sources: the files.
        encoding: `melody` or `polyphony`; by default the one that suits the pieces.
        transpose: `c` transposes every piece to C major or the same mode without accidentals, and
            generated pieces to the requested key; `augment` trains on every piece in all keys;
            `none` keeps the keys.
        velocity: keep velocities, in eight levels.
        expand_repeats: write out repeats.
        voices: use only pieces with this number of parts, all of them monophonic.
        validation: fraction of the tokens that is held out at the end.
        progress: draw a progress bar on stderr if reading takes long.
        origin: fields of `Corpus` that are passed to it unchanged: `name` and others.

    Raises:
        CorpusError: no file can be used.
        ConfigError: an option is out of its range.
    """
    if transpose not in TRANSPOSE:
        raise ConfigError(f"transpose: expected {', '.join(TRANSPOSE)}, got {transpose!r}")
    results = readings(sources, expand_repeats=expand_repeats, progress=progress)
    found, notes = _usable(sources, results, voices)
    codec = choose_codec(found, encoding, velocity)
    pieces = [codec.restrict(_with_header(piece)) for piece in found]
    details = _details(found, pieces, codec)
    notes += _key_note(found)
    notes += _tempo_note(found)
    notes.append(_encoding_note(codec, details["notes"], pieces))
    if transpose == "c":
        pieces = [_in_c(piece) for piece in pieces]
    order, family = _order(pieces, codec)
    texts = [[*codec.encode(pieces[i]), END] for i in order]
    vocabulary = _vocabulary(texts, codec, transpose == "augment")
    ids = vocabulary.encode(token for text in texts for token in text)
    bounds = np.concatenate(([0], np.cumsum([len(text) for text in texts], dtype=np.int64)))
    cuts = bounds[np.flatnonzero(np.diff(family, prepend=-1, append=-1))]
    held_out = ids[split_position(len(ids), validation, cuts) :]
    details["notes_per_validation_token"] = _notes_per_token(held_out, vocabulary, codec)
    return Corpus(
        task="music",
        vocabulary=vocabulary,
        ids=ids,
        bounds=bounds,
        validation=validation,
        sha256=sources_module.sha256(sources),
        options={
            "encoding": codec.encoding,
            "transpose": transpose,
            "velocity": velocity,
            "expand_repeats": expand_repeats,
            "voices": voices,
        },
        notes=tuple(notes),
        cuts=cuts,
        variants=Transpositions(vocabulary, codec) if transpose == "augment" else None,
        details=details,
        **origin,
    )


def _usable(
    sources: Sequence[Source], results: Sequence[ReadResult], voices: int | None
) -> tuple[list[Piece], list[str]]:
    """Return the pieces, and notes for the user about the files."""
    pieces = [piece for result in results for piece in result.pieces if _has_voices(piece, voices)]
    if not pieces:
        reasons = "; ".join(
            f"{source.label} {result.reason}"
            for source, result in list(zip(sources, results, strict=True))[:MAX_REASONS]
        )
        raise CorpusError(f"no music to learn from: {reasons or 'there are no files'}")
    notes = _skipped(sources, results)
    total = sum(len(result.pieces) for result in results)
    if total > len(pieces):
        notes.append(f"left out {total - len(pieces)} pieces that do not have {voices} voices")
    return pieces, notes + _reader_notes(results)


def _reader_notes(results: Sequence[ReadResult]) -> list[str]:
    """Summarise what the readers counted."""
    notes: list[str] = []
    counts: Counter[str] = Counter()
    for result in results:
        counts.update({name: n for name, n in result.counts.items() if name != "moved ms"})
    summary = [f"{count:,.0f} {name}" for name, count in counts.items() if count]
    if summary:
        notes.append(", ".join(summary))
    if counts["notes moved"] > PLAYED * sum(result.notes for result in results):
        distances = [r.counts["moved ms"] for r in results if r.counts.get("moved ms")]
        by = f", by {median(distances):.0f} ms," if distances else ""
        notes.append(f"many notes were played off the beat{by} and are moved onto the grid")
    return notes


def _skipped(sources: Sequence[Source], results: Sequence[ReadResult]) -> list[str]:
    """Return the first reasons for skipping files or pieces, and how many there are."""
    reasons = [
        f"skipped {source.label}: {reason}"
        for source, result in zip(sources, results, strict=True)
        for reason in (result.reason, *result.skipped)
        if reason
    ]
    if not reasons:
        return []
    files = sum(bool(result.reason) for result in results)
    pieces = sum(len(result.skipped) for result in results)
    inside = f", and {pieces:,} pieces of others" if pieces else ""
    more = "; seqgen inspect says why" if len(reasons) > MAX_REASONS else ""
    return [*reasons[:MAX_REASONS], f"skipped {files:,} of {len(results):,} files{inside}{more}"]


def _has_voices(piece: Piece, voices: int | None) -> bool:
    return voices is None or (
        len(piece.parts) == voices and all(part.is_monophonic for part in piece.parts)
    )


def _with_header(piece: Piece) -> Piece:
    """Add the meter, and a key estimated from the notes, if the piece does not begin with them."""
    if not piece.meters or piece.meters[0][0] > 0:
        piece = replace(piece, meters=((0, piece.meter), *piece.meters))
    if piece.key is not None or (key := key_of(piece)) is None:
        return piece
    return replace(piece, keys=((0, key), *piece.keys))


def _key_note(pieces: Sequence[Piece]) -> list[str]:
    without_key = sum(piece.key is None for piece in pieces)
    text = f"{without_key:,} pieces name no key; it is estimated from their notes"
    return [text] * bool(without_key)


def _tempo_note(pieces: Sequence[Piece]) -> list[str]:
    changes = sum(piece.tempo_changes for piece in pieces)
    return [f"{changes:,} changes of tempo are left out"] * bool(changes)


def _encoding_note(codec: Codec, found: int, pieces: Sequence[Piece]) -> str:
    left_out = found - sum(piece.note_count for piece in pieces)
    text = f"; {left_out:,} notes sound at the same time as others: left out"
    return f"{codec.encoding} encoding{text if left_out else ''}"


def _in_c(piece: Piece) -> Piece:
    """Transpose to C major, A minor, D dorian and so on; leave a piece without a key."""
    if piece.key is None:
        return piece
    try:
        return piece.transposed(piece.key.semitones_to_c)
    except MusicError:  # a note would leave MIDI's range
        return piece


def _order(pieces: Sequence[Piece], codec: Codec) -> tuple[Numbers, Numbers]:
    """Return the indices of the pieces in the order of the corpus `(P,)`, and their families."""
    melodies = pieces if codec.is_melody else [melody.restrict(piece) for piece in pieces]
    numbers = families(melodies)
    shuffled = np.random.default_rng(0).permutation(int(numbers.max()) + 1)[numbers]
    order = np.argsort(shuffled, kind="stable")
    return order, shuffled[order]


def _vocabulary(texts: Sequence[Sequence[str]], codec: Codec, augment: bool) -> Vocabulary:
    """The tokens of the texts, and with `augment` those of the texts in all keys."""
    counts = Counter(token for text in texts for token in text if token != END)
    if not augment:
        return Vocabulary.from_counts(counts, end=True)
    all_keys = {
        other: 1
        for token in counts
        for shift in SHIFTS
        if (other := codec.transposed(token, shift)) is not None
    }
    return Vocabulary.from_counts(all_keys, end=True)


class Transpositions:
    """Draws a transposition of a piece.

    Args:
        vocabulary: of the pieces in all keys.
        codec: of the tokens.
    """

    def __init__(self, vocabulary: Vocabulary, codec: Codec) -> None:
        transposed = (
            [codec.transposed(token, shift) if token != END else END for token in vocabulary.tokens]
            for shift in SHIFTS
        )
        rows = [[vocabulary.ids.get(token or "", -1) for token in row] for row in transposed]
        self.table = np.array(rows, np.int32)  # (12, V), the id in each key; -1: out of range

    def __call__(self, ids: Ids, random: np.random.Generator) -> Ids:
        """The ids `(L,)` of a piece → those in a random key that has all of its tokens."""
        while True:
            moved: Ids = self.table[random.integers(len(self.table))][ids]
            if moved.min() >= 0:
                return moved


def _final_degrees(pieces: Sequence[Piece]) -> dict[str, list[int]]:
    """Count for each mode on which of the twelve degrees its pieces end."""
    counts: dict[str, list[int]] = {}
    for final in map(final_degree, pieces):
        if final:
            mode, degree = final
            counts.setdefault(mode, [0] * 12)[degree] += 1
    return counts


def _notes_per_token(ids: Ids, vocabulary: Vocabulary, codec: Codec) -> float | None:
    starts = np.array([codec.starts_note(token) for token in vocabulary.tokens])
    return float(starts[ids].mean()) if len(ids) else None


def _details(found: Sequence[Piece], pieces: Sequence[Piece], codec: Codec) -> Json:
    """Describe the corpus for generation, in the form that the model file stores.

    Args:
        found: the pieces as they were read.
        pieces: the same, restricted to the codec, with meters and keys.
        codec: the codec.
    """
    programs = Counter(part.program for piece in found for part in piece.parts)
    tempi = [piece.tempo for piece in found if piece.tempi]
    return {
        "codec": asdict(codec),
        "pieces": len(found),
        "notes": sum(piece.note_count for piece in found),
        "notes_per_validation_token": None,  # known after the split
        "tempo": median(tempi) if 2 * len(tempi) >= len(found) else None,  # unknown for most
        "program": programs.most_common(1)[0][0],
        "keys": dict(Counter(str(piece.key) for piece in pieces if piece.key)),
        "closes": _final_degrees(pieces),  # the name in model files
        "meter": str(Counter(piece.meter for piece in found).most_common(1)[0][0]),
    }
