import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqgen.music.io.quantise import Quantised, quantise


def quantised(rows: list[tuple[int, int]], division: int = 480) -> Quantised:
    return quantise(*np.array(rows).T, division)


def starts(times: list[float], division: int = 480) -> list[int]:
    notes = [(round(t * division), round((t + 0.2) * division)) for t in times]
    return quantised(notes, division).starts.tolist()


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 200)), min_size=1, max_size=30))
def test_what_is_on_the_grid_stays(times: list[tuple[int, int]]) -> None:
    found = quantised([(20 * start, 20 * (start + length)) for start, length in times])
    assert list(zip(found.starts, found.durations, strict=True)) == times
    assert found.moved == 0


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 200)), min_size=1, max_size=30),
    st.sampled_from([100, 256, 480, 1000, 1024, 960]),
    st.sampled_from([-1, 0, 1]),
)
def test_what_a_program_rounds_to_its_ticks_is_on_the_grid(
    times: list[tuple[int, int]], division: int, late: int
) -> None:
    """Some programs write everything one tick late."""
    late = late if division % 24 == 0 else 0
    rows = [
        [max(round(time * division / 24) + late, 0) for time in (start, start + length)]
        for start, length in times
    ]
    found = quantise(*np.array(rows).T, division)
    assert list(zip(found.starts, found.durations, strict=True)) == times
    assert found.moved == 0


@given(st.floats(-0.03, 0.03), st.integers(0, 1000))
def test_a_triplet_played_loosely_is_a_triplet(by: float, beat: int) -> None:
    played = [beat + 0.01, beat + 1 / 3 + by, beat + 2 / 3 - by]
    assert starts(played) == [24 * beat, 24 * beat + 8, 24 * beat + 16]


def test_sixteenths_played_loosely_are_sixteenths() -> None:
    assert starts([0.02, 0.24, 0.53, 0.73]) == [0, 6, 12, 18]


def test_beats_are_judged_one_by_one() -> None:
    assert starts([0.02, 0.51, 1.01, 1.34, 1.65]) == [0, 12, 24, 32, 40]


def test_how_far_notes_moved() -> None:
    found = quantised([(0, 480), (510, 960)])
    assert found.moved == 1
    assert found.mean_move == 1.5


def test_what_is_on_the_grid_by_chance_in_a_performance_is_moved_too() -> None:
    played = [(480 * i + 7, 480 * i + 300) for i in range(20)]
    played[4] = (480 * 4 + 20, 480 * 4 + 300)  # a 24th of a quarter late
    assert quantised(played).starts[4] == 24 * 4


def test_a_note_cut_short_is_as_long_as_it_is_meant() -> None:
    assert quantised([(0, 455)]).durations.tolist() == [24]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 5000)), min_size=1, max_size=40))
def test_every_note_is_kept_and_sounds(times: list[tuple[int, int]]) -> None:
    rows = [(start, start + length) for start, length in times]
    found = quantised(rows, 479)
    assert len(found.starts) == len(found.durations) == len(rows)
    assert found.durations.min() >= 1 and found.starts.min() >= 0
    assert np.abs(found.starts - np.array(rows)[:, 0] * 24 / 479).max() <= 6
