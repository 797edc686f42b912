"""Counts of n-grams as a tree, small enough for a model file.

A node is an n-gram of the corpus; its children are the same n-gram with one more token, sorted by
that token. The root is the empty n-gram. N-grams are continued only where they occur twice, and
rare ones are left out, the longest first, until the tree fits. Counts above 127 are rounded. A node
takes a byte for its count and, with up to 255 tokens, one for its token and one for the number of
its children.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seqgen.types import Ids

BYTES_PER_TOKEN = 3  # of the training part, at most
MAX_BYTES = 32 << 20
MAX_TOKENS = 5_000_000  # n-grams are counted in the last tokens of the training part
MAX_ORDER = 16
ROOT, NONE = 0, -1  # NONE: in place of a node that does not exist

# The count of each code: 0 to 127, then six codes for every power of two.
COUNTS = np.rint(128 * 2 ** (np.arange(-128, 128) / 6)).astype(np.int64)
COUNTS[:128] = np.arange(128)

Nodes = npt.NDArray[np.int64]
Level = tuple[Nodes, Nodes, Nodes]  # parents, as numbers in the level before, tokens and counts


class Tree:
    """What reads a tree of n-grams; the children of a node are sorted by their tokens."""

    order: int  # tokens of the longest context
    tokens: npt.NDArray[np.int32]  # (N,), the last token of each node; 0 for the root
    counts: npt.NDArray[np.int32]  # (N,), how often each node occurs
    first_child: npt.NDArray[np.int32]  # (N,) or more
    fanout: npt.NDArray[np.int32]  # (N,), number of children

    def children(self, node: int) -> slice:
        """The children of a node."""
        first = int(self.first_child[node])
        return slice(first, first + int(self.fanout[node]))

    def initial(self, batch_size: int) -> Nodes:
        """The contexts `(B, order + 1)` before the first token: only the empty one."""
        contexts = np.full((batch_size, self.order + 1), NONE)
        contexts[:, 0] = ROOT
        return contexts

    def read(self, contexts: Nodes, ids: Ids) -> Nodes:
        """The contexts after one more token.

            context_0 = the root;  context_(n+1) = the child of context_n with the token

        Args:
            contexts: the nodes of the last 0 to `order` tokens, `(B, order + 1)`.
            ids: the token `(B,)`.

        Returns:
            `(B, order + 1)`; `NONE` for contexts that the tree does not hold.
        """
        after = self.initial(len(ids))
        for n in range(self.order):
            after[:, n + 1] = self._child(contexts[:, n], ids)
        return after

    def _child(self, nodes: Nodes, ids: Ids) -> Nodes:
        """The child of each node `(B,)` with a token `(B,)`, by binary search."""
        nodes, is_there = np.maximum(nodes, ROOT), nodes != NONE
        low = self.first_child[nodes].astype(np.int64)
        end = low + np.where(is_there, self.fanout[nodes], 0)
        high = end.copy()
        for _ in range(int((high - low).max(initial=0)).bit_length()):
            middle = (low + high) // 2
            is_less = (low < high) & (self.tokens[np.minimum(middle, len(self.tokens) - 1)] < ids)
            low, high = np.where(is_less, middle + 1, low), np.where(is_less, high, middle)
        found = np.minimum(low, len(self.tokens) - 1)
        return np.where((low < end) & (self.tokens[found] == ids), low, NONE)

    def levels(self) -> list[Level]:
        """The nodes of every length of n-grams, of single tokens first."""
        levels, nodes = [], np.array([ROOT])
        for _ in range(self.order + 1):
            fanout = self.fanout[nodes].astype(np.int64)
            parents = np.repeat(np.arange(len(nodes)), fanout)
            starts = self.first_child[nodes] - np.cumsum(fanout) + fanout
            nodes = np.arange(len(parents)) + starts[parents]
            tokens, counts = (row[nodes].astype(np.int64) for row in (self.tokens, self.counts))
            levels.append((parents, tokens, counts))
        return levels


@dataclass(frozen=True, eq=False)
class NgramTree(Tree):
    """Counts of n-grams with contexts of up to `order` tokens.

    Nodes are numbered level by level, and within a level by parent and token.

    >>> tree = count(np.array(9 * [0, 1, 0, 1, 0, 2]), vocabulary_size=3, order=1)
    >>> contexts = tree.read(tree.initial(1), np.array([0]))
    >>> tree.tokens[tree.children(contexts[0, 1])].tolist(), tree.counts[contexts].tolist()
    ([1, 2], [[54, 27]])
    """

    order: int  # tokens of the longest context
    tokens: npt.NDArray[np.int32]  # (N,), the last token of each node; 0 for the root
    codes: npt.NDArray[np.uint8]  # (N,), of the counts
    fanout: npt.NDArray[np.int32]  # (N,), number of children

    def __post_init__(self) -> None:
        if 1 + int(self.fanout.sum(dtype=np.int64)) != len(self.tokens) or self.fanout.min() < 0:
            raise ValueError(f"expected a tree of {len(self.tokens):,} nodes, got other children")

    @cached_property
    def counts(self) -> npt.NDArray[np.int32]:  # type: ignore[override]  # cached
        """How often each node occurs `(N,)`, rounded down."""
        return COUNTS.clip(max=2**31 - 1).astype(np.int32)[self.codes]

    @cached_property
    def first_child(self) -> npt.NDArray[np.int32]:  # type: ignore[override]  # cached
        """The first child of each node, and the number of nodes, `(N + 1,)`."""
        return np.concatenate(([1], 1 + np.cumsum(self.fanout, dtype=np.int64))).astype(np.int32)

    def relabelled(self, table: Ids) -> NgramTree:
        """The tree of another vocabulary.

        Args:
            table: id → id there, `(V,)`.
        """
        numbers, levels = np.zeros(1, np.int64), []  # of the nodes of the level before
        for parents, tokens, counts in self.levels():
            parents, tokens = numbers[parents], table[tokens].astype(np.int64)
            order = np.lexsort((tokens, parents))
            levels.append((parents[order], tokens[order], counts[order]))
            numbers = np.argsort(order)
        return pruned(int(self.counts[ROOT]), levels, len(self.tokens))

    def to_bytes(self, vocabulary_size: int) -> bytes:
        """The tokens, then the numbers of children, then the codes of the counts."""
        width = token_bytes(vocabulary_size)
        wide = np.stack((self.tokens, self.fanout)).astype("<u4")
        narrow = wide.view(np.uint8).reshape(2, -1, 4)[:, :, :width]
        return narrow.tobytes() + self.codes.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, order: int, vocabulary_size: int) -> NgramTree:
        """The inverse of `to_bytes`.

        Raises:
            ValueError: the data are not those of a tree of this order and vocabulary.
        """
        width = token_bytes(vocabulary_size)
        nodes, rest = divmod(len(data), 2 * width + 1)
        if rest or not nodes:
            raise ValueError(f"expected {2 * width + 1} bytes for each n-gram, got {len(data):,}")
        wide = np.zeros((2, nodes, 4), np.uint8)
        wide[:, :, :width] = np.frombuffer(data, np.uint8, 2 * nodes * width).reshape(2, nodes, -1)
        tokens, fanout = wide.view("<u4")[:, :, 0].astype(np.int32)
        tree = cls(order, tokens, np.frombuffer(data, np.uint8, offset=2 * nodes * width), fanout)
        tree.require_valid(vocabulary_size)
        return tree

    def require_valid(self, vocabulary_size: int) -> None:
        """Raise `ValueError` unless tokens are in the vocabulary, the children of every node are
        sorted, and no node is deeper than the order allows."""
        first, tokens = self.first_child, self.tokens
        starts = np.zeros(len(tokens) + 1, bool)
        starts[first[:-1]] = True  # where the children of another node begin
        rises = (tokens[2:] > tokens[1:-1]) | starts[2:-1]
        level = slice(0, 1)
        for _ in range(self.order + 1):
            level = slice(int(first[level.start]), int(first[level.stop]))
        if not (tokens < vocabulary_size).all() or not rises.all() or self.fanout[level].any():
            raise ValueError("expected a tree of n-grams of the vocabulary, got another one")


def token_bytes(vocabulary_size: int) -> int:
    """The bytes of a token, or of a number of children, in a file.

    >>> token_bytes(255), token_bytes(256)
    (1, 2)
    """
    return max(1, (vocabulary_size.bit_length() + 7) // 8)


def count(
    ids: Ids,
    vocabulary_size: int,
    *,
    order: int,
    end_id: int | None = None,
    budget: int | None = None,
) -> NgramTree:
    """Count the n-grams of ids.

    N-grams with the end token are counted only if it is their first or last token: others belong
    to two pieces.

    Args:
        ids: `(N,)`, at least one.
        vocabulary_size: number of different tokens.
        order: tokens of the longest context.
        end_id: the token at the end of every piece, if there are pieces.
        budget: number of nodes; by default from `BYTES_PER_TOKEN` and `MAX_BYTES`.
    """
    ids = np.asarray(ids[-MAX_TOKENS:], np.int64)
    if budget is None:
        budget = most_nodes(len(ids), vocabulary_size)
    return pruned(len(ids), list(_levels(ids, vocabulary_size, order, end_id)), budget)


def most_nodes(tokens: int, vocabulary_size: int) -> int:
    """The number of nodes of a tree of a training part with a number of tokens.

    >>> most_nodes(1000, vocabulary_size=65)
    1000
    """
    return min(BYTES_PER_TOKEN * tokens, MAX_BYTES) // (2 * token_bytes(vocabulary_size) + 1)


def pruned(total: int, levels: Sequence[Level], budget: int) -> NgramTree:
    """A tree of at most `budget` nodes.

    Args:
        total: number of tokens that were counted.
        levels: the nodes of every length, of single tokens first.
        budget: number of nodes.
    """
    least = _least_counts([counts for _, _, counts in levels], budget)
    numbers = np.zeros(1, np.int64)  # of the nodes of the level before; NONE: left out
    tokens, counts, fanout = [np.zeros(1, np.int64)], [np.array([total])], []
    for (parents, level_tokens, level_counts), fewest in zip(levels, least, strict=True):
        parents = numbers[parents]
        stays = (level_counts >= fewest) & (parents != NONE)
        fanout.append(np.bincount(parents[stays], minlength=len(tokens[-1])))
        tokens.append(level_tokens[stays])
        counts.append(level_counts[stays])
        numbers = np.where(stays, np.cumsum(stays) - 1, NONE)
    fanout.append(np.zeros(len(tokens[-1]), np.int64))
    codes = np.searchsorted(COUNTS, np.concatenate(counts), side="right") - 1
    return NgramTree(
        len(levels) - 1,
        np.concatenate(tokens).astype(np.int32),
        codes.astype(np.uint8),
        np.concatenate(fanout).astype(np.int32),
    )


def _levels(ids: Ids, vocabulary_size: int, order: int, end_id: int | None) -> Iterator[Level]:
    """Yield for each length of n-grams their parents, last tokens and counts, sorted."""
    positions, nodes = np.arange(len(ids)), np.zeros(len(ids), np.int64)
    for n in range(order + 1):
        keys = nodes * vocabulary_size + ids[positions]
        grams, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        yield grams // vocabulary_size, grams % vocabulary_size, counts
        goes_on = (counts[inverse] >= 2) & (positions + 1 < len(ids))
        if n and end_id is not None:
            goes_on &= ids[positions] != end_id
        positions, nodes = positions[goes_on] + 1, inverse[goes_on]


def _least_counts(counts: Sequence[Nodes], budget: int) -> list[int]:
    """The fewest occurrences of an n-gram of each length, so that at most `budget` nodes remain.

    Single tokens are never left out.

    >>> _least_counts([np.array([9, 9]), np.array([1, 2, 6]), np.array([1, 1, 2])], budget=7)
    [1, 1, 2]
    """
    least = [1] * len(counts)
    sizes = [len(level) for level in counts]
    for fewest in range(2, int(max(map(np.max, filter(len, counts)))) + 2):
        for level in range(len(counts) - 1, 0, -1):
            if 1 + sum(sizes) <= budget:
                return least
            least[level], sizes[level] = fewest, int((counts[level] >= fewest).sum())
    return least
