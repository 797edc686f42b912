"""A bounded number of calls in threads: some at a time, some that wait, no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from seqgen.studio.batcher import BusyError

Result = TypeVar("Result")
RUNNING = 2
WAITING = 30


class Places:
    """Runs calls that take long, such as the generation of a tune.

    Args:
        running: calls at a time.
        waiting: calls that may wait.
    """

    def __init__(self, running: int = RUNNING, waiting: int = WAITING) -> None:
        self._most = running + waiting
        self._count = 0
        self._running = asyncio.Semaphore(running)

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """The result of a function, called in another thread.

        Raises:
            BusyError: too many calls wait.
        """
        if self._count >= self._most:
            raise BusyError(
                f"expected fewer requests at a time: {self._count} are being answered or wait; "
                "try again in a moment"
            )
        self._count += 1
        try:
            async with self._running:
                return await run_in_threadpool(function, *arguments)
        finally:
            self._count -= 1
