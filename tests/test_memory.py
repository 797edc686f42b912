"""Long runs do not need more and more memory, see also `python -m benchmarks.memory`."""

import gc
import sys

from benchmarks import memory


def test_generation_does_not_need_more_and_more_memory() -> None:
    assert memory.of_generation(50_000) < 5


def test_training_does_not_need_more_and_more_memory() -> None:
    def objects() -> float:
        gc.collect()
        return sys.getallocatedblocks()

    # Fewer than one object for each of the last 1,000 steps, validations included. Caches and other
    # threads may allocate some hundreds in the meantime.
    assert memory.of_training(2000, objects, warm_up=0.5) < 1000
