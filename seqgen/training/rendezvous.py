"""Waits until all machines of a run have started.

TensorFlow waits, too, but without an end or a message, and Python receives no signal meanwhile.
A machine has started if its port accepts connections: it is opened here first, and then by
TensorFlow.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence

from seqgen.errors import WorkerError

SECONDS_TO_WAIT = 600.0
SECONDS_BETWEEN = 0.2  # attempts to connect
SECONDS_TO_CONNECT = 1.0


def meet(rank: int, addresses: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
    """Wait for all other machines, at most `SECONDS_TO_WAIT`.

    Args:
        rank: the index of this machine in `addresses`.
        addresses: host:port of every machine.
        clock: tells the time in seconds.

    Raises:
        WorkerError: a machine does not answer in time, or the port of this one is in use.
    """
    began = clock()
    missing = [address for i, address in enumerate(addresses) if i != rank]
    with _listening(addresses[rank]):
        while missing := [address for address in missing if not _answers(address)]:
            if clock() - began > SECONDS_TO_WAIT:
                raise WorkerError(
                    f"expected {len(addresses)} machines, got no answer from {', '.join(missing)} "
                    f"for {SECONDS_TO_WAIT / 60:g} minutes; start the same command there, then "
                    "again here"
                )
            time.sleep(SECONDS_BETWEEN)


def _listening(address: str) -> socket.socket:
    """A socket that accepts connections at the port of an address."""
    port = int(address.rpartition(":")[2])
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        return socket.create_server(("", port), family=family, dualstack_ipv6=both)
    except OSError as error:
        raise WorkerError(
            f"{address}: the port of this machine cannot be opened: {error.strerror}; choose "
            "another one in TF_CONFIG, on every machine"
        ) from error


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_CONNECT):
            return True
    except OSError:
        return False
