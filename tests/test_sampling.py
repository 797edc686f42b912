import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.sampling import forbid, sample

LOGITS = np.array([[1.0, 3.0, 0.0, 2.0], [0.0, 0.0, 5.0, -np.inf]])


def draw(temperature: float, times: int = 20_000) -> np.ndarray:
    random = np.random.default_rng(0)
    rows = np.repeat(LOGITS[:1], times, axis=0)
    return np.bincount(sample(rows, temperature, random), minlength=4) / times


def test_temperature_zero_takes_the_likeliest() -> None:
    assert sample(LOGITS, 0, np.random.default_rng()).tolist() == [1, 2]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_as_often_as_the_softmax_says(temperature: float) -> None:
    expected = np.exp(LOGITS[0] / temperature)
    expected /= expected.sum()
    np.testing.assert_allclose(draw(temperature), expected, atol=0.01)


@pytest.mark.parametrize("temperature", [1e-3, 1e-300])
def test_a_very_low_temperature_is_greedy(temperature: float) -> None:
    assert draw(temperature)[1] == 1


@given(
    st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9),
    st.floats(1e-6, 1e6),
    st.data(),
)
def test_the_forbidden_is_never_drawn(
    row: list[float], temperature: float, data: st.DataObject
) -> None:
    ids = st.lists(st.integers(0, len(row) - 1), min_size=1, max_size=len(row) - 1, unique=True)
    forbidden = data.draw(ids)
    logits = forbid(np.array([row] * 50, np.float32), forbidden)
    for temp in (0, temperature):
        drawn = sample(logits, temp, np.random.default_rng(0))
        assert not set(drawn) & set(forbidden)
        assert drawn.min() >= 0 and drawn.max() < len(row)


def test_rounding_up_to_the_total_draws_no_impossible_token() -> None:
    class Highest:
        def random(self, size: int) -> np.ndarray:
            return np.full(size, np.nextafter(1, 0))

    logits = np.array([[0.1, 0.2, 0.3, -np.inf, -np.inf]])
    assert sample(logits, 1.0, Highest()).tolist() == [2]


def test_forbid_keeps_what_it_was_given() -> None:
    before = LOGITS.copy()
    forbid(LOGITS, [0])
    assert (before == LOGITS).all()
