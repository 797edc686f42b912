"""Machines that wait for each other, played by threads."""

import socket
import threading

import pytest

from seqgen.errors import WorkerError
from seqgen.training import rendezvous
from tests.clock import Clock


def free_addresses(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [bound.getsockname()[1] for bound in sockets]
    for bound in sockets:
        bound.close()
    return [f"127.0.0.1:{port}" for port in ports]


def test_machines_wait_for_each_other() -> None:
    addresses = free_addresses(3)
    order: list[int] = []

    def start(rank: int) -> None:
        rendezvous.meet(rank, addresses)
        order.append(rank)
        # What TensorFlow does next: it opens the same port.
        with socket.create_server(("127.0.0.1", int(addresses[rank].rpartition(":")[2]))):
            everyone.wait(60)

    everyone = threading.Event()
    threads = [threading.Thread(target=start, args=(rank,)) for rank in range(3)]
    for thread in threads[:2]:
        thread.start()
    threads[0].join(0.3)
    assert order == []
    threads[2].start()
    while len(order) < 3 and any(thread.is_alive() for thread in threads):
        threads[0].join(0.05)
    everyone.set()
    for thread in threads:
        thread.join()
    assert sorted(order) == [0, 1, 2]


def test_an_absent_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = free_addresses(2)
    monkeypatch.setattr(rendezvous, "SECONDS_BETWEEN", 0.0)
    message = f"expected 2 machines, got no answer from {second} for 10 minutes; start the same"
    with pytest.raises(WorkerError, match=message):
        rendezvous.meet(0, [first, second], Clock(400.0))


def test_a_port_in_use_is_an_error() -> None:
    with socket.create_server(("", 0)) as used:
        address = f"127.0.0.1:{used.getsockname()[1]}"
        with pytest.raises(WorkerError, match=f"{address}: the port of this machine cannot be"):
            rendezvous.meet(0, [address, "127.0.0.1:1"])
