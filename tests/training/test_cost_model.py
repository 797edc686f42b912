import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.config import ModelConfig
from seqgen.training.cost_model import AVERAGE, CostModel

WIDTHS = (64, 128, 256, 512)


@given(st.floats(1e-8, 1e-3), st.floats(1e-14, 1e-8), st.integers(2, 5000))
def test_a_fit_to_two_sizes_predicts_the_others(a: float, b: float, vocabulary_size: int) -> None:
    machine = CostModel(a, b)

    def seconds(units: int) -> float:
        return machine.seconds_per_token(ModelConfig(units=units), vocabulary_size)

    measured = [(ModelConfig(units=units), seconds(units)) for units in WIDTHS[1:3]]
    fitted = AVERAGE.fit(measured, vocabulary_size)
    for units in WIDTHS:
        cost = fitted.seconds_per_token(ModelConfig(units=units), vocabulary_size)
        assert cost == pytest.approx(seconds(units), rel=0.01)


def test_one_size_scales_the_model() -> None:
    config = ModelConfig(units=256)
    measured = [(config, 3 * AVERAGE.seconds_per_token(config, 65))]
    fitted = AVERAGE.fit(measured, 65)
    assert (fitted.a, fitted.b) == pytest.approx((3 * AVERAGE.a, 3 * AVERAGE.b))


def test_a_wider_network_is_never_cheaper() -> None:
    """Even if noise made the steps of the narrow one longer."""
    narrow, wide = ModelConfig(units=64), ModelConfig(units=128)
    fitted = AVERAGE.fit([(narrow, 3e-5), (wide, 1e-5)], 65)
    assert fitted.seconds_per_token(wide, 65) > fitted.seconds_per_token(narrow, 65) > 0


@pytest.mark.parametrize("option", [{"layers": 2}, {"units": 512}, {"cell": "lstm"}])
def test_what_makes_a_network_larger_costs_time(option: dict) -> None:
    small = ModelConfig(cell="gru", units=256)
    cost = AVERAGE.seconds_per_token(small.override(option), 65)
    assert cost > AVERAGE.seconds_per_token(small, 65)
    assert AVERAGE.seconds_per_token(small, 5000) > AVERAGE.seconds_per_token(small, 65)
