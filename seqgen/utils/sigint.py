"""Context managers that change how the process responds to Ctrl-C (SIGINT)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def _handled(handler: Handler) -> Iterator[None]:
    """Install a handler of SIGINT in the main thread, the only one that receives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ignore_sigint() -> Iterator[None]:
    """Ignore Ctrl-C inside the block.

    >>> with ignore_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    True
    """
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def default_sigint() -> Iterator[None]:
    """Let Ctrl-C end the process, for C code that never returns to Python's signal handler.

    >>> with default_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    True
    """
    with _handled(signal.SIG_DFL):
        yield


@contextmanager
def defer_sigint() -> Iterator[None]:
    """Delay Ctrl-C until the block has finished.

    Raises:
        KeyboardInterrupt: after the block, if Ctrl-C was pressed during it.

    >>> try:
    ...     with defer_sigint():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done = True
    ... except KeyboardInterrupt:
    ...     done
    True
    """
    pressed: list[int] = []
    with _handled(lambda number, frame: pressed.append(number)):
        yield
    if pressed:
        raise KeyboardInterrupt
