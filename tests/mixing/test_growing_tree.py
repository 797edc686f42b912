"""Counts that grow: against a dictionary, and against a tree that is counted at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.mixing.growing_tree import GrowingTree
from seqgen.mixing.tree import NONE, ROOT, NgramTree, Tree, count

SIZE, ORDER, END = 4, 3, 3
Counts = dict[tuple[int, ...], int]
MANY = 10**6  # nodes


def counts_of(tree: Tree) -> Counts:
    """Every n-gram of a tree and its count; the children of a node are sorted."""
    found: Counts = {}

    def visit(node: int, gram: tuple[int, ...]) -> None:
        children = tree.children(node)
        tokens = tree.tokens[children].tolist()
        assert tokens == sorted(set(tokens))
        for child, token in zip(range(children.start, children.stop), tokens, strict=True):
            found[(*gram, token)] = int(tree.counts[child])
            visit(child, (*gram, token))

    visit(ROOT, ())
    return found


def grown(ids: list[int], first: int, end_id: int | None) -> tuple[NgramTree, GrowingTree]:
    before = np.array(ids[:first])
    base = count(before, SIZE, order=ORDER, end_id=end_id, budget=MANY)
    tree = GrowingTree(base, end_id)
    for start in range(first, len(ids), 7):  # in several parts
        tree.add(np.array(ids[: start + 7]), start)
    return base, tree


TEXTS = st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=60)


@given(TEXTS, st.integers(1, 59), st.sampled_from([None, END]))
def test_counts_are_those_of_a_dictionary(ids: list[int], first: int, end_id: int | None) -> None:
    first = min(first, len(ids) - 1)
    base, tree = grown(ids, first, end_id)
    expected = counts_of(base)
    for t in range(first, len(ids)):
        for n in range(min(ORDER, t) + 1):
            context = tuple(ids[t - n : t])
            if end_id not in context[1:] and (context in expected or not n):
                gram = (*context, ids[t])
                expected[gram] = expected.get(gram, 0) + 1
    assert counts_of(tree) == expected
    assert tree.counts[ROOT] == base.counts[ROOT] + len(ids) - first


@given(TEXTS, st.sampled_from([None, END]))
def test_contexts_of_a_text_are_those_of_its_tokens(ids: list[int], end_id: int | None) -> None:
    tree = GrowingTree(count(np.array(ids), SIZE, order=ORDER, end_id=end_id, budget=MANY), end_id)
    one = tree.initial(1)
    for token, contexts in zip(ids, tree.contexts(np.array(ids)), strict=True):
        one = tree.read(one, np.array([token]))
        if token == end_id:
            one[:, 2:] = NONE
        assert (contexts == one[0]).all()


def test_the_tree_that_it_starts_with_is_unchanged() -> None:
    ids = np.random.default_rng(0).integers(0, SIZE, 200)
    base = count(ids, SIZE, order=ORDER)
    before = counts_of(base)
    GrowingTree(base, None).add(ids, 100)
    assert counts_of(base) == before


def test_a_frozen_tree_has_the_same_counts_up_to_its_size() -> None:
    ids = np.random.default_rng(0).integers(0, SIZE, 300)
    tree = GrowingTree(count(ids[:100], SIZE, order=ORDER), None)
    tree.add(ids, 100)
    frozen = tree.frozen(MANY)
    frozen.require_valid(SIZE)
    assert counts_of(frozen) == counts_of(tree)
    small = tree.frozen(50)
    assert len(small.tokens) <= 50
    found, every = counts_of(small), counts_of(tree)
    assert found.items() <= every.items()
    assert {gram for gram in every if len(gram) == 1} <= found.keys()


def test_without_room_only_known_n_grams_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    base = count(np.array([0, 1, 0, 1]), SIZE, order=1)
    tree = GrowingTree(base, None)
    monkeypatch.setattr("seqgen.mixing.growing_tree.MAX_NODES", len(base.tokens))
    tree.add(np.array([1, 0, 2, 0]), 1)
    assert counts_of(tree).keys() == counts_of(base).keys()
    assert counts_of(tree)[(0,)] == counts_of(base)[(0,)] + 2


def test_a_relabelled_tree_has_the_counts_of_other_tokens() -> None:
    ids, table = np.random.default_rng(0).integers(0, SIZE, 200), np.array([5, 0, 3, 1])
    tree = count(ids, SIZE, order=ORDER)
    expected = {tuple(table[list(gram)].tolist()): n for gram, n in counts_of(tree).items()}
    assert counts_of(tree.relabelled(table)) == expected
