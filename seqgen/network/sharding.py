"""Splits a batch into shards that run in parallel, each on its own threads.

A recurrent network takes many small steps in sequence. Threads that share every step spend their
time waiting for each other; threads that take one shard through all steps meet once, when the
gradients are summed.
"""

from __future__ import annotations

import functools
import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from seqgen.network.backend import tf
from seqgen.types import Tensor

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

MIN_ROWS = 16  # of a shard; with fewer, reading the weights dominates the products


def core_count() -> int:
    """Number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def divide_threads(batch_size: int) -> None:
    """Set the threads of TensorFlow for batches of that size, unless it has been initialised."""
    cores = core_count()
    shards = max(min(cores, batch_size // MIN_ROWS), 1)
    if shards > 1:
        try:
            tf.config.threading.set_inter_op_parallelism_threads(shards)
            tf.config.threading.set_intra_op_parallelism_threads(max(cores // shards, 1))
        except RuntimeError:  # it has been initialised
            return


def shard_count(batch_size: int) -> int:
    """Number of shards of a batch: one per thread pool, fewer if that does not divide the batch,
    and one for a GPU.

    >>> batch_size = 35
    >>> batch_size % shard_count(batch_size)
    0
    """
    if tf.config.list_physical_devices("GPU"):
        return 1
    pools = max(tf.config.threading.get_inter_op_parallelism_threads(), 1)
    return max(count for count in range(1, pools + 1) if batch_size % count == 0)


@functools.cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def limit_blas(shards: int) -> AbstractContextManager[object]:
    """A context in which the BLAS of NumPy uses as many threads as a shard has cores.

    >>> with limit_blas(shards=core_count()):  # one thread for each
    ...     pass
    """
    limited: AbstractContextManager[object] = _blas().limit(limits=max(core_count() // shards, 1))
    return limited


def cut(count: int, *batched: Tensor) -> list[Tensor]:
    """Split tensors `(B, …)`, or lists of them, into `(B / count, …)` for each shard.

    >>> [[a.shape[0], b[0].shape[0]] for a, b in cut(2, tf.zeros((6, 3)), [tf.zeros((6, 1))])]
    [[3, 3], [3, 3]]
    """
    flat = tf.nest.flatten(list(batched))
    parts = [tf.split(each, count) for each in flat]
    return [
        tf.nest.pack_sequence_as(list(batched), [part[i] for part in parts]) for i in range(count)
    ]


def join(shards: list[list[Tensor]]) -> list[Tensor]:
    """Concatenate the states of all shards to the state of the batch.

    >>> join([[tf.zeros((2, 1))], [tf.zeros((2, 1))]])[0].shape
    TensorShape([4, 1])
    """
    return [tf.concat(parts, 0) for parts in zip(*shards, strict=True)]
