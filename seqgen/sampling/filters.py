"""Filters: rules that make unlikely tokens impossible before one is drawn.

A filter is one entry of `FILTERS`. Its name is an argument of `SampleConfig`, an option of
`seqgen generate` and a keyword of every method that generates; nothing else has to change. They
act in the order of `FILTERS`, after the temperature.

The functions import NumPy themselves: `seqgen generate --help` reads this table and should be
instant.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqgen.errors import ConfigError

if TYPE_CHECKING:
    from seqgen.types import Logits

MOST_TOP_K = 1_000_000_000  # far more than there are tokens; fits the 64 bits of C


@dataclass(frozen=True)
class Filter:
    """A rule with one number.

    Args:
        apply: `apply(logits, value)` → logits `(B, V)`. The largest logit of each row is 0; an
            impossible token gets `-inf`; the argument is not changed.
        type: of the value, `int` or `float`.
        is_valid: whether a number of that type is in range.
        expected: the range in words, for error messages.
        metavar: stands for the value in the help.
        help: one sentence for the help.
    """

    apply: Callable[[Logits, Any], Logits]
    type: type[int] | type[float]
    is_valid: Callable[[Any], bool]
    expected: str
    metavar: str
    help: str


def top_k(logits: Logits, k: int) -> Logits:
    """Keep the `k` most likely tokens and those as likely as the last of them (Fan et al. 2018).

    >>> import numpy as np
    >>> top_k(np.array([[-3.0, -1.0, -2.0, 0.0]]), k=2)
    array([[-inf,  -1., -inf,   0.]])
    """
    import numpy as np

    if k >= logits.shape[1]:
        return logits
    ordered = logits.copy()
    ordered.partition(-k, axis=1)
    return np.where(logits >= ordered[:, -k, None], logits, -np.inf)


def top_p(logits: Logits, p: float) -> Logits:
    """Keep the fewest most likely tokens whose probabilities add up to `p` or more, and those as
    likely as the last of them (nucleus sampling, Holtzman et al. 2020).

    >>> import numpy as np
    >>> top_p(np.log(np.array([[0.2, 0.5, 0.3]]) / 0.5), p=0.6).round(1)
    array([[-inf,  0. , -0.5]])
    """
    import numpy as np

    ascending = logits.copy()
    ascending.sort(axis=1)
    sums = np.add.accumulate(np.exp(ascending), axis=1)
    first = (sums >= (1 - p) * sums[:, -1:]).argmax(axis=1)
    lowest = ascending[np.arange(len(logits)), first, None]
    return np.where(logits >= lowest, logits, -np.inf)


def min_p(logits: Logits, p: float) -> Logits:
    """Keep tokens at least `p` times as likely as the most likely one (Nguyen et al. 2024).

    >>> import numpy as np
    >>> min_p(np.log(np.array([[0.1, 0.6, 0.3]]) / 0.6), p=0.4).round(1)
    array([[-inf,  0. , -0.7]])
    """
    import numpy as np

    return np.where(logits >= math.log(p), logits, -np.inf)


def _is_probability(value: float) -> bool:
    return 0 < value <= 1


FILTERS: dict[str, Filter] = {
    "top_k": Filter(
        top_k, int, lambda k: 1 <= k <= MOST_TOP_K, f"a whole number from 1 to {MOST_TOP_K:,}",
        "K", "Sample from the K most likely tokens.",
    ),
    "top_p": Filter(
        top_p, float, _is_probability, "a probability above 0 and at most 1",
        "P", "Sample from the smallest set of tokens whose probabilities sum to P.",
    ),
    "min_p": Filter(
        min_p, float, _is_probability, "a probability above 0 and at most 1",
        "P", "Sample from tokens at least P times as likely as the most likely one.",
    ),
}  # fmt: skip


def require_valid(name: str, value: object) -> None:
    """Raise `ConfigError` if a filter does not accept a value.

    >>> require_valid("top_p", 2)
    Traceback (most recent call last):
    seqgen.errors.ConfigError: top_p: expected a probability above 0 and at most 1, got 2
    """
    rule = FILTERS[name]
    types = int if rule.type is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, types) or not rule.is_valid(value):
        raise ConfigError(f"{name}: expected {rule.expected}, got {value!r}")
