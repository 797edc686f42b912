"""The fit of weights: the loss falls, and every prediction depends on earlier tokens only."""

import numpy as np
import pytest

from seqgen.errors import ConfigError
from seqgen.evaluation import loss
from seqgen.mixing.engine import MixedEngine, mixed, with_strength
from seqgen.mixing.fit import Fit, fit
from seqgen.mixing.mixture import Mixture, Weights
from seqgen.mixing.repeats import Repeats
from seqgen.mixing.tree import count

SIZE, ORDER = 6, 3


class Uniform:
    """A network that knows nothing, or gives NaN."""

    is_batch_invariant = True
    warm_up = 0

    def __init__(self, value: float = 0) -> None:
        self.value = value

    def initial_state(self, batch_size: int) -> np.ndarray:
        return np.zeros((batch_size, 1))

    def step(self, ids: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full((len(ids), SIZE), self.value, np.float32), state

    def gather_state(self, state: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return state[rows]


def text(length: int, seed: int) -> np.ndarray:
    """Random words of a small dictionary."""
    words = ([0, 1, 2], [3, 4], [5, 0, 3, 1], [2, 2])
    random = np.random.default_rng(seed)
    return np.concatenate([words[i] for i in random.integers(0, 4, length)])[:length]


@pytest.fixture(scope="module")
def ids() -> np.ndarray:
    return text(6000, seed=0)


@pytest.fixture(scope="module")
def start(ids: np.ndarray) -> Mixture:
    return Mixture(count(ids[:4000], SIZE, order=ORDER), Repeats(None, None), SIZE,
                   Weights.initial(ORDER, 1))  # fmt: skip


@pytest.fixture(scope="module")
def fitted(start: Mixture, ids: np.ndarray) -> Fit:
    found = fit(start, Uniform(), ids[:5000], first=4000)
    assert found
    return found


@pytest.fixture(scope="module")
def engine(start: Mixture, fitted: Fit) -> MixedEngine:
    return mixed(Uniform(), Mixture(start.tree, start.repeats, SIZE, fitted.weights))


def test_the_loss_falls_on_unseen_text(fitted: Fit, engine: MixedEngine, ids: np.ndarray) -> None:
    assert fitted.places == 1000
    assert fitted.network_loss == pytest.approx(np.log(SIZE), abs=1e-6)
    assert fitted.loss < 0.75
    assert loss.losses(engine, ids, first=5000).mean() < 0.8


def test_the_loss_is_at_a_minimum(start: Mixture, fitted: Fit, ids: np.ndarray) -> None:
    """Nearby weights are not better on the text of the fit; the penalty allows a little."""
    for i in range(len(fitted.weights.base)):
        for change in (-0.2, 0.2):
            base = fitted.weights.base.copy()
            base[i] += change
            weights = Weights(base, fitted.weights.tables, fitted.weights.evidence)
            near = mixed(Uniform(), Mixture(start.tree, start.repeats, SIZE, weights))
            assert loss.losses(near, ids[:5000], first=4000).mean() > fitted.loss - 2e-3


def test_a_token_is_predicted_before_it_is_counted(engine: MixedEngine, ids: np.ndarray) -> None:
    other = ids.copy()
    other[5500:] = (other[5500:] + 1) % SIZE
    found, expected = (loss.losses(engine, each, first=5000) for each in (other, ids))
    assert (found[:500] == expected[:500]).all() and (found[501:] != expected[501:]).any()


def test_a_network_that_diverged_has_no_mixture(start: Mixture, ids: np.ndarray) -> None:
    assert fit(start, Uniform(np.nan), ids[:5000], first=4000) is None


def test_streams_can_be_gathered(engine: MixedEngine, ids: np.ndarray) -> None:
    _, state = engine.step(ids[:3], engine.initial_state(3))
    after, _ = engine.step(ids[3:6], state)
    rows = np.array([2, 0, 0])
    gathered, _ = engine.step(ids[3:6][rows], engine.gather_state(state, rows))
    assert (gathered == after[rows]).all()


def test_strength_is_a_property_of_an_engine(engine: MixedEngine, ids: np.ndarray) -> None:
    assert with_strength(engine, 1) is engine
    half = with_strength(engine, 0.5)
    losses = [loss.losses(each, ids, first=5000).mean() for each in (engine, half)]
    assert losses[0] < losses[1]
    with pytest.raises(ConfigError, match="expected a model with a mixture, got 0.5"):
        with_strength(Uniform(), 0.5)
