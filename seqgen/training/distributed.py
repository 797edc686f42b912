"""Several machines or GPUs that train one model, through `tf.distribute`.

Each machine of `seqgen.training.cluster` runs the same command, builds the same batch, and takes
its rows of it; the gradients are averaged in the step. Machines could decide differently where they
look at a clock or measure a speed. There the first one, the chief, decides for all; it alone writes
files.
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
from seqgen.training.cluster import machine_count
from seqgen.utils.sigint import default_sigint

LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


def strategy() -> Any:
    """How the work is shared: the one whose scope this is called in, or the one for this machine.

    The first call of a run on several machines waits until all of them are there. TensorFlow must
    not have begun to work before.
    """
    return tf.distribute.get_strategy() if tf.distribute.has_strategy() else _of_this_machine()


def strategy_for(batch_size: int) -> Any:
    """`strategy`, if it can share such batches.

    Raises:
        ConfigError: the machines or GPUs would not take as many rows each.
    """
    count = strategy().num_replicas_in_sync
    if batch_size % count:
        raise ConfigError(
            f"batch_size: expected a multiple of {count}, so that each machine or GPU takes as "
            f"many rows, got {batch_size}"
        )
    return strategy()


@lru_cache
def _of_this_machine() -> Any:
    if machine_count() > 1:
        with translate_worker_errors(), default_sigint():
            return tf.distribute.MultiWorkerMirroredStrategy()
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def broadcast_from_chief(value: Any) -> Any:
    """What the chief calls this with, on every machine; they must all call it.

    Args:
        value: bytes, or anything that JSON can say.

    >>> broadcast_from_chief({"a": 1})
    {'a': 1}
    """
    if machine_count() == 1:
        return value
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    numbers = np.frombuffer(data, np.uint8).astype(np.int32)

    def of_device(context: Any) -> Any:
        is_first = context.replica_id_in_sync_group == 0
        return tf.constant(numbers if is_first else numbers[:0])

    with translate_worker_errors():
        values = strategy().experimental_distribute_values_from_function(of_device)
        gathered = strategy().gather(values, axis=0)
    data = gathered.numpy().astype(np.uint8).tobytes()
    return data if isinstance(value, bytes) else json.loads(data)


@contextmanager
def translate_worker_errors() -> Iterator[None]:
    """Errors of the connection to other machines become `WorkerError`."""
    try:
        yield
    except LOST as error:
        if machine_count() == 1:
            raise
        raise WorkerError(
            "another machine of the run has ended or cannot be reached; start the command again "
            "on every machine, with --resume to go on from the last checkpoint"
        ) from error
