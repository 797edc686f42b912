"""What an output of text must keep to, while it grows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from seqgen.types import Mask


class BannedTokens:
    """Some of the tokens never come.

    >>> BannedTokens(3, banned=[1]).allowed()
    array([ True, False,  True])
    """

    is_finished = False

    def __init__(self, size: int, banned: Collection[int]) -> None:
        self.mask: Mask = np.ones(size, bool)
        self.mask[list(banned)] = False

    def allowed(self) -> Mask:
        """Which tokens `(V,)` may come next."""
        return self.mask

    def feed(self, token_id: int) -> None:
        """A token has come."""


class StopSequence:
    """An output is whole when certain tokens stand at its end.

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
        """Whether they stand there."""
        return self.tail == self.ids

    def allowed(self) -> Mask | None:
        """Everything may come."""
        return None

    def feed(self, token_id: int) -> None:
        """A token has come."""
        self.tail = [*self.tail, token_id][-len(self.ids) :]
