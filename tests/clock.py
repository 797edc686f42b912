"""A clock for tests, with which a run of minutes is the same on every machine."""


class Clock:
    """A clock that advances only when it is read.

    Args:
        tick: seconds by which each reading advances it.

    >>> clock = Clock(0.5)
    >>> clock(), clock()
    (0.5, 1.0)
    """

    def __init__(self, tick: float = 0.0) -> None:
        self.tick = tick
        self.now = 0.0

    def __call__(self) -> float:
        self.now += self.tick
        return self.now
