import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.tasks.text.measures import copied_share, distinct, known_words, longest_copy, words
from seqgen.utils import hashing

LETTERS = st.text("ab", min_size=1, max_size=40)


def codes(text: str) -> np.ndarray:
    return hashing.of_texts(text)


@given(st.lists(LETTERS, min_size=1, max_size=3), LETTERS)
def test_the_longest_copy_agrees_with_a_brute_force_search(outputs: list[str], corpus: str) -> None:
    expected = max(
        (
            len(text[i:j])
            for text in outputs
            for i in range(len(text))
            for j in range(i + 1, len(text) + 1)
            if text[i:j] in corpus
        ),
        default=0,
    )
    assert longest_copy([codes(each) for each in outputs], codes(corpus)) == expected


@given(st.lists(LETTERS, min_size=1, max_size=3), LETTERS, st.integers(1, 5))
def test_the_copied_share_agrees_with_a_brute_force_search(
    outputs: list[str], corpus: str, length: int
) -> None:
    runs = [text[i : i + length] for text in outputs for i in range(len(text) - length + 1)]
    expected = sum(run in corpus for run in runs) / len(runs) if runs else 0
    share = copied_share([codes(each) for each in outputs], codes(corpus), length)
    assert share == pytest.approx(expected)


def test_measures_agree_with_values_calculated_by_hand() -> None:
    assert distinct(["aaaa"], 2) == 1 / 3
    assert distinct(["a"], 2) == 1
    assert distinct(["Anna", "Anna"], 4) == 1 / 2  # a repeated n-gram is not distinct
    assert words("The cat, it's 3 o'clock; ÉTÉ!") == ["the", "cat", "it", "s", "o", "clock", "été"]
    assert known_words("The cat sat.", {"the", "sat"}) == 2 / 3
    assert known_words("123", set()) == 1
