"""Times as sums of a small basis, so that a handful of tokens makes any length exactly."""

from __future__ import annotations

from functools import lru_cache

# In ticks: triplets, binary values, and dotted ones.
BASIS = (1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 36, 48, 72, 96)


@lru_cache(maxsize=4096)
def parts_of(ticks: int) -> tuple[int, ...]:
    """The fewest members of the basis that make up a time, the longer first.

    >>> parts_of(60), parts_of(33), parts_of(0)
    ((48, 12), (24, 9), ())
    """
    longest = BASIS[-1]
    if ticks > 3 * longest:  # what is longer begins with the longest
        more = (ticks - 2 * longest) // longest
        return (longest,) * more + parts_of(ticks - more * longest)
    if ticks == 0:
        return ()
    best = min(
        ((part, *parts_of(ticks - part)) for part in BASIS if part <= ticks),
        key=lambda parts: (len(parts), [-part for part in parts]),
    )
    return tuple(sorted(best, reverse=True))
