"""Ctrl-C at a time when it does no harm."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _handled(handler: Any) -> Iterator[None]:
    """Only the main thread is interrupted; elsewhere this does nothing."""
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
    """Let Ctrl-C have no effect, where it would lose what is nearly done.

    >>> with ignore_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    True
    """
    with _handled(signal.SIG_IGN):
        yield


@contextmanager
def default_sigint() -> Iterator[None]:
    """Let Ctrl-C end the process, where a library waits in C and Python would never hear of it.

    >>> with default_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    True
    """
    with _handled(signal.SIG_DFL):
        yield


@contextmanager
def defer_sigint() -> Iterator[None]:
    """Let Ctrl-C wait until what belongs together is done.

    Raises:
        KeyboardInterrupt: after the block, if Ctrl-C was pressed inside.

    >>> try:
    ...     with defer_sigint():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done = True
    ... except KeyboardInterrupt:
    ...     done
    True
    """
    pressed: list[Any] = []
    with _handled(lambda *_: pressed.append(True)):
        yield
    if pressed:
        raise KeyboardInterrupt
