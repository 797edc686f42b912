import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seqgen.errors import ConfigError
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.filters import FILTERS, Filter, min_p, top_k, top_p
from seqgen.sampling.sampler import Sampler, log_probabilities, temper

ROWS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9, unique=True)


@given(ROWS, st.integers(1, 12))
def test_top_k_keeps_the_k_most_likely_tokens(row: list[float], k: int) -> None:
    kept = np.flatnonzero(top_k(np.array([row]), k)[0] > -np.inf)
    assert set(kept) == set(np.argsort(row)[-k:])


@given(ROWS, st.floats(0.01, 1))
@example(row=[0.0, 1.0, 7.674752647337047e-23], p=0.5)
def test_top_p_keeps_the_smallest_sufficient_set(row: list[float], p: float) -> None:
    logits = temper(np.array([row]), 100)
    kept = top_p(logits, p)[0] > -np.inf
    probabilities = np.exp(log_probabilities(logits))[0]
    assert probabilities[kept].sum() >= p - 1e-9
    above_the_last = probabilities[kept] > probabilities[kept].min()  # ties are kept together
    assert probabilities[kept][above_the_last].sum() < p + 1e-9
    assert not (~kept).any() or probabilities[kept].min() >= probabilities[~kept].max()


@given(ROWS, st.floats(0.01, 1))
def test_min_p_is_relative_to_the_most_likely_token(row: list[float], p: float) -> None:
    logits = temper(np.array([row]), 100)
    kept = min_p(logits, p)[0] > -np.inf
    ratios = np.exp(logits[0])
    assert kept[ratios > p * 1.001].all() and not kept[ratios < p * 0.999].any()
    assert kept[np.argmax(row)]


@pytest.mark.parametrize(("name", "value"), [("top_k", 1), ("top_p", 0.1), ("min_p", 0.9)])
def test_the_argument_is_not_changed(name: str, value: float) -> None:
    logits = temper(np.array([[1.0, 3.0, 0.0, 2.0]]), 1)
    before = logits.copy()
    assert (FILTERS[name].apply(logits, value) == -np.inf).any()
    assert (logits == before).all()


THIRD = """
from seqgen.sampling.filters import FILTERS, Filter

def epsilon(logits, value):
    import numpy as np
    p = np.exp(logits)
    return np.where(p / p.sum(axis=1, keepdims=True) >= value, logits, -np.inf)

FILTERS["epsilon"] = Filter(
    epsilon, float, lambda value: 0 < value < 1, "a number above 0 and below 1",
    "E", "Sample from tokens whose probability is at least E."
)
"""  # Hewitt et al. 2022, "Truncation sampling as language model desmoothing"


@pytest.fixture()
def epsilon() -> Iterator[Filter]:
    exec(THIRD, {})
    yield FILTERS["epsilon"]
    del FILTERS["epsilon"]


def test_a_registered_filter_is_an_argument_and_is_applied(epsilon: Filter) -> None:
    sampler = Sampler(SampleConfig(epsilon=0.2, temperature=1))
    logits = np.log(np.array([[0.5, 0.3, 0.15, 0.05]], np.float32)).repeat(200, axis=0)
    numbers = np.random.default_rng(0).random(200)
    drawn = sampler(logits, np.empty((200, 0), int), numbers, 0)
    assert {*drawn.tolist()} == {0, 1}
    with pytest.raises(ConfigError, match="epsilon: expected a number above 0 and below 1, got 3"):
        SampleConfig(epsilon=3)


def test_filters_are_values_by_name() -> None:
    assert SampleConfig(filters={"top_k": 3}) == SampleConfig(top_k=3)
    with pytest.raises(ConfigError, match="filters: expected values by name, got 3"):
        SampleConfig(filters=3)


def test_a_registered_filter_is_an_option_of_the_command_line() -> None:
    program = THIRD + "from seqgen.cli import cli\ncli(['generate', '--help'])"
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert "--epsilon E" in shown and "whose probability is at least E" in " ".join(shown.split())
