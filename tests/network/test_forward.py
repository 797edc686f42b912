import itertools

import numpy as np
import pytest

from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig
from seqgen.network.backend import tf
from seqgen.network.build import build, initial_state
from seqgen.network.fast_layers import supports
from seqgen.network.forward import DropoutMasks, Forward
from seqgen.network.sharding import shard_count
from tests.conftest import low_precision


@pytest.mark.parametrize("embedding", [5, 9], ids=["narrow", "wide"])
@pytest.mark.parametrize("cell", cell_names())
def test_the_state_is_kept_between_windows(cell: str, embedding: int) -> None:
    network = build(ModelConfig(cell=cell, units=4, layers=2, embedding=embedding), 7)
    ids = np.random.default_rng(0).integers(0, 7, (3, 12))
    forward = Forward(network, 3)
    first, state = forward(ids[:, :5], initial_state(network, 3))
    second, _ = forward(ids[:, 5:], state)
    whole, _ = forward(ids, initial_state(network, 3))
    np.testing.assert_allclose(np.concatenate((first, second), 1), whole, atol=1e-6)
    np.testing.assert_allclose(whole, network(ids), atol=1e-6)


def test_masks_drop_the_given_share_and_differ_between_places() -> None:
    masks = [
        DropoutMasks(seed, number).mask((200, 200), 0.3, place).numpy()
        for seed, number, place in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2**32 - 1, 9, 3)]
    ]
    for mask in masks:
        assert (mask == 0).mean() == pytest.approx(0.3, abs=0.02)
        assert mask.max() == pytest.approx(256 / (256 - 77))  # 0.3, rounded to 77 / 256
        assert mask.mean() == pytest.approx(1, abs=0.02)
    together = [np.mean((a == 0) & (b == 0)) for a, b in itertools.combinations(masks, 2)]
    assert together == pytest.approx([0.09] * 10, abs=0.02)
    again = DropoutMasks(0, 0).mask((200, 200), 0.3, 0).numpy()
    assert (masks[0] == again).all()
    assert (DropoutMasks(0, 0).mask((3, 33), 0.001, 0).numpy() == 1).all()
    assert np.isfinite(DropoutMasks(0, 0).mask((3, 33), 0.999, 0).numpy()).all()


def test_dropout_is_for_training_and_recurrent_weights_are_dropped_for_a_whole_window() -> None:
    network = build(ModelConfig(units=32, layers=2, dropout=0.5), 7, seed=0)
    ids, state = np.zeros((2, 40), int), initial_state(network, 2)
    plain, _ = Forward(network, 2)(ids, state)
    dropped, _ = Forward(network, 2, masks=DropoutMasks(0, 0))(ids, state)
    assert np.abs(dropped - plain).max() > 0.01
    bare = build(ModelConfig(units=32), 7, seed=0)
    plain, _ = Forward(bare, 2)(ids, initial_state(bare, 2))
    one, _ = Forward(bare, 2, masks=DropoutMasks(0, 0, recurrent_dropout=0.5))(
        ids, initial_state(bare, 2)
    )
    assert np.abs(one - plain).max() > 0.001
    # All steps and streams have the same mask, so with equal ids their outputs become equal.
    np.testing.assert_allclose(one[0], one[1], atol=1e-6)
    assert np.abs(one[:, -1] - one[:, -2]).max() < np.abs(one[:, 1] - one[:, 0]).max() / 10


@low_precision
@pytest.mark.parametrize("cell", cell_names())
def test_low_precision_is_nearly_the_same(cell: str) -> None:
    network = build(ModelConfig(cell=cell, units=32, layers=2), 7, seed=0)
    window = 20
    ids = np.random.default_rng(0).integers(0, 7, (3, window))
    exact, states = Forward(network, 3)(ids, initial_state(network, 3))
    for precision, significant_bits in (("bfloat16", 8), ("float16", 11)):
        near, near_states = Forward(network, 3, precision=precision)(ids, initial_state(network, 3))
        # Every step rounds weights, state and products, by up to 2^-bits of their size. Orthogonal
        # kernels do not amplify errors, and n independent ones add up to about sqrt(n) of them.
        bound = 2 * np.sqrt(3 * window) * 2.0**-significant_bits
        assert near.dtype == exact.dtype
        assert np.abs(near - exact).max() > 1e-7
        for a, b in zip([exact, *states], [near, *near_states], strict=True):
            assert np.abs(a - b).max() < bound * np.abs(a).max()


def test_shards_drop_the_same_recurrent_weights_and_other_outputs() -> None:
    ids = np.zeros((2, 9), int)
    for dropout, equal in ((0.0, True), (0.5, False)):
        network = build(ModelConfig(units=32, dropout=dropout), 7, seed=0)
        forward = Forward(network, 2, masks=DropoutMasks(0, 0, recurrent_dropout=0.5))
        first, second = (forward(ids, initial_state(network, 2), shard)[0] for shard in (0, 1))
        assert (first.numpy() == second.numpy()).all() == equal


def test_a_gpu_runs_the_layers_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """They use cuDNN there, and a batch is not divided."""
    config = ModelConfig(units=8, layers=2)
    network = build(config, 7, seed=0)
    ids = np.random.default_rng(0).integers(0, 7, (32, 5))
    expected, _ = Forward(network, 32)(ids, initial_state(network, 32))
    assert supports(config)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    monkeypatch.delattr("seqgen.network.kernels.Layer")
    stock, _ = Forward(network, 32)(ids, initial_state(network, 32))
    np.testing.assert_allclose(stock, expected, atol=1e-6)
    assert not supports(config)
    assert shard_count(32) == 1
