"""The machines that share a run, as the environment variable TF_CONFIG names them.

TensorFlow reads the variable too; it is parsed here because importing TensorFlow takes seconds.
"""

from __future__ import annotations

import json
import os

from seqgen.errors import ConfigError

VARIABLE = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)


def rank_and_size() -> tuple[int, int]:
    """The rank of this machine, from 0, and the number of machines; `(0, 1)` without TF_CONFIG.

    Raises:
        ConfigError: TF_CONFIG is not valid.

    >>> rank_and_size()
    (0, 1)
    """
    rank, addresses = rank_and_addresses()
    return rank, len(addresses) or 1


def rank_and_addresses() -> tuple[int, list[str]]:
    """The rank of this machine, and host:port of all machines, by rank; none without TF_CONFIG.

    Raises:
        ConfigError: TF_CONFIG is not valid.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return 0, []
    try:
        config = json.loads(text)
        cluster = {kind: list(machines) for kind, machines in config["cluster"].items() if machines}
        task = config["task"]["type"], int(config["task"]["index"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(f"{VARIABLE}: expected something like {EXAMPLE}, got {text!r}") from error
    machines = [
        (kind, i) for kind in ("chief", "worker") for i in range(len(cluster.get(kind, [])))
    ]
    if cluster.keys() - {"chief", "worker"} or len(cluster.get("chief", [])) > 1:
        raise ConfigError(
            f"{VARIABLE}: expected machines of type worker, and at most one chief, "
            f"got {', '.join(cluster)}"
        )
    addresses = [address for group in cluster.values() for address in group]
    for address in addresses:
        if not _is_address(address) or addresses.count(address) > 1:
            raise ConfigError(
                f"{VARIABLE}: expected a different host:port for each machine, got {address!r}"
            )
    if task not in machines:
        raise ConfigError(f"{VARIABLE}: the task {task[0]} {task[1]} is not in the cluster")
    in_order = [cluster[kind][i] for kind, i in machines]
    return machines.index(task), in_order


def _is_address(text: object) -> bool:
    host, _, port = str(text).rpartition(":")
    return bool(host) and port.isdecimal() and 0 < int(port) < 65536


def is_chief() -> bool:
    """Whether this machine decides for all and writes the files; true for a single machine."""
    return rank_and_size()[0] == 0


def machine_count() -> int:
    """The number of machines that share the run."""
    return rank_and_size()[1]
