"""The guard that keeps runs of an output that occur in the training corpus short."""

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
    """The constraints that keep copies no longer than `config.max_copy`; none if that is None.

    Args:
        indexes: of all corpora that the model was trained on.
        codes: the task's.
        config: that of the output.
        prompt: ids `(T,)` that the output continues.
        end_id: the token that ends a piece, if there is one.

    Raises:
        ConfigError: there is no index, or copies that short cannot be told from chance.
    """
    if config.max_copy is None:
        return []
    if not indexes:
        raise ConfigError(
            "max_copy: expected a model with an index of its corpus; this one was trained with "
            "--no-index, or by an older seqgen: train it again"
        )
    ids = list(prompt)
    return [CopyGuard(each, codes, config.max_copy, ids, end_id) for each in indexes]


class CopyGuard:
    """A constraint: no run of an output that occurs in the corpus gets longer than `most`.

    Args:
        index: of the corpus.
        codes: the task's.
        most: the longest run, in units of `codes`.
        prompt: ids `(T,)` that the output continues; they count.
        end_id: the token that ends a piece, if there is one.

    Raises:
        ConfigError: copies that short cannot be told from chance.
    """

    is_finished = False

    def __init__(
        self,
        index: CopyIndex,
        codes: CopyCodes,
        most: int,
        prompt: Iterable[int],
        end_id: int | None = None,
    ) -> None:
        least = (index.order if index.every == 1 else index.shortest) + codes.extra
        if most < least:
            raise ConfigError(
                f"max_copy: expected at least {least} {codes.unit}, got {most}: shorter runs this "
                "model's index cannot tell from chance"
            )
        self.index = index
        self.oldest = pow(MULTIPLIER, index.order - 1, MODULUS)  # weight of the context's first
        self.most = most - codes.extra  # in codes
        self.end_id = end_id
        self.follower = codes.follower()
        self.context: list[int] = []  # the codes before the next one in its n-gram
        self.before = 0  # what they contribute to its hash
        self.run = 0  # length in codes of the copy that ends with the last code
        for token in prompt:
            self.feed(int(token))

    def feed(self, token_id: int) -> None:
        """Take the next token."""
        if token_id == self.end_id:  # a piece starts
            self.run = 0
            for _ in range(self.index.order - 1):
                self._move_on(int(PAD))
        elif (code := self.follower.feed(token_id)) is not None:
            self._add(code)

    def _add(self, code: int) -> None:
        order = self.index.order
        ngram = hashing.mixed_number((self.before + code) % MODULUS)
        if len(self.context) < order - 1 or not self.index.holds_number(ngram):
            self.run = 0
        elif self.run or self.context.count(int(PAD)) == order - 1:
            self.run += 1
        else:
            self.run = order
        self._move_on(code)

    def _move_on(self, code: int) -> None:
        """Move the context on by one code, and its hash as `hashing.of_ngrams` computes it."""
        gone = self.context.pop(0) if len(self.context) == self.index.order - 1 else 0
        self.context.append(code)
        self.before = (self.before + code - gone * self.oldest) * MULTIPLIER % MODULUS

    def _would_be_copied(self, codes: Hashes) -> npt.NDArray[np.bool_]:
        """Whether the n-grams that would end with these codes `(V,)` occur in the corpus."""
        if len(self.context) < self.index.order - 1:
            return np.zeros(len(codes), bool)
        return self.index.holds(hashing.mixed(codes + np.uint64(self.before)))

    def allowed(self) -> Mask | None:
        """Which tokens `(V,)` may come next; None: all of them."""
        if self.run < self.most:
            return None
        codes, adds = self.follower.coming()
        return np.asarray(~self._would_be_copied(codes) | ~adds)
