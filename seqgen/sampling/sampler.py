"""Logits → ids: how the next token is drawn.

In this order, each a function of its own:

1. what must not come is impossible (`allow_only`): characters that are banned, an overfull bar, a
   copy that would get too long;
2. what came lately is less likely (`penalise`);
3. `temper`: a low temperature makes the likely likelier;
4. what is unlikely is impossible (`keep_top_k`, `keep_top_p`, `keep_min_p`);
5. one token is drawn (`draw`).

All of them take and give logits `(B, V)` and leave those that they were given as they are; `-inf`
is never drawn.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from seqgen.config import SampleConfig
from seqgen.native import library
from seqgen.sampling.c_sampler import CSampler
from seqgen.types import Ids, Logits, Mask

LOWEST = 1e-250  # temperature: any lower, and numbers that are large would overflow
HIGHEST = 1 - 2**-51  # times any number, it is less than that number


def allow_only(logits: Logits, allowed: Mask) -> Logits:
    """Make impossible what is not allowed `(B, V)`.

    >>> allow_only(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[True, False], [True, True]]))
    array([[  1., -inf],
           [  3.,   4.]])
    """
    return np.where(allowed, logits, -np.inf)


def penalise(logits: Logits, recent: Ids, penalty: float) -> Logits:
    """Make recent tokens less likely: a logit above 0 is divided, one below multiplied (the
    repetition penalty of CTRL, Keskar et al. 2019).

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
    """The logits over the temperature, above 0, moved so that each row's highest is 0.

    >>> temper(np.array([[1.0, 3.0]]), temperature=0.5)
    array([[-4.,  0.]])
    """
    highest = np.maximum.reduce(logits, axis=1, keepdims=True)
    tempered: Logits = np.subtract(logits, highest, dtype=np.float64)
    tempered /= max(temperature, LOWEST)
    return tempered


def keep_top_k(logits: Logits, k: int) -> Logits:
    """Make all but the k likeliest tokens impossible, and those equal to the last of them (Fan et
    al. 2018).

    >>> keep_top_k(np.array([[1.0, 3.0, 2.0, 4.0]]), k=2)
    array([[-inf,   3., -inf,   4.]])
    """
    if k >= logits.shape[1]:
        return logits
    ordered = logits.copy()
    ordered.partition(-k, axis=1)
    return np.where(logits >= ordered[:, -k, None], logits, -np.inf)


def keep_top_p(logits: Logits, p: float) -> Logits:
    """Keep the fewest likeliest tokens whose probabilities add up to p or more, and those equal to
    the last of them (nucleus sampling, Holtzman et al. 2020).

    Args:
        logits: `(B, V)`, each row's highest 0, as `temper` gives them.
        p: above 0, 1 at the most.

    >>> keep_top_p(temper(np.log(np.array([[0.2, 0.5, 0.3]])), 1), p=0.6).round(1)
    array([[-inf,  0. , -0.5]])
    """
    ascending = logits.copy()
    ascending.sort(axis=1)
    sums = np.add.accumulate(np.exp(ascending), axis=1)
    dropped = (sums >= (1 - p) * sums[:, -1:]).argmax(axis=1)
    least = ascending[np.arange(len(logits)), dropped, None]
    return np.where(logits >= least, logits, -np.inf)


def keep_min_p(logits: Logits, p: float) -> Logits:
    """Keep tokens that are at least p times as likely as the likeliest (Nguyen et al. 2024).

    Args:
        logits: `(B, V)`, each row's highest 0, as `temper` gives them.
        p: above 0, 1 at the most.

    >>> keep_min_p(temper(np.log(np.array([[0.1, 0.6, 0.3]])), 1), p=0.4).round(1)
    array([[-inf,  0. , -0.7]])
    """
    return np.where(logits >= math.log(p), logits, -np.inf)


def draw(logits: Logits, numbers: npt.NDArray[np.float64]) -> Ids:
    """One token per row from softmax(logits).

    Args:
        logits: `(B, V)`, each row's highest 0, as `temper` gives them.
        numbers: `(B,)`, drawn from 0 up to, but not, 1.

    Returns:
        Ids `(B,)`.

    >>> draw(np.log(np.array([[0.25, 0.75], [0.25, 0.75]])), np.array([0.2, 0.3]))
    array([0, 1])
    """
    sums = np.add.accumulate(np.exp(logits), axis=1)
    # Rounding up to the whole sum would draw a token of no probability.
    drawn = np.minimum(numbers, HIGHEST) * sums[:, -1]
    return np.asarray((sums > drawn[:, None]).argmax(axis=1))


def log_probabilities(logits: Logits) -> Logits:
    """log softmax(logits), `(B, V)`.

    >>> np.exp(log_probabilities(np.array([[0.0, 0.0]])))
    array([[0.5, 0.5]])
    """
    tempered = temper(logits, 1)
    return np.asarray(tempered - np.log(np.exp(tempered).sum(axis=1, keepdims=True)))


class Sampler:
    """Draws tokens as a configuration says.

    >>> sampler = Sampler(SampleConfig(temperature=0))
    >>> sampler(np.array([[0.0, 9.0, 9.0]]), np.array([[0]]), np.array([0.5]), place=0)
    array([1])
    """

    def __init__(self, config: SampleConfig) -> None:
        self.config = config
        self.temperatures = config.temperature_schedule or (config.temperature,)
        penalises = config.repetition_penalty != 1
        self.window = config.repetition_window if penalises else 0  # of tokens that it looks at
        self.compiled = CSampler(config) if library() is not None else None

    def __call__(
        self,
        logits: Logits,
        recent: Ids,
        numbers: npt.NDArray[np.float64],
        place: int,
        allowed: Mask | None = None,
    ) -> Ids:
        """One token per row.

        Args:
            logits: `(B, V)`.
            recent: the last `window` ids `(B, W)`, or as many as there are.
            numbers: `(B,)`, drawn from 0 up to, but not, 1.
            place: how many tokens have been drawn before.
            allowed: which tokens may come `(B, V)`, in each row at least one; None: all of them.
        """
        config = self.config
        temperature = self.temperatures[place % len(self.temperatures)]
        if self.compiled is not None and logits.dtype == np.float32:
            least = LOWEST if temperature else 0  # which is greedy
            return self.compiled(logits, recent, numbers, max(temperature, least), allowed)
        if allowed is not None:
            logits = allow_only(logits, allowed)
        if self.window:
            logits = penalise(logits, recent, config.repetition_penalty)
        if temperature == 0:
            return np.asarray(np.argmax(logits, axis=1))
        logits = temper(logits, temperature)
        if config.top_k is not None:
            logits = keep_top_k(logits, config.top_k)
        if config.top_p is not None:
            logits = keep_top_p(logits, config.top_p)
        if config.min_p is not None:
            logits = keep_min_p(logits, config.min_p)
        return draw(logits, numbers)
