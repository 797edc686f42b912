"""Several machines or GPUs that train one model, through `tf.distribute`.

Every machine of `seqgen.training.cluster` runs the same command, builds the same batches, and
trains on its rows of them; the gradients are averaged. Decisions that depend on a clock or on a
measured speed could differ between machines, so the first machine, the chief, makes them for all.
Only the chief writes files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from seqgen.errors import ConfigError, WorkerError
from seqgen.network.backend import tf
from seqgen.training import cluster, rendezvous
from seqgen.training.cluster import machine_count
from seqgen.types import Tensor
from seqgen.utils.sigint import default_sigint

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def strategy() -> tf.distribute.Strategy:
    """The current `tf.distribute` strategy, or the default one of this machine.

    In a run on several machines, the first call waits for all of them. It must come before the
    first TensorFlow operation.
    """
    return tf.distribute.get_strategy() if tf.distribute.has_strategy() else _of_this_machine()


def strategy_for(batch_size: int) -> tf.distribute.Strategy:
    """`strategy`, if it can divide such batches evenly.

    Raises:
        ConfigError: `batch_size` is not a multiple of the number of machines or GPUs.
    """
    count = strategy().num_replicas_in_sync
    if batch_size % count:
        raise ConfigError(
            f"batch_size: expected a multiple of {count}, the number of machines or GPUs, "
            f"got {batch_size}"
        )
    return strategy()


@lru_cache
def _of_this_machine() -> tf.distribute.Strategy:
    if machine_count() > 1:
        rendezvous.meet(*cluster.rank_and_addresses())
        with translate_worker_errors(), default_sigint():
            return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def broadcast_from_chief(value: Any) -> Any:
    """Return the value that the chief passed; all machines must call this.

    Args:
        value: bytes, or plain data for `json.dumps`.

    >>> broadcast_from_chief({"a": 1})
    {'a': 1}
    """
    if machine_count() == 1:
        return value
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    numbers = np.frombuffer(data, np.uint8).astype(np.int32)

    def of_device(context: tf.distribute.ReplicaContext) -> Tensor:
        is_first = context.replica_id_in_sync_group == 0
        return tf.constant(numbers if is_first else numbers[:0])

    with translate_worker_errors():
        values = strategy().experimental_distribute_values_from_function(of_device)
        gathered = strategy().gather(values, axis=0)
    data = gathered.numpy().astype(np.uint8).tobytes()
    return data if isinstance(value, bytes) else json.loads(data)


@contextmanager
def translate_worker_errors() -> Iterator[None]:
    """Raise `WorkerError` for errors of the connection to other machines."""
    try:
        yield
    except LOST as error:
        if machine_count() == 1:
            raise
        raise WorkerError(
            "another machine of the run has ended or cannot be reached; start the command again "
            "on every machine, with --resume to continue from the last checkpoint"
        ) from error
