import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.evaluation.ngrams import losses

texts = st.lists(st.integers(0, 3), min_size=9, max_size=60)


def probability(training: list[int], context: tuple[int, ...], token: int) -> float:
    """The formula as published; context and token are an n-gram of at most the given order."""
    n = len(context)
    followers = Counter(
        training[i + n] for i in range(len(training) - n) if tuple(training[i : i + n]) == context
    )
    shorter = 1 / 4 if not context else probability(training, context[1:], token)
    total, different = sum(followers.values()), len(followers)
    if not total:
        return shorter
    return (followers[token] + different * shorter) / (total + different)


@given(texts, texts, st.integers(1, 4))
def test_the_losses_agree_with_the_formula(
    training: list[int], validation: list[int], order: int
) -> None:
    expected = [
        -math.log(probability(training, tuple(validation[max(i - order + 1, 0) : i]), token))
        for i, token in enumerate(validation)
    ]
    found = losses(np.array(training), np.array(validation), 4, order)
    assert found[-1] == pytest.approx(sum(expected) / len(expected), abs=1e-9)


def test_the_best_order_is_neither_the_shortest_nor_the_longest() -> None:
    random = np.random.default_rng(0)
    ids = [0, 0]
    for _ in range(30_000):  # in nine of ten cases the last two tokens determine the next one
        ids.append(int(random.integers(8)) if random.random() < 0.1 else (ids[-1] + ids[-2]) % 8)
    found = losses(np.array(ids[:27_000]), np.array(ids[27_000:]), 8)
    assert int(np.argmin(found)) == 2
    assert found[2] < 0.9 < found[1]
