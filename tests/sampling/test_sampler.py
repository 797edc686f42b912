import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqgen.errors import ConfigError
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.sampler import (
    Sampler,
    allow_only,
    draw,
    penalise,
    temper,
)

LOGITS = np.array([[1.0, 3.0, 0.0, 2.0], [0.0, 0.0, 5.0, -np.inf]])
ROWS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9, unique=True)


def sample(logits: np.ndarray, random: np.random.Generator, **options: object) -> np.ndarray:
    sampler = Sampler(SampleConfig(**options))
    recent = np.empty((len(logits), 0), int)
    return sampler(logits, recent, random.random(len(logits)), 0)


def shares(**options: object) -> np.ndarray:
    rows = np.repeat(LOGITS[:1], 20_000, axis=0)
    drawn = sample(rows, np.random.default_rng(0), **options)
    return np.bincount(drawn, minlength=4) / len(rows)


def test_temperature_zero_chooses_the_most_likely_token() -> None:
    assert sample(LOGITS, np.random.default_rng(), temperature=0).tolist() == [1, 2]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_agree_with_the_softmax(temperature: float) -> None:
    expected = np.exp(LOGITS[0] / temperature)
    expected /= expected.sum()
    np.testing.assert_allclose(shares(temperature=temperature), expected, atol=0.01)


@pytest.mark.parametrize("temperature", [1e-3, 1e-300])
def test_a_very_low_temperature_is_greedy(temperature: float) -> None:
    assert shares(temperature=temperature)[1] == 1


@given(ROWS, st.floats(1e-6, 1e6), st.data())
def test_forbidden_tokens_are_never_sampled(
    row: list[float], temperature: float, data: st.DataObject
) -> None:
    ids = st.lists(st.integers(0, len(row) - 1), min_size=1, max_size=len(row) - 1, unique=True)
    mask = np.ones(len(row), bool)
    mask[data.draw(ids)] = False
    logits = allow_only(np.array([row] * 50, np.float32), np.stack([mask] * 50))
    for options in ({"temperature": 0}, {"temperature": temperature}, {"top_k": 2, "top_p": 0.5}):
        drawn = sample(logits, np.random.default_rng(0), **options)
        assert mask[drawn].all()


def test_rounding_never_samples_an_impossible_token() -> None:
    logits = temper(np.array([[0.1, 0.2, 0.3, -np.inf, -np.inf]]), 1)
    assert draw(logits, np.array([np.nextafter(1, 0)])).tolist() == [2]


def test_the_arguments_are_not_changed() -> None:
    before = LOGITS.copy()
    allow_only(LOGITS, np.array([[False, True, True, True], [True] * 4]))
    penalise(LOGITS, np.array([[0], [1]]), 2)
    tempered = temper(LOGITS, 0.5)
    kept = tempered.copy()
    draw(tempered, np.array([0.5, 0.5]))
    assert (before == LOGITS).all() and (kept == tempered).all()


def test_the_penalty_makes_recent_tokens_less_likely() -> None:
    recent = np.array([[1, 0]])
    penalised = penalise(np.array([[2.0, -2.0, 1.0]]), recent, 2)
    assert penalised.tolist() == [[1.0, -4.0, 1.0]]


class Spelling:
    """Logits from which every option generates another word."""

    LETTERS = "abcdefgh"

    @staticmethod
    def spell(options: dict[str, object], logits: list[float], steps: int) -> str:
        sampler = Sampler(SampleConfig(**options))
        recent = np.empty((1, 0), int)
        random = np.random.default_rng(0)
        word = ""
        for place in range(steps):
            ids = sampler(np.array([logits]), recent, random.random(1), place)
            recent = np.concatenate((recent, ids[:, None]), axis=1)[:, -sampler.window or None :]
            word += Spelling.LETTERS[ids[0]]
        return word


def test_every_option_alone_spells_its_word() -> None:
    falling = [8.0, 7.9, 7.8, 7.7, 1.0, 0.9, 0.8, 0.7]
    spell = Spelling.spell
    assert spell({"temperature": 0}, falling, 4) == "aaaa"
    assert set(spell({"top_k": 2, "temperature": 1}, falling, 60)) == {*"ab"}
    assert set(spell({"top_p": 0.6, "temperature": 1}, falling, 60)) == {*"abc"}
    assert set(spell({"min_p": 0.5, "temperature": 1}, falling, 60)) == {*"abcd"}
    # Every second temperature is 0; the other one makes all tokens almost equally likely.
    hot_and_cold = spell({"temperature_schedule": (0, 1e6)}, falling, 60)
    assert set(hot_and_cold[::2]) == {"a"} and len(set(hot_and_cold[1::2])) == 8
    # With a window of two, a letter can be repeated after two others.
    penalty = {"temperature": 0, "repetition_penalty": 1.5, "repetition_window": 2}
    assert spell(penalty, falling, 6) == "abcabc"


def test_the_order_is_penalty_temperature_top_k_top_p_min_p() -> None:
    # The most likely letter is a before the penalty and b after it; top-k must apply after it.
    sampler = Sampler(SampleConfig(repetition_penalty=4, top_k=1))
    assert sampler(np.array([[4.0, 3.0, 0.0]]), np.array([[0]]), np.array([0.5]), 0) == [1]
    # At a temperature of 10 three tokens have a probability of 0.6; at 1 the first one has it.
    logits = np.array([[5.0, 0.0, -1.0, -2.0]])
    assert set(_draws({"top_p": 0.6, "temperature": 1}, logits)) == {0}
    assert len(set(_draws({"top_p": 0.6, "temperature": 10}, logits))) > 1
    # Among the two tokens that top-k leaves, the first one has more than half of the probability.
    logits = np.log([[0.4, 0.3, 0.2, 0.1]])
    assert set(_draws({"top_k": 2, "top_p": 0.5, "temperature": 1}, logits)) == {0}
    assert set(_draws({"top_p": 0.5, "temperature": 1}, logits)) == {0, 1}


def _draws(options: dict[str, object], logits: np.ndarray) -> list[int]:
    rows = np.repeat(logits, 500, axis=0)
    return sample(rows, np.random.default_rng(1), **options).tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "temperature: expected a number of at least 0"),
        ({"temperature_schedule": (1, -1)}, "temperature_schedule: expected a number of at least"),
        ({"top_k": 0}, "top_k: expected a whole number from 1 to 1,000,000,000, got 0"),
        ({"top_p": 0}, "top_p: expected a probability above 0"),
        ({"top_p": 1.1}, "top_p: expected a probability above 0 and at most 1, got 1.1"),
        ({"min_p": -0.1}, "min_p: expected a probability"),
        ({"repetition_penalty": 0}, "repetition_penalty: expected a number above 0"),
        ({"repetition_window": 0}, "repetition_window: expected a whole number"),
        ({"repetition_window": 9}, "repetition_window: expected a repetition_penalty too"),
        ({"beam": 0}, "beam: expected a whole number of at least 1"),
        ({"max_copy": 0}, "max_copy: expected a whole number of at least 1"),
        ({"beam": 2, "top_k": 3}, "so top k would have no effect"),
        ({"beam": 2, "temperature": 0.5}, "so temperature would have no effect"),
    ],
)
def test_options_out_of_range(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        SampleConfig(**options)
    assert message in str(raised.value)
