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


def test_every_token_is_scored_once() -> None:
    for first, tokens in ((500, 200), (699, 1), (1, 699), (400, 70)):
        validation = Validation(build(ModelConfig(units=4), 7), IDS, first)
        scored = np.zeros(len(IDS), int)
        numbered = Validation(validation.network, np.arange(len(IDS)), first)
        for inputs, targets, weights in numbered._windows(tokens):
            assert (inputs + 1 == targets).all()
            np.add.at(scored, targets.ravel(), weights.ravel().astype(int))
        assert scored[first : first + tokens].tolist() == [1] * tokens
        assert scored.sum() == tokens


def test_it_measures_its_speed() -> None:
    validation = Validation(build(ModelConfig(units=4), 7), IDS, 500)
    validation.loss()
    assert validation.tokens_per_second > 0
