"""Batches of whole pieces."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seqgen.corpus.corpus import Corpus
from seqgen.training.sequence_batches import SequenceBatches, labelled_batch
from seqgen.vocabulary import PADDING, UNKNOWN, Vocabulary

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=60)


def corpus(lengths: list[int], held_out: int = 0) -> Corpus:
    """Piece number i consists of the id i + 1; its class is i modulo 3."""
    ids = np.repeat(np.arange(1, len(lengths) + 1), lengths)
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    tokens = (PADDING, UNKNOWN, *(f"t{number}" for number in range(len(lengths))))
    return Corpus(
        "c", "labels", Vocabulary(tokens), ids, bounds,
        split=int(bounds[len(lengths) - held_out]),
        targets=np.arange(len(lengths)) % 3, target_weights=np.array([1.0, 2.0, 4.0]),
    )  # fmt: skip


def read_epoch(batches: SequenceBatches) -> list[int]:
    """The numbers of the pieces of an epoch, in order."""
    numbers: list[int] = []
    drawn = [next(batches)]  # may start an epoch
    drawn += [next(batches) for _ in range(len(batches.order) - batches.used)]
    for batch in drawn:
        for inputs, target, length, weight in zip(*batch, strict=True):
            number = int(inputs[0]) - 1
            assert (inputs[:length] == number + 1).all() and not inputs[length:].any()
            assert target == number % 3 and weight in (0, 2**target)
            if weight:
                numbers.append(number)
    return numbers


@given(LENGTHS, st.integers(1, 20), st.integers(0, 5))
def test_every_epoch_has_every_piece_once(lengths: list[int], size: int, seed: int) -> None:
    batches = SequenceBatches(corpus(lengths), size, seed)
    assert next(iter(batches)).inputs.shape[0] == size
    batches = SequenceBatches(corpus(lengths), size, seed)
    for _ in range(3):
        assert sorted(read_epoch(batches)) == list(range(len(lengths)))


@given(LENGTHS, st.integers(1, 20), st.integers(0, 7))
def test_another_iterator_continues_from_a_state(lengths: list[int], size: int, steps: int) -> None:
    batches = SequenceBatches(corpus(lengths), size, 1)
    for _ in range(steps):
        next(batches)
    other = SequenceBatches(corpus(lengths), size, 2)
    other.load_state_dict(json.loads(json.dumps(batches.state_dict())))
    for _ in range(4):
        for ours, theirs in zip(next(other), next(batches), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_little_of_a_batch_is_padding() -> None:
    lengths = np.random.default_rng(0).integers(20, 200, 2000).tolist()
    batches = SequenceBatches(corpus(lengths), 32, 0)
    drawn = [next(batches) for _ in range(len(batches.order))]
    steps = sum(int((batch.lengths * (batch.weights > 0)).sum()) for batch in drawn)
    cells = sum(batch.inputs.size for batch in drawn)
    assert steps / cells > 0.85


def test_held_out_pieces_are_not_in_batches() -> None:
    batches = SequenceBatches(corpus([3] * 10, held_out=4), 4, 0)
    assert sorted(read_epoch(batches)) == list(range(6))


def test_numbers_are_padded_with_zeros() -> None:
    numbers = np.arange(10.0).reshape(5, 2)
    series = Corpus("c", "labels", Vocabulary(("a", "b")), numbers, np.array([0, 2, 5]),
                    split=5, targets=np.array([0, 1]))  # fmt: skip
    batch = labelled_batch(series, [0, 1], 3)
    assert batch.inputs.shape == (3, 3, 2) and batch.inputs.dtype == np.float32
    assert batch.inputs[0, 2].tolist() == [0, 0] and batch.inputs[1, 2].tolist() == [8, 9]
    assert batch.weights.tolist() == [1, 1, 0] and batch.lengths.tolist() == [2, 3, 2]
