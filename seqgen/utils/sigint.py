"""Context managers that change how the process responds to Ctrl-C and to requests to end.

Ctrl-C is the signal SIGINT. SIGTERM comes from `kill`, from schedulers of clusters and when a
machine shuts down, SIGHUP when a terminal is closed.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers

REQUESTS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP
CTRL_C = "Ctrl-C"
INTERRUPTIONS = (CTRL_C, *(number.name for number in REQUESTS))  # why a run ended early


def interruption(error: KeyboardInterrupt) -> str:
    """One of `INTERRUPTIONS`.

    >>> interruption(KeyboardInterrupt()), interruption(EndRequested("SIGTERM"))
    ('Ctrl-C', 'SIGTERM')
    """
    return str(error) or CTRL_C


class EndRequested(KeyboardInterrupt):
    """SIGTERM or SIGHUP; its text is the name of the signal."""


@contextmanager
def _handled(number: int, handler: Handler) -> Iterator[None]:
    """Install a handler of a signal."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def _all_handled(handler: Handler) -> Iterator[None]:
    """Install a handler of SIGINT, and of the other signals inside `requests_interrupt`.

    No effect outside the main thread, which alone receives signals.
    """
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            stack.enter_context(_handled(signal.SIGINT, handler))
            for number in REQUESTS:
                if signal.getsignal(number) is _raise:
                    stack.enter_context(_handled(number, handler))
        yield


def _raise(number: int, frame: FrameType | None) -> None:
    # Only once: a closed terminal sends SIGHUP twice, by the kernel and by the shell.
    for request in REQUESTS:
        if signal.getsignal(request) is _raise:
            signal.signal(request, signal.SIG_IGN)
    raise EndRequested(signal.Signals(number).name)


@contextmanager
def requests_interrupt() -> Iterator[None]:
    """Raise `EndRequested`, a `KeyboardInterrupt`, on SIGTERM and SIGHUP inside the block.

    Only the first one raises; the next ones are ignored, so that what the run has learned is saved.
    A signal that is ignored, as `nohup` does, or that has a handler is left alone.

    >>> try:
    ...     with requests_interrupt():
    ...         signal.raise_signal(signal.SIGTERM)
    ... except KeyboardInterrupt as request:
    ...     str(request)
    'SIGTERM'
    """
    with ExitStack() as stack:
        if threading.current_thread() is threading.main_thread():
            for number in REQUESTS:
                if signal.getsignal(number) is signal.SIG_DFL:
                    stack.enter_context(_handled(number, _raise))
        yield


@contextmanager
def ignore_sigint() -> Iterator[None]:
    """Ignore Ctrl-C inside the block.

    >>> with ignore_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    True
    """
    with _all_handled(signal.SIG_IGN):
        yield


@contextmanager
def default_sigint() -> Iterator[None]:
    """Let Ctrl-C end the process, for C code that never returns to Python's signal handler.

    >>> with default_sigint():
    ...     signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    True
    """
    with _all_handled(signal.SIG_DFL):
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
    received: list[int] = []
    with _all_handled(lambda number, frame: received.append(number)):
        yield
    if received and received[0] == signal.SIGINT:
        raise KeyboardInterrupt
    if received:
        _raise(received[0], None)
