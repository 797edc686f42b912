"""Hashed n-grams."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqgen.config import BUCKETS
from seqgen.corpus.ngrams import ngram_rows
from seqgen.network.backend import keras

LONGEST, SIZE = 4, 100_000


@given(st.lists(st.integers(1, SIZE - 1), min_size=1, max_size=12))
def test_keras_and_numpy_give_the_same_rows_of_the_embedding(text: list[int]) -> None:
    ids = np.array([text], np.int32)
    rows = ngram_rows(ids, LONGEST, SIZE, np)
    np.testing.assert_array_equal(ngram_rows(ids, LONGEST, SIZE, keras.ops), rows)
    assert rows.shape == (1, len(text), LONGEST)
    np.testing.assert_array_equal(rows[:, :, 0], ids)
    assert (rows[:, :, 1:] >= SIZE).all() and (rows < SIZE + BUCKETS).all()


def test_an_ngram_has_a_row_whatever_precedes_it() -> None:
    ids = np.array([[7, 1, 2, 3], [9, 1, 2, 3], [9, 1, 3, 2]], np.int32)
    last = ngram_rows(ids, LONGEST, SIZE, np)[:, -1]
    assert (last[0] == last[1]).tolist() == [True, True, True, False]
    assert (last[0] == last[2]).tolist() == [False] * LONGEST


def test_few_ngrams_share_a_row() -> None:
    """As many as hashes without any structure do."""
    pairs = np.stack(np.meshgrid(np.arange(1, 101), np.arange(1, 101)), -1).reshape(-1, 2)
    rows = ngram_rows(pairs.astype(np.int32), 2, SIZE, np)[:, -1, 1]
    expected = BUCKETS * (1 - np.exp(-len(pairs) / BUCKETS))
    assert len(np.unique(rows)) > 0.97 * expected
