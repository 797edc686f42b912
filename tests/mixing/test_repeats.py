"""Suggestions from earlier places of a sequence, against slow definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqgen.mixing.repeats import HISTORY, LAGS, LONGEST, NO_TOKEN, Bars, Repeats

# Tokens 0 to 3 move on by as many ticks, 4 starts a bar, 5 ends a piece.
BAR, END = 4, 5
BARS = Bars(np.array([0, 1, 2, 3, 0, 0], np.int32), np.arange(6) == BAR)
SEQUENCES = st.lists(st.integers(0, 4), min_size=1, max_size=80)


def longest_match(ids: list[int]) -> tuple[int, int]:
    """The suggestion and its confidence, by comparing every earlier place."""
    best = (NO_TOKEN, 0)
    for d in range(1, len(ids)):
        k = 0
        while k < min(LONGEST, len(ids) - d) and ids[-1 - k] == ids[-1 - k - d]:
            k += 1
        if k > best[1]:
            best = (ids[len(ids) - d], k)
    return best


def places(ids: list[int]) -> list[tuple[int, int, int]]:
    """The place of each token and of the next one."""
    bar = tick = index = 0
    found = []
    for token in ids:
        found.append((bar, tick, index))
        if token == BAR:
            bar, tick, index = bar + 1, 0, 0
        elif BARS.ticks[token]:
            tick, index = tick + int(BARS.ticks[token]), 0
        else:
            index += 1
    return [*found, (bar, tick, index)]


@given(SEQUENCES)
def test_the_longest_earlier_occurrence_suggests_what_followed_it(ids: list[int]) -> None:
    repeats = Repeats(None, None)
    state = repeats.initial(1)
    for end, token in enumerate(ids, 1):
        state = repeats.read(state, np.array([token]))
        found = int(repeats.suggestions(state)[0, 0]), int(repeats.confidences(state)[0, 0])
        assert found == longest_match(ids[:end])


@given(SEQUENCES)
def test_lags_suggest_the_same_place_of_earlier_bars(ids: list[int]) -> None:
    repeats = Repeats(BARS, None)
    state = repeats.initial(1)
    right = dict.fromkeys(LAGS, 0)
    before = dict.fromkeys(LAGS, NO_TOKEN)
    all_places = places(ids)
    for end, token in enumerate(ids, 1):
        state = repeats.read(state, np.array([token]))
        token_at = dict(zip(all_places[:end], ids[:end], strict=True))
        bar, tick, index = all_places[end]
        for j, lag in enumerate(LAGS, 1):
            if before[lag] != NO_TOKEN:
                right[lag] = min(right[lag] + 1, LONGEST) if before[lag] == token else 0
            before[lag] = token_at.get((bar - lag, tick, index), NO_TOKEN)
            assert repeats.suggestions(state)[0, j] == before[lag]
            assert repeats.confidences(state)[0, j] == right[lag]


def test_the_end_of_a_piece_is_forgotten_and_states_are_unchanged() -> None:
    repeats = Repeats(BARS, END)
    state = initial = repeats.initial(2)
    for _ in range(3):
        state = repeats.read(state, np.array([1, 2]))
    before = state.copy()
    after = repeats.read(state, np.array([END, 2]))
    assert (after[0] == initial[0]).all() and (after[1] != initial[1]).any()
    assert (state == before).all() and (initial == repeats.initial(2)).all()


def test_streams_are_independent() -> None:
    repeats, random = Repeats(BARS, END), np.random.default_rng(0)
    rows = random.integers(0, 6, (3, 200))
    together, alone = repeats.initial(3), repeats.initial(1)
    for column in rows.T:
        together = repeats.read(together, column)
        alone = repeats.read(alone, column[1:2])
    assert (together[1] == alone[0]).all()


def test_only_the_latest_tokens_are_searched() -> None:
    repeats = Repeats(None, None)
    state = repeats.initial(1)
    for token in (1, 2, 3, *[4, 5] * (HISTORY // 2), 1, 2):
        state = repeats.read(state, np.array([token]))
    assert repeats.suggestions(state)[0, 0] == NO_TOKEN
