"""The longest shared runs are found exactly, and fast even in repetitive sequences."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqgen.copying.exact import SEED, ExactCopies

codes = st.lists(st.integers(0, 2), max_size=30).map(lambda row: np.array(row, np.uint64))


@given(codes, codes)
def test_the_longest_run_agrees_with_a_brute_force_search(
    output: np.ndarray, known: np.ndarray
) -> None:
    here, there = output.tobytes(), known.tobytes()
    longest = max(
        length
        for start in range(len(output) + 1)
        for length in range(len(output) - start + 1)
        if _aligned(there, here[8 * start : 8 * (start + length)])
    )
    assert ExactCopies([known]).longest(output) == (longest if longest >= SEED else 0)


def _aligned(known: bytes, run: bytes) -> bool:
    return any(known[i : i + len(run)] == run for i in range(0, len(known) + 1, 8))


def test_repeated_codes_are_searched_in_linear_time() -> None:
    same = np.zeros(999, np.uint64)
    assert ExactCopies([same, same]).longest(same, without=0) == 999
