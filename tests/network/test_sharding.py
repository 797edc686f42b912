import subprocess
import sys

import numpy as np
import pytest

from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.network.backend import tf
from seqgen.network.sharding import cut, join, shard_count
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.training.step import StepPlan
from seqgen.vocabulary import Vocabulary

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


def test_threads_are_divided_before_tensorflow_starts() -> None:
    script = (
        "import numpy, seqgen, seqgen.network.sharding\n"
        "from seqgen.network.backend import tf\n"
        "seqgen.network.sharding.core_count = lambda: 3\n"
        "letters = seqgen.Vocabulary(('a', 'b'))\n"
        "corpus = seqgen.Corpus('a', 'text', letters, numpy.arange(3000) % 2)\n"
        "seqgen.train(corpus, epochs=0.1, units=4, batch_size=64, window=8)\n"
        "print(tf.config.threading.get_inter_op_parallelism_threads())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "3\n", done.stderr
