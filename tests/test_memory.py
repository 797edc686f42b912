"""Long runs do not need more and more memory, see also `python -m benchmarks.memory`."""

import sys

from benchmarks import memory


def test_generation_does_not_need_more_and_more_memory() -> None:
    assert memory.of_generation(50_000) < 5


def test_training_does_not_need_more_and_more_memory() -> None:
    blocks = memory.of_training(400, measure=sys.getallocatedblocks)
    assert blocks < 360  # fewer than one object for each step after the warm-up
