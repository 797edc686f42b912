import json
import os
import subprocess
import sys

import numpy as np
import pytest

from seqgen.network.backend import tf
from seqgen.network.sharding import core_count, cut, join

# Trains a few steps with one shard or as many as there are cores; prints shards and loss.
SCRIPT = """
import json, sys
import numpy as np
from seqgen.network import sharding
sharding.core_count = lambda: int(sys.argv[1])
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.network.sharding import shard_count
from seqgen.training.step import StepPlan
from seqgen.training.setup import RunSetup
from seqgen.training.state import RunState
from seqgen.vocabulary import Vocabulary
ids = np.random.default_rng(0).integers(0, 8, 5000)
corpus = Corpus("c", "text", Vocabulary(tuple("abcdefgh")), ids)
config = TrainConfig(epochs=1, batch_size=32, window=16)
options = {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}}
model_config = ModelConfig(cell=sys.argv[2], units=16, layers=2, cell_options=options)
state = RunState(RunSetup(corpus, model_config, config))
for _ in range(5):
    state.advance(StepPlan(0.003, 0.5))
loss = state.best_weights.validation.loss()
weights = [float(abs(each).sum()) for each in state.network.get_weights()]
print(json.dumps([shard_count(32), state.training_loss.value, loss, weights]))
"""


def trained(cores: int, cell: str) -> tuple[int, float, float, list[float]]:
    command = [sys.executable, "-c", SCRIPT, str(cores), cell]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return json.loads(done.stdout)


@pytest.mark.parametrize("cell", ["lstm"])
def test_shards_give_the_weights_of_the_whole_batch(cell: str) -> None:
    one, *expected = trained(1, cell)
    two, *result = trained(2, cell)
    assert (one, two) == (1, 2)
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
        "letters = seqgen.Vocabulary(('a', 'b'))\n"
        "corpus = seqgen.Corpus('a', 'text', letters, numpy.arange(3000) % 2)\n"
        "seqgen.train(corpus, epochs=0.1, units=4, batch_size=64, window=8)\n"
        "cores = seqgen.network.sharding.core_count()\n"
        "print(tf.config.threading.get_inter_op_parallelism_threads() == min(cores, 4))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "True\n" or core_count() == 1, done.stderr
