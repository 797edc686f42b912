from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.evaluation import delayed_recall
from seqgen.evaluation.delayed_recall import CUE, SYMBOLS, UNIFORM_LOSS
from seqgen.training.callbacks import Callback
from seqgen.training.setup import RunSetup
from tests.clock import Clock


class PerfectMemory:
    """Remembers the last symbol for a number of tokens, and always predicts it."""

    def __init__(self, span: int) -> None:
        self.span = span

    def initial_state(self, batch_size):
        return np.zeros((2, batch_size), int)

    def step(self, ids, state):
        symbol, age = np.where(ids < SYMBOLS, [ids, 0 * ids], [state[0], state[1] + 1])
        known = (age <= self.span)[:, None]
        return np.where(known, 50.0 * np.eye(CUE + 1)[symbol], 0), np.stack([symbol, age])


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_an_episode_has_a_symbol_a_gap_a_cue_and_the_symbol(gaps: list[int]) -> None:
    ids = delayed_recall.episodes(len(gaps), np.array(gaps), np.random.default_rng(0)).tolist()
    for gap in gaps:
        symbol, *noise, cue, again = ids[: gap + 3]
        assert symbol == again < SYMBOLS
        assert cue == CUE
        assert len(noise) == gap
        assert all(SYMBOLS <= each < CUE for each in noise)
        ids = ids[gap + 3 :]
    assert not ids


def test_the_loss_depends_on_the_memory_of_the_network() -> None:
    assert delayed_recall.loss(PerfectMemory(11), 10) == pytest.approx(0, abs=1e-6)
    assert delayed_recall.loss(PerfectMemory(10), 10) == pytest.approx(np.log(CUE + 1))
    assert delayed_recall.remembered({5: 0.1, 10: UNIFORM_LOSS}) == 5
    assert delayed_recall.remembered({5: UNIFORM_LOSS, 10: 0.1}) == 0
    assert delayed_recall.remembered({20: 0.1, 5: 0.2}) == 20


def test_a_cell_learns_a_short_gap_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delayed_recall, "RunSetup", partial(RunSetup, clock=Clock(tick=0.002)))
    assert delayed_recall.train("gru", 3, 0.1, seed=0, callback=Callback()) < UNIFORM_LOSS / 2


def test_ctrl_c_ends_the_training() -> None:
    class Impatient(Callback):
        def on_step(self, progress):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delayed_recall.train("gru", 3, 0.2, seed=0, callback=Impatient())
