"""Conversion of a corpus to the vocabulary of a model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CorpusError
from seqgen.vocabulary import Vocabulary


def in_vocabulary(vocabulary: Vocabulary, corpus: Corpus) -> tuple[Corpus, int]:
    """Convert a corpus to another vocabulary.

    Tokens that are not in the vocabulary become `<unk>`, or are dropped if it has no `<unk>`.

    Returns:
        The corpus, and the number of tokens that are not in the vocabulary.

    Raises:
        CorpusError: no token is in the vocabulary.
    """
    if corpus.vocabulary == vocabulary:
        return corpus, 0
    missing = len(vocabulary)  # an id that is not in use
    unknown = missing if vocabulary.unknown_id is None else vocabulary.unknown_id
    tokens = corpus.vocabulary.tokens
    table = np.array([vocabulary.ids.get(token, unknown) for token in tokens], np.uint32)
    is_new = np.array([token not in vocabulary.ids for token in tokens])  # (V,)
    ids = table[corpus.ids]  # (N,)
    new_count, is_known = int(is_new[corpus.ids].sum()), ids != missing
    if not is_known.any():
        raise CorpusError(
            f"{corpus.name}: expected tokens of the model's vocabulary, got none of them; "
            "choose a corpus that is similar to the training corpus"
        )
    if is_known.all():
        return replace(corpus, vocabulary=vocabulary, ids=ids), new_count
    new_positions = np.concatenate(([0], np.cumsum(is_known)))  # (N + 1,), old → new position
    bounds, cuts = (
        None if positions is None else new_positions[positions]
        for positions in (corpus.bounds, corpus.cuts)
    )
    converted = replace(corpus, vocabulary=vocabulary, ids=ids[is_known], bounds=bounds, cuts=cuts)
    return converted, new_count
