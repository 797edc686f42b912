"""Properties of the classification of sequences in NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.config import ModelConfig
from seqgen.inference import sequence_engine
from seqgen.inference.sequence_engine import NumpySequenceEngine

WIDTH = 6


def engine(
    pooling: str, *, bidirectional: bool = False, layers: int = 1, ngrams: int = 1
) -> NumpySequenceEngine:
    config = ModelConfig(units=4, embedding=3, layers=layers, outputs=3, pooling=pooling,
                         bidirectional=bidirectional, ngrams=ngrams)  # fmt: skip
    random = np.random.default_rng(0)
    shapes = [shape for shapes in config.weight_shapes(WIDTH) for shape in shapes]
    return NumpySequenceEngine(config, [random.normal(size=s).astype(np.float32) for s in shapes])


ENGINES = [
    engine(pooling, bidirectional=bidirectional, layers=layers, ngrams=layers)
    for pooling in ("last", "mean")
    for bidirectional in (False, True)
    for layers in (1, 2)
]
SEQUENCES = st.lists(st.lists(st.integers(1, WIDTH - 1), min_size=1, max_size=9), min_size=1)


@given(st.sampled_from(ENGINES), SEQUENCES)
def test_a_sequence_does_not_depend_on_the_others(
    found: NumpySequenceEngine, texts: list[list[int]]
) -> None:
    sequences = [np.array(text) for text in texts]
    together = found.probabilities(sequences)
    alone = np.concatenate([found.probabilities([sequence]) for sequence in sequences])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)


@given(st.sampled_from(ENGINES), st.lists(st.integers(1, WIDTH - 1), min_size=1, max_size=9))
def test_the_course_is_what_every_beginning_gives(
    found: NumpySequenceEngine, text: list[int]
) -> None:
    sequence = np.array(text)
    beginnings = [sequence[:end] for end in range(1, len(sequence) + 1)]
    expected = found.probabilities(beginnings)
    np.testing.assert_allclose(found.course(sequence), expected, atol=1e-5)


@pytest.mark.parametrize("most", [1, 100, 1 << 20])
def test_the_size_of_batches_changes_nothing(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    sequences = [random.integers(1, WIDTH, length) for length in random.integers(1, 30, 20)]
    expected = ENGINES[-1].probabilities(sequences)
    monkeypatch.setattr(sequence_engine, "MOST_NUMBERS", most)
    np.testing.assert_allclose(ENGINES[-1].probabilities(sequences), expected, atol=1e-5)
