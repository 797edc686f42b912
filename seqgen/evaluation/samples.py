"""What a model writes, measured beside what it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import mean
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.model import Model
from seqgen.music.analysis import measures
from seqgen.music.analysis.measures import Copies, Histogram
from seqgen.music.piece import Piece
from seqgen.music.tokens.codec import Codec
from seqgen.tasks.load import load_corpus
from seqgen.tasks.text import measures as text_measures
from seqgen.vocabulary import END, UNKNOWN

MOST = 20_000_000  # characters of the corpus, which take 100 bytes each
ORDERS = 4, 8  # of the character n-grams that are counted

OF_A_PIECE: dict[str, Callable[[Piece], float]] = {
    "pitch_class_entropy": measures.pitch_class_entropy,
    "pitch_range": measures.pitch_range,
    "scale_consistency": measures.scale_consistency,
    "in_key_share": measures.in_key_share,
    "groove_consistency": measures.groove_consistency,
    "empty_bars": measures.empty_bars,
    "full_bars": measures.full_bars,
}
OVERLAPS = {
    "durations": measures.durations,
    "intervals": measures.intervals,
    "pitch_classes": measures.pitch_classes,
}

Table = dict[str, dict[str, float | None]]  # measure → of the samples, held out, of the corpus


def of_text(model: Model, corpus: Corpus, count: int, **options: Any) -> Table:
    """Measures of new texts, and of as much text that was held out.

    Args:
        model: of text.
        corpus: that it was trained on, in its tokens; of a large one, its last 20 million.
        count: how many texts.
        options: of `Model.texts`.
    """
    vocabulary = corpus.vocabulary
    texts = model.texts(count, **options)
    new = ["".join(each)[len(each.prompt) :] for each in texts]
    length = max(sum(map(len, new)) // count, 1)
    known = "".join(_characters(vocabulary.decode(corpus.training_ids[-MOST:])))
    held_out = "".join(_characters(vocabulary.decode(corpus.validation_ids[: 2 * length * count])))
    real = [held_out[i : i + length] for i in range(0, len(held_out), length)][:count]
    if model.writes_lines:
        real = held_out.splitlines()[:count]
    table: Table = {}
    same = min(len(new), len(real)) or len(new)  # more text has fewer that are new
    for order in ORDERS:
        table[f"distinct_{order}"] = {
            "samples": text_measures.distinct(new[:same], order),
            "held_out": text_measures.distinct(real[:same], order) if real else None,
        }
    words = set(text_measures.words(known))
    ids = {character: i for i, character in enumerate(sorted({*known, *"".join([*new, *real])}))}

    def codes(text: str) -> Any:
        return text_measures.codes(np.array([ids[each] for each in text], int), [*ids])

    corpus_codes = codes(known)
    groups = {"samples": new, "held_out": real}
    table["known_words"] = {
        name: _mean([text_measures.known_words(each, words) for each in group])
        for name, group in groups.items()
    }
    in_codes = {name: [codes(each) for each in group] for name, group in groups.items() if group}
    table["copied_20_grams"] = {
        name: text_measures.copied_share(group, corpus_codes) for name, group in in_codes.items()
    }
    table["longest_copy"] = {
        name: text_measures.longest_copy(group, corpus_codes) for name, group in in_codes.items()
    }
    return table


def _characters(tokens: Sequence[str]) -> list[str]:
    replaced = {END: "\n", UNKNOWN: "\ufffd"}
    return [replaced.get(token, token) for token in tokens]


def _mean(numbers: Sequence[float]) -> float | None:
    return mean(numbers) if numbers else None


def of_music(
    model: Model, corpus: Corpus, count: int, **options: Any
) -> tuple[Table, dict[str, dict[str, Histogram]]]:
    """Measures of new pieces, of those held out, and of those learned from; and the histograms
    that overlap, of the same three.

    Args:
        model: of music.
        corpus: that it was trained on.
        count: how many pieces.
        options: of `Model.pieces`.
    """
    if corpus.options["transpose"] == "c":  # pieces in the keys that they are written in
        reading = {**corpus.options, "task": "music", "transpose": "none"}
        corpus = load_corpus(*corpus.arguments, validation=corpus.validation, **reading)
    known, held_out = pieces_of(corpus)
    new = [each.piece for each in model.pieces(count, **options)]
    groups = {"samples": new, "held_out": held_out, "corpus": known}
    table: Table = {
        name: {group: _mean([measure(p) for p in pieces]) for group, pieces in groups.items()}
        for name, measure in OF_A_PIECE.items()
    }
    histograms = {
        name: {group: measures.histogram(pieces, values) for group, pieces in groups.items()}
        for name, values in OVERLAPS.items()
    }
    for name, each in histograms.items():
        table[f"overlap_of_{name}"] = {
            group: measures.overlap(each[group], each["corpus"])
            for group in groups
            if groups[group]
        }
    copies = Copies(known)
    longest = {name: [copies.longest(p) for p in groups[name]] for name in ("samples", "held_out")}
    for name, share in {"median": 0.5, "of_nine_in_ten": 0.9, "of_all": 1.0}.items():
        table[f"longest_copy_{name}"] = {
            group: float(np.quantile(each, share, method="inverted_cdf")) if each else None
            for group, each in longest.items()
        }
    return table, histograms


def pieces_of(corpus: Corpus) -> tuple[list[Piece], list[Piece]]:
    """The pieces that were learned from, and those held out, as they were encoded."""
    assert corpus.bounds is not None
    codec = Codec(**corpus.details["codec"])
    pieces = [
        codec.decode(corpus.vocabulary.decode(corpus.ids[start : end - 1]))
        for start, end in pairwise(corpus.bounds.tolist())
    ]
    cut = int(np.searchsorted(corpus.bounds, corpus.training_length))
    return pieces[:cut], pieces[cut:]
