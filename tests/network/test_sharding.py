import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.network import sharding
from seqgen.network.backend import tf
from seqgen.network.sharding import cut, join, shard_count
from seqgen.training.callbacks import Callback
from seqgen.training.loop import train
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.training.step import StepPlan
from seqgen.vocabulary import Vocabulary
from tests.conftest import CORES

LETTERS = Vocabulary(tuple("abcdefgh"))


def trained(pools: int, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Losses and sums of weights after a few steps, with a shard for each pool of threads."""
    monkeypatch.setattr(tf.config.threading, "get_inter_op_parallelism_threads", lambda: pools)
    assert shard_count(32) == pools
    corpus = Corpus("c", "text", LETTERS, np.random.default_rng(0).integers(0, 8, 5000))
    options = {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}}
    model_config = ModelConfig(units=16, layers=2, cell_options=options)
    config = TrainConfig(epochs=1, batch_size=32, window=16)
    state = RunState(RunSetup(corpus, model_config, config))
    for _ in range(5):
        state.advance(StepPlan(0.003, 0.5))
    assert state.best_weights.validation is not None
    weights = [float(abs(each).sum()) for each in state.network.get_weights()]
    return [state.training_loss.value, state.best_weights.validation.loss(), weights]


def test_shards_give_the_weights_of_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, result = (trained(pools, monkeypatch) for pools in (1, 2))
    for a, b in zip(expected, result, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)


def test_cut_and_join_are_inverse() -> None:
    state = [tf.reshape(tf.range(24), (6, 4)), tf.reshape(tf.range(6), (6, 1))]
    shards = [shard[0] for shard in cut(3, state)]
    assert [len(shard) for shard in shards] == [2, 2, 2]
    for whole, joined in zip(state, join(shards), strict=True):
        np.testing.assert_array_equal(whole, joined)


def weights() -> list[np.ndarray]:
    """The weights after some steps of a run that sets the threads of TensorFlow itself."""
    corpus = Corpus("c", "text", LETTERS, np.random.default_rng(0).integers(0, 8, 3000))
    config = TrainConfig(epochs=1, batch_size=64, window=8, seed=1)
    return train(RunSetup(corpus, ModelConfig(units=16), config), Callback()).weights


def save_weights(path: str, *cores: str) -> None:
    """Save the weights of a run on some cores; without any, of one that only believes in two."""
    if cores:
        os.sched_setaffinity(0, map(int, cores))
        assert sharding.core_count() == len(cores)
    else:
        sharding.core_count = lambda: 2
    np.savez(path, *weights())
    print(tf.config.threading.get_inter_op_parallelism_threads(), shard_count(64))


def test_two_cores_give_the_weights_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, because tests keep to one core, and TensorFlow to its threads."""
    cores = CORES[:2] if len(CORES) > 1 else []
    code = f"import {__name__} as test, sys; test.save_weights(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(tmp_path / "weights.npz"), *map(str, cores)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == "2 2\n", done.stderr
    monkeypatch.setattr(tf.config.threading, "get_inter_op_parallelism_threads", lambda: 1)
    with np.load(tmp_path / "weights.npz") as two:
        for name, one in zip(two.files, weights(), strict=True):
            np.testing.assert_allclose(two[name], one, atol=1e-4)
