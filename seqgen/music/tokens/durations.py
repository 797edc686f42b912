"""Lengths of time as sums of a small basis, so that a few tokens spell any length exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

# In ticks: triplet, binary and dotted note values.
BASIS = (1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 36, 48, 72, 96)
PRECOMPUTED = 400  # ticks; longer lengths are looked up in the cache of `basis_sum`


@lru_cache(maxsize=4096)
def basis_sum(ticks: int) -> tuple[int, ...]:
    """Return the fewest members of `BASIS` that add up to a length, in descending order.

    >>> basis_sum(60), basis_sum(33), basis_sum(0)
    ((48, 12), (24, 9), ())
    """
    longest = BASIS[-1]
    if ticks > 3 * longest:  # the recursion below stays shallow
        more = (ticks - 2 * longest) // longest
        return (longest,) * more + basis_sum(ticks - more * longest)
    if ticks == 0:
        return ()
    best = min(
        ((part, *basis_sum(ticks - part)) for part in BASIS if part <= ticks),
        key=lambda parts: (len(parts), [-part for part in parts]),
    )
    return tuple(sorted(best, reverse=True))


class TickTokens:
    """The tokens that spell a length of time, such as `duration:48 duration:12`.

    Args:
        name: what the tokens are called before the colon.

    >>> TickTokens("shift").spell(60)
    ('shift:48', 'shift:12')
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.ticks = {f"{name}:{ticks}": ticks for ticks in BASIS}  # token → its length
        self._spelled = [self._spell(ticks) for ticks in range(PRECOMPUTED)]

    def spell(self, ticks: int) -> tuple[str, ...]:
        """Return the tokens that add up to a length."""
        return self._spelled[ticks] if ticks < PRECOMPUTED else self._spell(ticks)

    def _spell(self, ticks: int) -> tuple[str, ...]:
        return tuple(f"{self.name}:{part}" for part in basis_sum(ticks))

    def respelled(self, tokens: Iterable[str], known: Collection[str]) -> list[str]:
        """Return the tokens with lengths that are not known as sums of known ones, if possible.

        >>> TickTokens("shift").respelled(["shift:36", "note"], known=["shift:24", "shift:12"])
        ['shift:24', 'shift:12', 'note']
        """
        spelled: list[str] = []
        for token in tokens:
            is_unknown = token in self.ticks and token not in known
            spelled += (self._known_sum(self.ticks[token], known) if is_unknown else []) or [token]
        return spelled

    def _known_sum(self, ticks: int, known: Collection[str]) -> list[str]:
        """The fewest known tokens that add up to a length, in descending order; none if none do."""
        basis = [part for part in BASIS if f"{self.name}:{part}" in known]
        sums: dict[int, list[int]] = {0: []}  # length → the fewest parts of it
        for length in range(1, ticks + 1):
            shorter = [[part, *sums[length - part]] for part in basis if length - part in sums]
            if shorter:
                sums[length] = min(shorter, key=len)
        return [f"{self.name}:{part}" for part in sorted(sums.get(ticks, []), reverse=True)]
