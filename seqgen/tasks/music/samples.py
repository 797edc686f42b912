"""Measures of generated pieces, compared with those of the corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import mean
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.music.analysis import measures
from seqgen.music.analysis.measures import Histogram
from seqgen.music.piece import Piece
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.load import load_corpus
from seqgen.tasks.music.copying import longest_copies
from seqgen.tasks.music.pieces import Pieces

OF_A_PIECE: dict[str, Callable[[Piece], float]] = {
    "pitch_class_entropy": measures.pitch_class_entropy,
    "pitch_range": measures.pitch_range,
    "scale_consistency": measures.scale_consistency,
    "in_key_share": measures.in_key_share,
    "groove_consistency": measures.groove_consistency,
    "empty_bars": measures.empty_bars,
    "full_bars": measures.full_bars,
    "returning_bars": measures.returning_bars,
}
OVERLAPS = {
    "durations": measures.durations,
    "intervals": measures.intervals,
    "pitch_classes": measures.pitch_classes,
}

Table = dict[str, dict[str, float | None]]  # measure → group → value


def measure(
    generator: Pieces, corpus: Corpus, count: int, **options: Any
) -> tuple[Table, dict[str, dict[str, Histogram]]]:
    """Measure generated pieces, held-out pieces and training pieces.

    Args:
        generator: generates the pieces.
        corpus: the training corpus.
        count: number of pieces to generate.
        options: of `Pieces.pieces`.

    Returns:
        A table, measure → group → value, and the histograms whose overlaps are in the table,
        measure → group → histogram.
    """
    if corpus.options["transpose"] == "c":  # compare pieces in their own keys
        options_in_own_key = {
            **corpus.options,
            "validation": corpus.validation,
            "transpose": "none",
        }
        corpus = load_corpus(
            *corpus.arguments, task=corpus.task, progress=False, **options_in_own_key
        )
    known, held_out = pieces_of(corpus)
    new = [composition.piece for composition in generator.pieces(count, **options)]
    groups = {"samples": new, "held_out": held_out, "corpus": known}
    table: Table = {
        name: {group: _mean([of_piece(p) for p in pieces]) for group, pieces in groups.items()}
        for name, of_piece in OF_A_PIECE.items()
    }
    histograms = {
        name: {group: measures.histogram(pieces, values) for group, pieces in groups.items()}
        for name, values in OVERLAPS.items()
    }
    for name, by_group in histograms.items():
        table[f"overlap_of_{name}"] = {
            group: measures.overlap(by_group[group], by_group["corpus"])
            for group in groups
            if groups[group]
        }
    codec = Codec(**corpus.details["codec"])
    longest = {name: longest_copies(groups[name], known, codec) for name in ("samples", "held_out")}
    for name, share in {"median": 0.5, "of_nine_in_ten": 0.9, "of_all": 1.0}.items():
        table[f"longest_copy_{name}"] = {
            group: float(np.quantile(runs, share, method="inverted_cdf")) if runs else None
            for group, runs in longest.items()
        }
    return table, histograms


def pieces_of(corpus: Corpus) -> tuple[list[Piece], list[Piece]]:
    """Return the training pieces and the held-out pieces, decoded from their tokens."""
    assert corpus.bounds is not None
    codec = Codec(**corpus.details["codec"])
    pieces = [
        codec.decode(corpus.vocabulary.decode(corpus.ids[start : end - 1]))
        for start, end in pairwise(corpus.bounds.tolist())
    ]
    cut = int(np.searchsorted(corpus.bounds, corpus.training_length))
    return pieces[:cut], pieces[cut:]


def _mean(numbers: Sequence[float]) -> float | None:
    return mean(numbers) if numbers else None
