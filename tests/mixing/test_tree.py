"""The tree of n-grams holds the counts of the corpus, fits its budget, and survives a file."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.mixing.tree import BYTES_PER_TOKEN, NONE, ROOT, NgramTree, count

ORDER = 3
SEQUENCES = st.lists(st.integers(0, 3), min_size=1, max_size=60)
END = 3


def grams_of(tree: NgramTree) -> dict[tuple[int, ...], int]:
    """Every n-gram of a tree and its count."""
    found, growing = {}, [((), ROOT)]
    while growing:
        gram, node = growing.pop()
        found[gram] = int(tree.counts[node])
        children = tree.children(node)
        for child in range(children.start, children.stop):
            growing.append(((*gram, int(tree.tokens[child])), child))
    return found


def counted(ids: list[int], end_id: int | None) -> dict[tuple[int, ...], int]:
    """The same, counted one by one: n-grams whose beginnings occur twice."""
    counts = Counter({(): len(ids)})
    for start in range(len(ids)):
        for end in range(start + 1, min(start + ORDER + 1, len(ids)) + 1):
            gram = tuple(ids[start:end])
            if end_id is None or end_id not in gram[1:-1]:
                counts[gram] += 1
    return {
        gram: number
        for gram, number in counts.items()
        if all(counts[gram[:n]] >= 2 for n in range(1, len(gram)))
    }


@given(SEQUENCES, st.sampled_from([None, END]))
def test_counts_are_those_of_the_corpus(ids: list[int], end_id: int | None) -> None:
    tree = count(np.array(ids), 4, order=ORDER, end_id=end_id, budget=10_000)
    assert grams_of(tree) == counted(ids, end_id)


@given(SEQUENCES, SEQUENCES)
def test_contexts_are_the_last_tokens(ids: list[int], read: list[int]) -> None:
    tree = count(np.array(ids), 4, order=ORDER, budget=10_000)
    known = grams_of(tree)
    contexts = tree.initial(1)
    for token in read:
        contexts = tree.read(contexts, np.array([token]))
    for n in range(ORDER + 1):
        gram = tuple(read[len(read) - n :])
        assert (contexts[0, n] != NONE) == (n <= len(read) and gram in known)
        if contexts[0, n] != NONE:
            assert tree.counts[contexts[0, n]] == known[gram]


@pytest.mark.parametrize("size", [4, 255, 256, 900])
def test_a_file_holds_the_tree_in_three_bytes_per_token(size: int) -> None:
    ids = np.random.default_rng(0).zipf(1.3, 20_000) % size
    tree = count(ids, size, order=5)
    data = tree.to_bytes(size)
    assert len(data) <= BYTES_PER_TOKEN * len(ids)
    again = NgramTree.from_bytes(data, 5, size)
    assert (again.tokens == tree.tokens).all() and (again.first_child == tree.first_child).all()
    assert (again.counts == tree.counts).all()


def test_the_rarest_of_the_longest_are_left_out_first() -> None:
    ids = np.random.default_rng(0).integers(0, 4, 3000)
    whole, pruned = (grams_of(count(ids, 4, order=4, budget=n)) for n in (10_000, 500))
    assert len(pruned) <= 500 and pruned.items() <= whole.items()
    assert {gram for gram in whole if len(gram) <= 3} <= pruned.keys()


@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 4))
def test_a_damaged_tree_is_refused_or_harmless(at: int, byte: int, order: int) -> None:
    ids = np.random.default_rng(0).integers(0, 9, 300)
    data = bytearray(count(ids, 10, order=3).to_bytes(10))
    data[at % len(data)] = byte
    try:
        tree = NgramTree.from_bytes(bytes(data), order, 10)
    except ValueError:
        return
    contexts = tree.initial(1)
    for token in ids:  # no index is out of range
        contexts = tree.read(contexts, np.array([token]))
        assert contexts.max() < len(tree.tokens)
    assert len(grams_of(tree)) == len(tree.tokens)


def test_data_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes for each n-gram"):
        NgramTree.from_bytes(b"\0\0", 3, 10)
    with pytest.raises(ValueError, match="expected a tree of 1 nodes"):
        NgramTree.from_bytes(b"\0\1\0", 3, 10)
