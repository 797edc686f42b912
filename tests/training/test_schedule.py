import pytest

from seqgen.training.schedule import FINAL, Schedule, learning_rate_share
from tests.clock import Clock


def test_the_learning_rate_rises_and_then_falls() -> None:
    shares = [learning_rate_share(i / 1000) for i in range(1001)]
    top = shares.index(max(shares))
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert max(shares) == pytest.approx(1)
    assert shares[-1] == pytest.approx(FINAL)
    assert min(shares) > 0


def test_by_the_clock() -> None:
    clock = Clock()
    clock.now = 4
    schedule = Schedule(seconds=10, started=0, clock=clock, reserved=2)
    assert schedule.fraction(step=0) == 0.5
    assert schedule.seconds_left(step=0) == 6
    assert Schedule(seconds=10, started=-40, clock=clock).fraction(step=0) == 1
    schedule.stepping = 2
    assert schedule.fraction(step=0) == pytest.approx(1 / 3)
    schedule.stepping = 6
    assert schedule.fraction(step=0) == 0
    assert Schedule(seconds=1, started=0, clock=clock, reserved=2).fraction(step=0) == 1


def test_by_steps() -> None:
    schedule = Schedule(steps=10, started=-4, clock=Clock())
    assert schedule.fraction(step=5) == 0.5
    assert schedule.seconds_left(step=5) == 4
    assert schedule.fraction(step=11) == 1
