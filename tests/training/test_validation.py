import numpy as np
import pytest

from seqgen.config import ModelConfig
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state
from seqgen.network.forward import Forward
from seqgen.training.validation import Validation
from seqgen.types import Ids
from tests.clock import Clock

IDS = np.random.default_rng(0).integers(0, 7, 700).astype(np.uint8)


def one_stream(network: object, first: int, tokens: int, ids: Ids = IDS) -> float:
    """The loss of one stream that reads the text from its beginning."""
    inputs, targets = ids[None, :-1].astype(int), ids[None, 1:].astype(int)
    forward = tf.function(Forward(network, 1).__call__, autograph=False)
    logits, _ = forward(inputs, initial_state(network, 1))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    return float(tf.reduce_mean(losses[0, first - 1 : first - 1 + tokens]))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("first, tokens", [(500, None), (30, None), (1, None), (500, 90)])
def test_the_loss_is_that_of_one_stream_with_its_state_kept(
    cell: str, first: int, tokens: int | None
) -> None:
    network = build(ModelConfig(cell=cell, units=8, layers=2), 7)
    loss = Validation(network, IDS, first).loss(tokens)
    assert loss == pytest.approx(one_stream(network, first, tokens or len(IDS) - first), abs=1e-5)


def test_streams_near_the_beginning_start_from_the_initial_state() -> None:
    ids = IDS[:60]
    network = build(ModelConfig(units=8), 7)
    network.set_weights([4 * weights for weights in network.get_weights()])  # it forgets little
    expected = one_stream(network, 1, len(ids) - 1, ids)
    assert Validation(network, ids, 1).loss() == pytest.approx(expected, abs=1e-5)


def test_the_speed_is_measured() -> None:
    network = build(ModelConfig(units=4), 7)
    validation = Validation(network, IDS, 500, clock=Clock(tick=2.0))
    validation.loss()
    assert validation.tokens_per_second == 200 / 2
