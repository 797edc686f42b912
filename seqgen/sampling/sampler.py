"""Logits → ids: how the next token is drawn.

The steps, in this order:

1. `allow_only`: constraints make tokens impossible, such as banned characters, notes that do not
   fit into the bar, or the next token of a copy that is long enough;
2. `penalise`: recent tokens become less likely;
3. `temper`: the logits are divided by the temperature;
4. `seqgen.sampling.filters`: unlikely tokens become impossible;
5. `draw`: one token is drawn from the softmax.

Functions map logits `(B, V)` to logits `(B, V)` and do not change their arguments. A token whose
logit is `-inf` is never drawn.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqgen.native import NOT_FINITE, check
from seqgen.sampling import c_sampler
from seqgen.sampling.c_sampler import CSampler
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.filters import FILTERS
from seqgen.types import Ids, Logits, Mask
from seqgen.utils.softmax import log_softmax

LOWEST = 1e-250  # temperature; dividing large logits by a lower one would overflow
HIGHEST = 1 - 2**-51  # the largest factor that makes every positive number smaller


def allow_only(logits: Logits, allowed: Mask) -> Logits:
    """Make tokens impossible where `allowed` `(B, V)` is False.

    >>> allow_only(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, False], [True, True]]))
    array([[  1., -inf],
           [  3.,   4.]])
    """
    return np.where(allowed, logits, -np.inf)


def penalise(logits: Logits, recent: Ids, penalty: float) -> Logits:
    """Make recent tokens less likely: positive logits are divided by the penalty, negative ones
    multiplied by it (CTRL, Keskar et al. 2019).

    Args:
        logits: `(B, V)`.
        recent: ids `(B, W)`.
        penalty: 1 changes nothing.

    >>> penalise(np.array([[4.0, -1.0, 2.0]]), np.array([[0, 1, 0]]), penalty=2)
    array([[ 2., -2.,  2.]])
    """
    rows = np.arange(len(logits))[:, None]
    penalised: Logits = logits.copy()
    before = logits[rows, recent]
    penalised[rows, recent] = np.where(before > 0, before / penalty, before * penalty)
    return penalised


def temper(logits: Logits, temperature: float) -> Logits:
    """The logits divided by the temperature, above 0, minus the largest of each row.

    >>> temper(np.array([[1.0, 3.0]]), temperature=0.5)
    array([[-4.,  0.]])
    """
    highest = np.maximum.reduce(logits, axis=1, keepdims=True)
    tempered: Logits = np.subtract(logits, highest, dtype=np.float64)
    tempered /= max(temperature, LOWEST)
    return tempered


def require_finite(logits: Logits) -> None:
    """Raise `ModelFileError` if logits `(B, V)` hold NaN or infinity: no token can be drawn.

    >>> require_finite(np.array([[0.0, np.nan]]))
    Traceback (most recent call last):
    seqgen.errors.ModelFileError: sampling: the network gives NaN or infinity, so that no token \
can be drawn; train it again, with a lower learning rate
    """
    if not logits.max() < np.inf:  # NaN is not
        check(NOT_FINITE, "sampling")


def draw(logits: Logits, numbers: npt.NDArray[np.float64]) -> Ids:
    """Draw one token per row from softmax(logits), by inverting its cumulative sum.

    Args:
        logits: `(B, V)`; the largest of each row is 0, as `temper` returns them.
        numbers: `(B,)`, random, `0 <= number < 1`.

    Returns:
        Ids `(B,)`.

    >>> draw(np.log(np.array([[0.25, 0.75], [0.25, 0.75]])), np.array([0.2, 0.3]))
    array([0, 1])
    """
    sums = np.add.accumulate(np.exp(logits), axis=1)
    # A number rounded up to the whole sum would draw a token of probability 0.
    drawn = np.minimum(numbers, HIGHEST) * sums[:, -1]
    return np.asarray((sums > drawn[:, None]).argmax(axis=1))


def log_probabilities(logits: Logits) -> Logits:
    """log softmax(logits), `(B, V)` in float64.

    >>> np.exp(log_probabilities(np.array([[0.0, 0.0]])))
    array([[0.5, 0.5]])
    """
    return log_softmax(logits.astype(np.float64))


class Sampler:
    """Draws tokens.

    It runs in C if the library is compiled and has all filters, otherwise in NumPy; both draw the
    same ids.

    >>> sampler = Sampler(SampleConfig(temperature=0))
    >>> sampler(np.array([[0.0, 9.0, 9.0]]), np.array([[0]]), np.array([0.5]), position=0)
    array([1])
    """

    def __init__(self, config: SampleConfig) -> None:
        self.config = config
        self.temperatures = config.temperature_schedule or (config.temperature,)
        penalises = config.repetition_penalty != 1
        self.window = config.repetition_window if penalises else 0  # number of recent tokens
        self.compiled = CSampler(config) if c_sampler.supports(config) else None

    def __call__(
        self,
        logits: Logits,
        recent: Ids,
        numbers: npt.NDArray[np.float64],
        position: int,
        allowed: Mask | None = None,
    ) -> Ids:
        """Draw one token per row.

        Args:
            logits: `(B, V)`.
            recent: the last `window` ids `(B, W)`, fewer at the beginning.
            numbers: `(B,)`, random, `0 <= number < 1`.
            position: number of tokens drawn before.
            allowed: `(B, V)`, at least one True per row; None allows all tokens.

        Returns:
            Ids `(B,)`.
        """
        config = self.config
        temperature = self.temperatures[position % len(self.temperatures)]
        if self.compiled is not None and logits.dtype == np.float32:
            if temperature:  # 0 is greedy
                temperature = max(temperature, LOWEST)
            return self.compiled(logits, recent, numbers, temperature, allowed)
        require_finite(logits)
        if allowed is not None:
            logits = allow_only(logits, allowed)
        if self.window:
            logits = penalise(logits, recent, config.repetition_penalty)
        if temperature == 0:
            return np.asarray(np.argmax(logits, axis=1))
        logits = temper(logits, temperature)
        for name, value in config.filters.items():
            logits = FILTERS[name].apply(logits, value)
        return draw(logits, numbers)
