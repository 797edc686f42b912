import numpy as np
import pytest

from seqgen.config import ModelConfig
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state
from seqgen.network.forward import Forward
from seqgen.training.validation import Validation

IDS = np.random.default_rng(0).integers(0, 7, 700).astype(np.uint8)


def one_stream(network: object, first: int, tokens: int) -> float:
    """The plain way: one stream that reads the text from its beginning."""
    inputs, targets = IDS[None, :-1].astype(int), IDS[None, 1:].astype(int)
    logits, _ = Forward(network, 1)(inputs, initial_state(network, 1))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    return float(tf.reduce_mean(losses[0, first - 1 : first - 1 + tokens]))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("first, tokens", [(500, None), (30, None), (1, None), (500, 90)])
def test_it_is_the_loss_of_one_stream_with_carried_state(
    cell: str, first: int, tokens: int | None
) -> None:
    network = build(ModelConfig(cell=cell, units=8, layers=2), 7)
    loss = Validation(network, IDS, first).loss(tokens)
    assert loss == pytest.approx(one_stream(network, first, tokens or len(IDS) - first), abs=1e-4)


def test_it_measures_its_speed() -> None:
    validation = Validation(build(ModelConfig(units=4), 7), IDS, 500)
    validation.loss()
    assert validation.tokens_per_second > 0
