import math

import pytest

from seqgen.errors import TrainingError
from seqgen.training.running_loss import SMOOTHING, STEPS_TO_DIVERGE, TrainingLoss


def test_the_loss_is_a_mean_and_later_a_running_mean() -> None:
    loss = TrainingLoss(100_000)
    for step in range(1, 11):
        loss.update(float(step), step)
        assert loss.value == pytest.approx((step + 1) / 2)
    loss.update(0.0, step=1000)
    assert loss.value == pytest.approx(SMOOTHING * 5.5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_is_an_error_and_is_left_out(value: float) -> None:
    loss = TrainingLoss(10)
    loss.update(2.0, step=1)
    with pytest.raises(TrainingError, match=f"{value} after 2 steps; a uniform guess has 2.3"):
        loss.update(value, step=2)
    assert loss.value == 2.0


def test_a_loss_that_stays_too_high_is_an_error() -> None:
    loss = TrainingLoss(10)
    for step in range(1, STEPS_TO_DIVERGE + 1):
        loss.update(100.0, step)
    with pytest.raises(TrainingError, match="the training loss is 100 after 201 steps"):
        loss.update(100.0, STEPS_TO_DIVERGE + 1)
