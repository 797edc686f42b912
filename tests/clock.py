"""A clock for tests: a run of minutes is then the same on every machine."""


class Clock:
    """Seconds that pass only when somebody reads them.

    Args:
        tick: how far each reading advances it.

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
