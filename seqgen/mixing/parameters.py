"""What a model file holds of a mixture: the tree of n-grams and the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqgen.mixing.mixture import Mixture, Weights, feature_count, table_sizes
from seqgen.mixing.repeats import LAGS, LONGEST, Bars, Repeats
from seqgen.mixing.tree import MAX_BYTES, MAX_ORDER, NgramTree, token_bytes
from seqgen.types import Floats, Json
from seqgen.utils import schema

LARGEST_WEIGHT = 1e6
DECIMALS = 4  # of the weights
MAX_VOCABULARY = 1000  # with more tokens, a mixture costs more time than the network

NUMBERS = schema.sequence(schema.number(-LARGEST_WEIGHT, LARGEST_WEIGHT), 100)
TABLE = schema.sequence(NUMBERS, 100)
SCHEMA = schema.record(
    {
        "order": schema.integer(0, MAX_ORDER),
        "base": NUMBERS,
        "tables": schema.sequence(TABLE, 3 + len(LAGS)),
        "evidence": TABLE,
    }
)


def most_bytes(vocabulary_size: int) -> int:
    """The largest size of the tree's member of a model file."""
    return MAX_BYTES + 2 * token_bytes(vocabulary_size) + 1


@dataclass(frozen=True, eq=False)
class MixtureParameters:
    """A mixture without what follows from the vocabulary and the task."""

    tree: NgramTree
    weights: Weights

    @property
    def suggestions(self) -> int:
        """The number of suggestions, see `seqgen.mixing.repeats`."""
        return len(self.weights.evidence)

    def metadata(self) -> Json:
        """The order and the weights, as plain data."""
        return {
            "order": self.tree.order,
            "base": _rounded(self.weights.base),
            "tables": [_rounded(table) for table in self.weights.tables],
            "evidence": _rounded(self.weights.evidence),
        }

    def mixture(self, vocabulary_size: int, end_id: int | None, bars: Bars | None) -> Mixture:
        """The mixture.

        Args:
            vocabulary_size: number of tokens.
            end_id: the token at the end of every piece, if there are pieces.
            bars: of the task; None if it has no bars.

        Raises:
            ValueError: the weights are those of a task with bars, and this one has none, or the
                other way round.
        """
        repeats = Repeats(bars, end_id)
        schema.require(
            repeats.count == self.suggestions,
            f"a mixture of {repeats.count} suggestions",
            self.suggestions,
        )
        return Mixture(self.tree, repeats, vocabulary_size, self.weights)


def weights_of(facts: Json, vocabulary_size: int) -> Weights:
    """The weights in `MixtureParameters.metadata`.

    Args:
        facts: as `SCHEMA` has checked them.
        vocabulary_size: of the model.

    Raises:
        ValueError: they are not those of a mixture.
    """
    schema.require(
        vocabulary_size <= MAX_VOCABULARY,
        f"a vocabulary of at most {MAX_VOCABULARY:,} tokens in a mixture",
        vocabulary_size,
    )
    order, suggestions = facts["order"], len(facts["evidence"])
    most = 1 + len(LAGS)
    schema.require(suggestions in (1, most), f"1 or {most} suggestions", suggestions, "evidence")
    count, sizes = feature_count(order, suggestions), table_sizes(order, suggestions)
    found = len(facts["tables"])
    schema.require(found == len(sizes), f"{len(sizes)} tables", found, "tables")
    return Weights(
        _array(facts["base"], (count,), "base"),
        tuple(
            _array(table, (rows, count), f"tables[{i}]")
            for i, (table, rows) in enumerate(zip(facts["tables"], sizes, strict=True))
        ),
        _array(facts["evidence"], (suggestions, LONGEST + 1), "evidence"),
    )


def _rounded(array: Floats) -> list[Any]:
    numbers: list[Any] = np.round(array.astype(np.float64), DECIMALS).tolist()
    return numbers


def _array(values: list[Any], shape: tuple[int, ...], name: str) -> Floats:
    """Values as float32, if they have a shape."""
    found = (len(values), *({len(row) for row in values} if len(shape) > 1 else ()))
    schema.require(found == shape, f"numbers of shape {shape}", str(found), name)
    return np.array(values, np.float32).reshape(shape)
