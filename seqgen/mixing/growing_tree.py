"""A tree of n-grams that goes on counting.

The children of a node are a block of neighbours, sorted by their tokens, with room for more. A full
block moves to the end of the arrays, and twice the room is reserved there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqgen.mixing.tree import NONE, ROOT, NgramTree, Nodes, Tree, pruned
from seqgen.types import Ids

MAX_NODES = 1 << 27  # with more, only n-grams that are there are counted
MAX_COUNT = 1 << 30


class GrowingTree(Tree):
    """Counts of n-grams, which start as those of another tree.

    Every n-gram that is added is stored, up to `order + 1` tokens. Nodes may move while n-grams are
    added.

    Args:
        tree: the counts to start with; it is unchanged.
        end_id: the token at the end of every piece, if there are pieces; see `tree.count`.

    >>> from seqgen.mixing.tree import count
    >>> tree = GrowingTree(count(np.array([0, 1, 0, 1]), vocabulary_size=3, order=1), end_id=None)
    >>> tree.add(np.array([0, 2, 0, 2]), first=1)
    >>> context = tree.contexts(np.array([0]))[0, 1]
    >>> tree.tokens[tree.children(context)].tolist(), tree.counts[tree.children(context)].tolist()
    ([1, 2], [2, 2])
    """

    def __init__(self, tree: Tree, end_id: int | None) -> None:
        self.order, self._end_id = tree.order, end_id
        self._used = len(tree.tokens)
        first = tree.first_child[: len(tree.tokens)]
        self._use(np.stack((tree.tokens, tree.counts, first, tree.fanout, tree.fanout)))

    def _use(self, nodes: npt.NDArray[np.int32]) -> None:
        """Use other arrays."""
        self._nodes = nodes
        self.tokens, self.counts, self.first_child, self.fanout, self._room = nodes

    def contexts(self, ids: Ids) -> Nodes:
        """The contexts `(T, order + 1)` after each of successive tokens `(T,)`, see `Tree.read`."""
        found = self.initial(len(ids))
        is_end = np.zeros(len(ids), bool) if self._end_id is None else ids == self._end_id
        for n in range(self.order):
            before = np.concatenate(([NONE if n else ROOT], found[:-1, n]))
            if n:
                before[is_end] = NONE  # n-grams of two pieces are not counted
            found[:, n + 1] = self._child(before, ids)
        return found

    def add(self, ids: Ids, first: int) -> None:
        """Count the n-grams that end at each token from position `first` on."""
        start = max(first - self.order, 0)
        contexts = self.contexts(ids[start:first])[-1] if first else self.initial(1)[0]
        nodes: list[int] = contexts.tolist()
        for token in ids[first:].tolist():
            self.counts[ROOT] += 1
            after = [NONE] * (self.order + 1)
            # From the longest on: a node that is inserted moves its siblings, which have been used.
            for n in range(self.order, -1, -1):
                child = NONE if nodes[n] == NONE else self._count(nodes[n], token)
                if n < self.order:
                    after[n + 1] = NONE if n and token == self._end_id else child
            nodes = [ROOT, *after[1:]]

    def _count(self, parent: int, token: int) -> int:
        """Count a child of a node once more; `NONE` if there is no room for it."""
        children = self.children(parent)
        node: int = children.start + int(np.searchsorted(self.tokens[children], token))
        if node == children.stop or self.tokens[node] != token:
            if self._used >= MAX_NODES:
                return NONE
            node = self._insert(parent, node - children.start, token)
        self.counts[node] = min(int(self.counts[node]) + 1, MAX_COUNT)
        return node

    def _insert(self, parent: int, place: int, token: int) -> int:
        """Insert a child without counts as number `place` of a node."""
        fanout = int(self.fanout[parent])
        if fanout == self._room[parent]:
            self._move(parent, fanout, max(2 * fanout, 1))
        first = int(self.first_child[parent])
        node, end = first + place, first + fanout
        self._nodes[:, node + 1 : end + 1] = self._nodes[:, node:end]
        self._nodes[:, node] = token, 0, 0, 0, 0
        self.fanout[parent] += 1
        return node

    def _move(self, parent: int, fanout: int, room: int) -> None:
        """Move the children of a node to the end of the arrays."""
        if self._used + room > self._nodes.shape[1]:
            more = self._used + room
            self._use(np.concatenate((self._nodes, np.zeros((5, more), np.int32)), axis=1))
        first = int(self.first_child[parent])
        self._nodes[:, self._used : self._used + fanout] = self._nodes[:, first : first + fanout]
        self.first_child[parent], self._room[parent] = self._used, room
        self._used += room

    def frozen(self, budget: int) -> NgramTree:
        """The counts now, as a tree of at most `budget` nodes."""
        return pruned(int(self.counts[ROOT]), self.levels(), budget)
