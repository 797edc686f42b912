import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.errors import ConfigError, CorpusError
from seqgen.vocabulary import Vocabulary

AB = Vocabulary(("<end>", "a"))


@given(st.integers(2, 5000), st.floats(0, 0.5))
def test_the_split_loses_no_token(length: int, validation: float) -> None:
    ids = np.arange(length) % 2
    corpus = Corpus("c", "text", AB, ids, validation=validation)
    parts = np.concatenate((corpus.training_ids, corpus.validation_ids))
    assert (parts == ids).all()
    assert abs(len(corpus.validation_ids) - validation * length) <= 1


def test_the_split_of_tiny_shakespeare_is_the_published_one() -> None:
    corpus = Corpus("c", "text", AB, np.zeros(1_115_394, np.uint8))
    assert len(corpus.training_ids) == 1_003_854
    assert len(corpus.validation_ids) == 111_540


@given(st.lists(st.integers(0, 30), min_size=2, max_size=50), st.floats(0.01, 0.5))
def test_the_split_falls_between_pieces(lengths: list[int], validation: float) -> None:
    ids = np.concatenate([np.array([1] * length + [0]) for length in lengths])
    bounds = np.concatenate(([0], np.cumsum(np.array(lengths) + 1)))
    assume(bounds[1] <= len(ids) * (1 - validation))
    corpus = Corpus("c", "text", AB, ids, bounds, validation)
    assert corpus.training_length in bounds
    assert corpus.training_ids[-1] == 0
    assert corpus.training_bounds is not None
    assert corpus.training_bounds[-1] == corpus.training_length
    assert len(corpus.validation_ids) >= validation * len(ids) - 1e-6


def test_a_single_piece_cannot_be_split() -> None:
    with pytest.raises(CorpusError, match="too small to hold out"):
        Corpus("c", "text", AB, np.array([1, 1, 0]), np.array([0, 3]))


@pytest.mark.parametrize("share", [-0.1, 0.6, float("nan")])
def test_an_invalid_validation_share_is_an_error(share: float) -> None:
    with pytest.raises(ConfigError, match="validation: expected a fraction"):
        Corpus("c", "text", AB, np.zeros(10, int), validation=share)


def test_the_metadata_describe_the_corpus() -> None:
    facts = Corpus("c", "text", AB, np.zeros(10, int), sha256="f" * 64, options={"a": 1}).metadata()
    assert facts == {
        "name": "c",
        "arguments": [],
        "task": "text",
        "tokens": 10,
        "sha256": "f" * 64,
        "options": {"a": 1},
        "details": {},
        "split": {"validation": 0.1, "training_tokens": 9, "validation_tokens": 1},
    }
