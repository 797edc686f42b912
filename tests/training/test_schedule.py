import time

import pytest

from seqgen.training.schedule import LAST, Schedule, learning_rate_share


def test_the_learning_rate_rises_and_then_falls() -> None:
    shares = [learning_rate_share(i / 1000) for i in range(1001)]
    top = shares.index(max(shares))
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert max(shares) == pytest.approx(1)
    assert shares[-1] == pytest.approx(LAST)
    assert min(shares) > 0


def test_by_the_clock() -> None:
    schedule = Schedule(seconds=10, started=time.monotonic() - 4, reserved=2)
    assert schedule.fraction(step=0) == pytest.approx(0.5, abs=0.01)
    assert schedule.seconds_left(step=0) == pytest.approx(6, abs=0.1)
    assert Schedule(seconds=10, started=time.monotonic() - 40).fraction(step=0) == 1
    schedule.stepping = 2
    assert schedule.fraction(step=0) == pytest.approx(1 / 3, abs=0.01)
    schedule.stepping = 6
    assert schedule.fraction(step=0) == 0
    assert Schedule(seconds=1, reserved=2).fraction(step=0) == 1


def test_by_steps() -> None:
    schedule = Schedule(steps=10, started=time.monotonic() - 4)
    assert schedule.fraction(step=5) == 0.5
    assert schedule.seconds_left(step=5) == pytest.approx(4, abs=0.1)
    assert schedule.fraction(step=11) == 1
