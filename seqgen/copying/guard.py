"""A sampling constraint that limits the length of copies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from seqgen.copying.codes import CopyCodes
from seqgen.copying.index import PAD, CopyIndex
from seqgen.errors import ConfigError
from seqgen.sampling.config import SampleConfig
from seqgen.types import Hashes, Mask
from seqgen.utils import hashing
from seqgen.utils.hashing import MODULUS, MULTIPLIER


def guards(
    indexes: Sequence[CopyIndex],
    codes: CopyCodes,
    config: SampleConfig,
    prompt: Iterable[int],
    end_id: int | None = None,
) -> list[CopyGuard]:
    """The constraints that limit copies to `config.max_copy`; none if it is None.

    Args:
        indexes: one per training corpus.
        codes: of the task.
        config: of the output.
        prompt: ids `(T,)` that the output continues.
        end_id: the token that ends a piece, if there is one.

    Raises:
        ConfigError: there is no index, or `max_copy` is too small for it.
    """
    if config.max_copy is None:
        return []
    if not indexes:
        raise ConfigError(
            "max_copy: expected a model with an index of its corpus, got one trained with "
            "--no-index or by an older seqgen; train it again"
        )
    ids = list(prompt)
    return [CopyGuard(index, codes, config.max_copy, ids, end_id) for index in indexes]


class CopyGuard:
    """A sampling constraint: no run copied from the corpus is longer than `longest`.

    Args:
        index: of the corpus.
        codes: of the task.
        longest: the length of the longest allowed run, in units of `codes`.
        prompt: ids `(T,)` that the output continues; runs may start in it.
        end_id: the token that ends a piece, if there is one.

    Raises:
        ConfigError: the index cannot tell such short copies from coincidence.
    """

    is_finished = False

    def __init__(
        self,
        index: CopyIndex,
        codes: CopyCodes,
        longest: int,
        prompt: Iterable[int],
        end_id: int | None = None,
    ) -> None:
        shortest = (index.order if index.every == 1 else index.shortest) + codes.extra
        if longest < shortest:
            raise ConfigError(
                f"max_copy: expected at least {shortest} {codes.unit}, got {longest}, which the "
                "index of this model cannot tell from coincidence; use a larger number"
            )
        self.index = index
        self.first_weight = pow(MULTIPLIER, index.order - 1, MODULUS)  # of the oldest code
        self.longest = longest - codes.extra  # in codes
        self.end_id = end_id
        self.follower = codes.follower()
        self.context: list[int] = []  # the last order - 1 codes
        self.context_hash = 0  # the part of the next n-gram's hash that the context gives
        self.run = 0  # length in codes of the copy at the end of the output
        for token in prompt:
            self.feed(int(token))

    def feed(self, token_id: int) -> None:
        """Append a token to the output."""
        if token_id == self.end_id:  # a piece starts
            self.run = 0
            for _ in range(self.index.order - 1):
                self._shift(int(PAD))
        elif (code := self.follower.feed(token_id)) is not None:
            self._add(code)

    def _add(self, code: int) -> None:
        """Append a code, and update the length of the copy at the end of the output."""
        order = self.index.order
        ngram = hashing.mixed_number((self.context_hash + code) % MODULUS)
        if len(self.context) < order - 1 or not self.index.holds_number(ngram):
            self.run = 0
        elif self.run or self.context.count(int(PAD)) == order - 1:
            self.run += 1
        else:
            self.run = order  # the first n-gram of a copy
        self._shift(code)

    def _shift(self, code: int) -> None:
        """Append a code to the context, and update its hash, see `hashing.of_ngrams`."""
        dropped = self.context.pop(0) if len(self.context) == self.index.order - 1 else 0
        self.context.append(code)
        shifted = self.context_hash + code - dropped * self.first_weight
        self.context_hash = shifted * MULTIPLIER % MODULUS

    def _would_be_copied(self, codes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether the n-gram of the context and each code `(V,)` occurs in the corpus."""
        if len(self.context) < self.index.order - 1:
            return np.zeros(len(codes), bool)
        return self.index.holds(hashing.mixed(codes + np.uint64(self.context_hash)))

    def allowed(self) -> Mask | None:
        """Which tokens `(V,)` may come next; None for all of them."""
        if self.run < self.longest:
            return None
        codes, completes = self.follower.coming()
        return np.asarray(~self._would_be_copied(codes) | ~completes)
