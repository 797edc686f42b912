"""Sampling in C agrees with sampling in NumPy."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from seqgen.sampling.config import SampleConfig
from seqgen.sampling.filters import top_k
from seqgen.sampling.sampler import Sampler, allow_only, temper
from tests.conftest import compiled

pytestmark = compiled

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.none() | st.floats(0.01, 1)


def both(
    sampler: Sampler,
    logits: np.ndarray,
    recent: np.ndarray,
    numbers: np.ndarray,
    allowed: np.ndarray | None = None,
) -> list:
    """Ids sampled in C, and in NumPy."""
    assert sampler.compiled is not None
    found = sampler(logits, recent, numbers, 0, allowed)
    sampler.compiled = None
    return [found.tolist(), sampler(logits, recent, numbers, 0, allowed).tolist()]


def is_near_an_edge(logits: np.ndarray, config: SampleConfig) -> bool:
    """Whether rounding decides which tokens top-p keeps."""
    tempered = temper(logits, config.temperature)
    if "top_k" in config.filters:
        tempered = top_k(tempered, config.filters["top_k"])
    sums = np.sort(np.exp(tempered), axis=1)[:, ::-1].cumsum(axis=1)
    return bool((abs(sums / sums[:, -1:] - config.filters.get("top_p", 0)) < 1e-9).any())


@given(
    SEEDS, st.integers(1, 3), st.integers(1, 40), st.none() | st.integers(1, 50), SHARES, SHARES,
    st.sampled_from([1.0, 1.3, 0.5]), st.sampled_from([0, 1e-3, 0.7, 1, 30]), st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_agrees_with_numpy(
    seed: int, rows: int, size: int, k: int | None, p: float | None, least: float | None,
    penalty: float, temperature: float, is_rounded: bool, is_masked: bool,
) -> None:  # fmt: skip
    random = np.random.default_rng(seed)
    logits = random.normal(0, 4, (rows, size)).astype(np.float32)
    if is_rounded:  # so that many logits are equal
        logits = logits.round()
    forbidden = random.random((rows, size)) < 0.3
    forbidden[:, 0] = False
    possible = allow_only(logits, ~forbidden)
    config = SampleConfig(
        top_k=k, top_p=p, min_p=least, repetition_penalty=penalty, temperature=temperature
    )
    sampler = Sampler(config)
    recent = random.integers(0, size, (rows, 5 if sampler.window else 0))
    assume(penalty != 1 or not temperature or not is_near_an_edge(possible, config))
    numbers = random.random(rows)
    found, expected = both(
        sampler,
        *((logits, recent, numbers, ~forbidden) if is_masked else (possible, recent, numbers)),
    )
    assert found == expected
    assert not forbidden[np.arange(rows), found].any()


def test_rounding_never_samples_an_impossible_token() -> None:
    logits = np.array([[0.1, 0.2, 0.3, -np.inf, -np.inf]], np.float32)
    numbers = np.array([np.nextafter(1, 0)])
    assert both(Sampler(SampleConfig()), logits, np.empty((1, 0), int), numbers) == [[2], [2]]


def test_views_and_changing_sizes() -> None:
    whole = np.random.default_rng(0).normal(size=(4, 30)).astype(np.float32)
    recent = np.arange(20).reshape(4, 5)
    sampler = Sampler(SampleConfig(temperature=0, repetition_penalty=2))
    for size in (20, 25, 21):
        logits, window = whole[:, 3 : 3 + size], recent[:, 1:4]
        expected = logits.astype(float)
        for row, ids in zip(expected, window, strict=True):
            row[ids] = np.where(row[ids] > 0, row[ids] / 2, row[ids] * 2)
        before = whole.copy()
        found = sampler(logits, window, np.zeros(4), 0)
        assert found.tolist() == expected.argmax(axis=1).tolist() and (whole == before).all()
