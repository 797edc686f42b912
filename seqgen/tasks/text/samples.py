"""Comparison of generated texts with the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.tasks.text import measures
from seqgen.tasks.text.generate import TextGenerator
from seqgen.types import Hashes
from seqgen.vocabulary import END, UNKNOWN

MAX_CHARACTERS = 20_000_000  # of the corpus; each one takes 100 bytes of memory
ORDERS = 4, 8  # of character n-grams

Table = dict[str, dict[str, float | None]]  # measure → group → value


def measure(generator: TextGenerator, corpus: Corpus, count: int, **options: Any) -> Table:
    """Measure generated texts, and as much held-out text for comparison.

    Args:
        generator: generates the texts.
        corpus: the training corpus, in the vocabulary of the model; its last
            `MAX_CHARACTERS` characters are used.
        count: number of texts to generate.
        options: of `TextGenerator.texts`.

    Returns:
        Measure → group (`samples`, `held_out`) → value.
    """
    vocabulary = corpus.vocabulary
    texts = generator.texts(count, **options)
    new = ["".join(text)[len(text.prompt) :] for text in texts]
    length = max(sum(map(len, new)) // count, 1)
    known = "".join(_characters(vocabulary.decode(corpus.training_ids[-MAX_CHARACTERS:])))
    held_out = "".join(_characters(vocabulary.decode(corpus.validation_ids[: 2 * length * count])))
    real = [held_out[i : i + length] for i in range(0, len(held_out), length)][:count]
    if vocabulary.end_id is not None:
        real = held_out.splitlines()[:count]
    table: Table = {}
    # The share of distinct n-grams falls with the number of texts, so compare equal numbers.
    compared = min(len(new), len(real)) or len(new)
    for order in ORDERS:
        table[f"distinct_{order}"] = {
            "samples": measures.distinct(new[:compared], order),
            "held_out": measures.distinct(real[:compared], order) if real else None,
        }
    words = set(measures.words(known))
    ids = {character: i for i, character in enumerate(sorted({*known, *"".join([*new, *real])}))}

    def codes(text: str) -> Hashes:
        return measures.codes(np.array([ids[character] for character in text], int), [*ids])

    corpus_codes = codes(known)
    groups = {"samples": new, "held_out": real}
    table["known_words"] = {
        name: _mean([measures.known_words(text, words) for text in group])
        for name, group in groups.items()
    }
    in_codes = {name: [codes(text) for text in group] for name, group in groups.items() if group}
    table["copied_20_grams"] = {
        name: measures.copied_share(group, corpus_codes) for name, group in in_codes.items()
    }
    table["longest_copy"] = {
        name: measures.longest_copy(group, corpus_codes) for name, group in in_codes.items()
    }
    return table


def _characters(tokens: Sequence[str]) -> list[str]:
    replaced = {END: "\n", UNKNOWN: "\ufffd"}
    return [replaced.get(token, token) for token in tokens]


def _mean(numbers: Sequence[float]) -> float | None:
    return mean(numbers) if numbers else None
