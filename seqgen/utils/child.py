"""Calling a function in a process of its own, which may hang, crash or ask for all memory.

The process serves many calls, so that its imports cost once. Each call has a limit of processor
time, which does not depend on how busy the machine is.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

MEMORY = 1 << 30  # bytes that a call may ask for
SECONDS_TO_START = 120.0
WAITS = 20  # seconds that a call may take by the clock, for each second of processor time
LENGTH = 8  # bytes of the length of a message
READY = b"ready"
# Exit codes of a process that used too much time; Windows lacks the signals.
TOO_LONG = {-getattr(signal, name) for name in ("SIGXCPU", "SIGKILL") if hasattr(signal, name)}


class CallError(Exception):
    """The process ended before it answered: it took too long, or crashed."""


class Child:
    """A process that answers calls, started at the first one. Threads may share it.

    Args:
        module: what it runs, which calls `serve`.

    >>> Child("seqgen.utils.child").call(b"hello", seconds=10)  # this module answers with an echo
    b'hello'
    """

    def __init__(self, module: str) -> None:
        self.module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0  # the process that started it; a fork must not share its pipes

    def call(self, request: bytes, seconds: float) -> bytes:
        """The answer to a request.

        Args:
            request: what the function of the process gets.
            seconds: limit of processor time, rounded up.

        Raises:
            CallError: the process did not answer; the next call starts another one.
        """
        with self._lock:
            process = self._started()
            assert process.stdin and process.stdout
            try:
                head = math.ceil(seconds).to_bytes(LENGTH, "big")
                _write(process.stdin, head + request)
                answer = self._answer(process, seconds * WAITS)
            except OSError:  # it has ended
                answer = None
            if answer is None:
                code = self.close()
                is_slow = code in TOO_LONG
                raise CallError(f"takes more than {seconds:.0f} s" if is_slow else "crashes it")
            return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._owner == os.getpid():
            return self._process
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {self.module} import main; main()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
                 "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
        )  # fmt: skip
        self._owner = os.getpid()
        if self._answer(self._process, SECONDS_TO_START) != READY:
            self.close()
            raise CallError("cannot be started")
        return self._process

    @staticmethod
    def _answer(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
        assert process.stdout
        timer = threading.Timer(seconds, process.kill)
        timer.daemon = True
        timer.start()
        try:
            return _read(process.stdout)
        finally:
            timer.cancel()

    def close(self) -> int:
        """End the process, and return its exit code; 0 if there is none."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return 0
        assert process.stdin and process.stdout
        with suppress(OSError):
            process.stdin.close()
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        process.stdout.close()
        return code


def serve(function: Callable[[bytes], bytes]) -> None:
    """Answer calls until standard input is closed; what the function prints is dropped.

    Args:
        function: request → answer. It may ask for `MEMORY` bytes, where the system can limit that.
    """
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    _limit_memory(MEMORY)
    _write(answers, READY)
    while (request := _read(requests)) is not None:
        _limit_time(int.from_bytes(request[:LENGTH], "big"))
        _write(answers, function(request[LENGTH:]))


def _write(file: IO[bytes], message: bytes) -> None:
    file.write(len(message).to_bytes(LENGTH, "big") + message)
    file.flush()


def _read(file: IO[bytes]) -> bytes | None:
    """The next message; None at the end of the file."""
    head = file.read(LENGTH)
    length = int.from_bytes(head, "big")
    message = file.read(length) if len(head) == LENGTH else b""
    return message if len(head) == LENGTH and len(message) == length else None


def _limit_memory(more: int) -> None:
    """Let this process ask for `more` bytes, where the system says how many it has."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with open("/proc/self/statm") as file:  # noqa: PTH123
            pages = int(file.read().split()[0])
        most = pages * resource.getpagesize() + more
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_time(seconds: int) -> None:
    """End this process when it has used `seconds` more of processor time."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def main() -> None:
    """Answer with the request."""
    serve(lambda request: request)
