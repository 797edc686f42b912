import json
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.errors import CorpusError
from seqgen.training.batches import PieceBatches, TextBatches, fitting_size, training_batches
from seqgen.vocabulary import Vocabulary

sizes = st.tuples(st.integers(1, 5), st.integers(1, 9))


@given(sizes, st.integers(0, 300), st.integers(0, 9))
def test_text_windows_follow_each_other(sizes: tuple[int, int], more: int, seed: int) -> None:
    batch_size, window = sizes
    ids = np.arange(batch_size * window + 1 + more)  # every id is its position
    previous = None
    batches = TextBatches(ids, batch_size, window, seed, restarts=0)
    for inputs, targets, keep_state in islice(batches, 60):
        assert inputs.shape == targets.shape == (batch_size, window)
        assert (targets == inputs + 1).all()
        if previous is not None:
            continues = inputs[:, 0] == previous
            assert (keep_state.astype(bool) == continues).all()
            restarts = inputs[~continues, 0]
            assert (restarts <= window).all()
        previous = targets[:, -1]


@given(sizes, st.integers(0, 300))
def test_the_first_state_is_new_and_streams_are_spread(sizes: tuple[int, int], more: int) -> None:
    batch_size, window = sizes
    ids = np.arange(batch_size * window + 1 + more)
    first = next(TextBatches(ids, batch_size, window, 0))
    assert not first.keep_state.any()
    assert len(set(first.inputs[:, 0])) == batch_size


def test_text_is_read_from_end_to_end() -> None:
    ids = np.arange(1001)
    batches = TextBatches(ids, 4, 10, seed=0)
    seen = np.concatenate([batch.targets.ravel() for batch in islice(batches, 25)])
    assert len(set(seen)) > 950


def pieces(lengths: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Piece number i, from 1, repeats the id i, and ends with the end token 0."""
    runs = [np.array([i] * length + [0]) for i, length in enumerate(lengths, 1)]
    return np.concatenate(runs), np.concatenate(([0], np.cumsum([len(run) for run in runs])))


@given(st.lists(st.integers(1, 20), min_size=1, max_size=20), sizes, st.integers(0, 9))
def test_pieces_are_not_split(lengths: list[int], sizes: tuple[int, int], seed: int) -> None:
    batch_size, window = sizes
    ids, bounds = pieces(lengths)
    batches = PieceBatches(ids, bounds, 0, batch_size, window, seed, restarts=0)
    rows: list[list[int]] = [[] for _ in range(batch_size)]
    previous = None
    for inputs, targets, keep_state in islice(batches, 30):
        assert (inputs[:, 1:] == targets[:, :-1]).all()
        assert previous is None or (inputs[:, 0] == previous).all()
        assert (keep_state.astype(bool) == (inputs[:, 0] != 0)).all()
        previous = targets[:, -1]
        for row, target in zip(rows, targets, strict=True):
            row += target.tolist()
    for row in rows:
        whole = "".join(map(chr, row)).split("\0")[:-1]
        assert all(part == part[0] * lengths[ord(part[0]) - 1] for part in whole)


def test_every_epoch_has_every_piece_once_in_a_new_order() -> None:
    ids, bounds = pieces([3] * 50)
    batches = PieceBatches(ids, bounds, 0, batch_size=1, window=len(ids), seed=0, restarts=0)
    orders = [next(batches).targets[0][::4].tolist() for _ in range(3)]
    assert all(sorted(order) == list(range(1, 51)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


def test_a_corpus_smaller_than_a_batch_is_an_error() -> None:
    corpus = Corpus("c", "text", Vocabulary(("a",)), np.zeros(1000, int))
    with pytest.raises(CorpusError, match="need 2,049, the training part has 900; use more"):
        training_batches(corpus, 32, 64, 0)
    training_batches(corpus, 16, 32, 0)


@given(st.integers(40, 10**7))
def test_a_fitting_size_fits(tokens: int) -> None:
    batch_size, window = fitting_size(tokens)
    assert batch_size * window < tokens
    assert (batch_size, window) == (32, 64) or batch_size * window * 8 <= max(tokens, 64)


def test_the_state_is_reset_at_random() -> None:
    batches = TextBatches(np.arange(10**6), batch_size=32, window=8, seed=0)
    next(batches)
    keep_state = np.array([next(batches).keep_state for _ in range(200)])
    assert 0.02 < 1 - keep_state.mean() < 0.045


def test_the_rest_of_a_long_piece_is_dropped_at_random() -> None:
    ids, bounds = pieces([5000] * 100)
    batches = PieceBatches(ids, bounds, 0, batch_size=32, window=16, seed=0)
    next(batches)
    keep_state = np.array([next(batches).keep_state for _ in range(200)])
    assert 0.02 < 1 - keep_state.mean() < 0.045


@pytest.mark.parametrize("steps", [0, 1, 7, 40])
@pytest.mark.parametrize("kind", ["text", "pieces"])
def test_another_iterator_continues_from_a_state(kind: str, steps: int) -> None:
    def batches() -> TextBatches | PieceBatches:
        if kind == "text":
            return TextBatches(np.arange(500) % 7, batch_size=4, window=8, seed=1)
        ids, bounds = pieces([3, 9, 40] * 20)
        return PieceBatches(ids, bounds, 0, batch_size=4, window=8, seed=1)

    first, second = batches(), batches()
    for _ in range(steps):
        next(first)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for a, b in islice(zip(first, second, strict=True), 60):
        assert all((x == y).all() for x, y in zip(a, b, strict=True))
