"""Constraints on the tokens of an output."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from seqgen.types import Mask


class BannedTokens:
    """Tokens that are never allowed.

    >>> BannedTokens(3, banned=[1]).allowed()
    array([ True, False,  True])
    """

    is_finished = False

    def __init__(self, size: int, banned: Collection[int]) -> None:
        self.mask: Mask = np.ones(size, bool)
        self.mask[list(banned)] = False

    def allowed(self) -> Mask:
        """All tokens but the banned ones, `(V,)`."""
        return self.mask

    def feed(self, token_id: int) -> None:
        """Do nothing: the mask does not depend on previous tokens."""


class StopSequence:
    """Ends an output as soon as its last tokens are `ids`.

    >>> stop = StopSequence([1, 2])
    >>> for token in (0, 1, 1, 2): stop.feed(token)
    >>> stop.is_finished
    True
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = list(ids)
        self.tail: list[int] = []

    @property
    def is_finished(self) -> bool:
        """Whether the last tokens are `ids`."""
        return self.tail == self.ids

    def allowed(self) -> Mask | None:
        """All tokens."""
        return None

    def feed(self, token_id: int) -> None:
        """Remember the last tokens."""
        self.tail = [*self.tail, token_id][-len(self.ids) :]
