from itertools import pairwise

import keras
import numpy as np
import pytest

from seqgen.config import ModelConfig
from seqgen.evaluation import loss as scoring
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.network.build import build
from seqgen.training.validation import Validation

IDS = np.random.default_rng(0).integers(0, 20, 3000)


def network_and_runtime() -> tuple[object, NumpyEngine]:
    config = ModelConfig(units=24, embedding=8)
    keras.utils.set_random_seed(1)
    network = build(config, vocabulary_size=20)
    embedding, *recurrent, kernel, bias = network.get_weights()  # an untrained network forgets soon
    network.set_weights([4 * embedding, *recurrent, 4 * kernel, bias])
    return network, NumpyEngine(config, network.get_weights())


def test_one_stream_scores_each_token_given_all_previous_ones() -> None:
    _, runtime = network_and_runtime()
    state, expected = runtime.initial_state(1), []
    for token, target in pairwise(IDS[:100]):
        logits, state = runtime.step(np.array([token]), state)
        shifted = logits[0].astype(float) - logits.max()
        expected.append(np.log(np.exp(shifted).sum()) - shifted[target])
    np.testing.assert_allclose(scoring.losses(runtime, IDS[:100], 1), expected, atol=1e-6)
    np.testing.assert_allclose(scoring.losses(runtime, IDS[:100], 60), expected[59:], atol=1e-5)


def test_the_losses_do_not_depend_on_the_number_of_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    network, runtime = network_and_runtime()
    alone = scoring.losses(runtime, IDS, 1000)
    monkeypatch.setattr(scoring, "MAX_SINGLE", 100)
    together = scoring.losses(runtime, IDS, 1000)
    assert together.shape == (2000,)
    np.testing.assert_allclose(together, alone, atol=1e-3)
    assert together.mean() == pytest.approx(Validation(network, IDS, 1000).loss(), abs=1e-3)
