import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.errors import VocabularyError
from seqgen.vocabulary import END, UNKNOWN, Vocabulary

tokens = st.lists(st.text(min_size=1), min_size=1, unique=True)


@given(st.data(), tokens)
def test_encode_and_decode_are_inverse(data: st.DataObject, tokens: list[str]) -> None:
    vocabulary = Vocabulary(tuple(tokens))
    text = data.draw(st.lists(st.sampled_from(tokens)))
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert all(ids < len(vocabulary))


@given(tokens)
def test_json_round_trip(tokens: list[str]) -> None:
    vocabulary = Vocabulary(tuple(tokens))
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


@given(st.dictionaries(st.characters(), st.integers(1, 9)), st.integers(1, 9), st.booleans())
def test_from_counts(counts: dict[str, int], min_count: int, end: bool) -> None:
    vocabulary = Vocabulary.from_counts(counts, min_count=min_count, end=end)
    rare = {token for token, count in counts.items() if count < min_count}
    assert (vocabulary.unknown_id is not None) == bool(rare)
    assert (vocabulary.end_id is not None) == end
    assert set(vocabulary.tokens) - {END, UNKNOWN} == set(counts) - rare
    again = Vocabulary.from_counts(dict(reversed(counts.items())), min_count=min_count, end=end)
    assert again == vocabulary


@pytest.mark.parametrize(
    "size, dtype", [(1, np.uint8), (256, np.uint8), (257, np.uint16), (65_537, np.uint32)]
)
def test_ids_have_the_smallest_sufficient_type(size: int, dtype: type) -> None:
    assert Vocabulary(tuple(map(str, range(size)))).dtype == dtype


def test_unknown_tokens_are_all_listed() -> None:
    with pytest.raises(VocabularyError, match="'x', 'y'"):
        Vocabulary(("a",)).encode("xaya")


def test_tokens_are_distinct() -> None:
    with pytest.raises(VocabularyError, match="distinct"):
        Vocabulary(("a", "a"))
