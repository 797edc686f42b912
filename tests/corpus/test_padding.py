"""Sequences of different lengths as one array."""

import numpy as np
import pytest

from seqgen.corpus.padding import padded


@pytest.mark.parametrize("width", [(), (2,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_row_is_a_sequence_and_padding(width: tuple[int, ...], dtype: type) -> None:
    lengths = (3, 1, 5)
    sequences = [np.full((length, *width), number, dtype) for number, length in enumerate(lengths)]
    batch = padded(sequences, 9)
    assert batch.shape == (3, 5, *width) and batch.dtype == dtype
    for row, sequence in zip(batch, sequences, strict=True):
        np.testing.assert_array_equal(row[: len(sequence)], sequence)
        assert (row[len(sequence) :] == 9).all()
