import itertools

import numpy as np
import pytest

from seqgen.sampling import beam_search
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens, StopSequence
from seqgen.sampling.decode import DecoderState, GeneratedSequence
from seqgen.sampling.sampler import log_probabilities

SIZE = 4
TABLE = np.random.default_rng(0).normal(0, 2, (SIZE, SIZE))  # token → logits of the next one


class Chain:
    """A Markov chain: logits depend on the previous token only; the state counts tokens."""

    def initial_state(self, batch_size: int) -> np.ndarray:
        return np.zeros(batch_size)

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return TABLE[ids], state + 1

    def gather_state(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return state[rows]


def total(ids: tuple[int, ...]) -> float:
    scores = log_probabilities(TABLE)
    return float(sum(scores[a, b] for a, b in itertools.pairwise((0, *ids))))


def search(width: int, length: int, **options: object) -> list[GeneratedSequence]:
    output = GeneratedSequence(SampleConfig(length=length), **options)
    return beam_search.search(Chain(), DecoderState(TABLE[[0]], np.zeros(1)), output, width)


def test_a_wide_beam_finds_the_global_maximum() -> None:
    best = sorted(itertools.product(range(SIZE), repeat=5), key=total, reverse=True)
    found = search(64, 5)
    assert [tuple(each.ids) for each in found[:5]] == best[:5]
    for each in found[:5]:
        assert sum(each.log_probabilities) == pytest.approx(total(tuple(each.ids)))


def test_a_beam_of_one_is_greedy() -> None:
    ids, last = [], 0
    for _ in range(9):
        last = int(np.argmax(TABLE[last]))
        ids.append(last)
    assert search(1, 9)[0].ids == ids


def test_finished_outputs_are_kept() -> None:
    end = 3
    found = search(8, 6, end_id=end)
    assert all(end not in each.ids for each in found)

    def whole(ids: tuple[int, ...]) -> tuple[int, ...]:
        return (*ids[: ids.index(end)], end) if end in ids else ids

    every = {whole(ids) for ids in itertools.product(range(SIZE), repeat=6)}
    best = max(every, key=total)
    assert found[0].ids == [token for token in best if token != end]


def test_constraints_apply_to_every_output() -> None:
    found = search(8, 6, constraints=[BannedTokens(SIZE, [1]), StopSequence([2, 2])])
    assert len({tuple(each.ids) for each in found}) == len(found) > 1
    for each in found:
        assert 1 not in each.ids
        assert len(each.ids) == 6 or each.ids[-2:] == [2, 2]


class DeadEnd:
    """Allows no token after the most likely beginning."""

    is_finished = False

    def __init__(self, word: tuple[int, ...]) -> None:
        self.word = word
        self.ids: tuple[int, ...] = ()

    def allowed(self) -> np.ndarray:
        return np.full(SIZE, self.ids[: len(self.word)] != self.word)

    def feed(self, token: int) -> None:
        self.ids += (token,)


def test_stuck_outputs_are_returned_only_if_all_are() -> None:
    best = max(itertools.product(range(SIZE), repeat=2), key=total)
    found = search(4, 6, constraints=[DeadEnd(best)])
    assert all(len(each.ids) == 6 and not each.is_stuck for each in found)
    (stuck,) = search(1, 6, constraints=[DeadEnd(())])
    assert stuck.is_stuck and not stuck.ids
