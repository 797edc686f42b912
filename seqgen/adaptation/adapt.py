"""A trained model adapts to a text, with a rate that suits the text.

A rate that helps on a text unlike the corpus harms on one like it. So several rates learn from the
first part of the text, and the next part, which none of them has learned, decides: it is scored
without learning. A rate has to be better than none by more than three standard errors of the
difference. If none is, the model stays as it is; otherwise it reads the whole text with the best.

An adaptive score must not know what comes. There, every segment at the beginning is predicted with
the rate that has predicted those before it best (follow the leader; Cesa-Bianchi and Lugosi 2006).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seqgen.adaptation.reader import SEGMENT, AdaptiveReader, Losses, Numbers, segments
from seqgen.config import ModelConfig
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.repeats import HISTORY
from seqgen.types import Floats, Ids

RATES = (0.03, 0.1, 0.3)
TRIAL = 8192  # tokens with which the rate is chosen
LEARNED = 0.75  # of them; the others decide
ERRORS = 3  # standard errors by which a rate has to be better than none
WARM_UP = HISTORY  # tokens to read before a text, without learning from them


@dataclass(frozen=True, eq=False)
class AdaptableModel:
    """What learns from a text: a network and, if the model has one, its mixture."""

    config: ModelConfig  # `gradient.supports(config)` is true
    weights: list[Floats]  # in Keras's order
    mixture: Mixture | None

    def readers(self, rates: Iterable[float], context: Ids) -> list[AdaptiveReader]:
        """Readers with several rates, which have read a context `(N,)`."""
        readers = [AdaptiveReader(self.config, self.weights, self.mixture, r) for r in rates]
        for reader in readers:
            reader.warm_up(context[max(len(context) - WARM_UP, 0) :])
        return readers


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The result of `adapt`."""

    reader: AdaptiveReader  # after the text; its rate is 0 if no rate is better than none
    tokens: int  # of the text
    checked: int  # tokens that decided
    before: float  # nats per token on these, of the model as it was
    after: float  # of the model that had learned what comes before them

    @property
    def is_useful(self) -> bool:
        """Whether the model has learned from the text."""
        return self.reader.rate > 0

    def summary(self, token: str) -> str:
        """One line, for a token with a name."""
        if not self.is_useful:
            return "learning its first part does not help on the next: the model stays as it is"
        return (
            f"{self.tokens:,} {token}s learned, rate {self.reader.rate:g}; on {self.checked:,} of "
            f"them, before they were learned, {self.after:.3f} instead of {self.before:.3f} nats "
            f"per {token}"
        )


def adapt(model: AdaptableModel, ids: Ids, first: int, *, progress: bool = False) -> Adaptation:
    """Learn from a text, with the best rate.

    Args:
        model: it is unchanged.
        ids: `(N,)`; those before `first`, at least one, are context.
        first: position of the first token of the text.
        progress: draw a progress bar on stderr.
    """
    ids = np.asarray(ids).astype(np.int64)
    context, trial = ids[: first - 1], ids[: first + TRIAL]
    middle = first + int(LEARNED * (len(trial) - first)) // SEGMENT * SEGMENT
    readers = model.readers((0.0, *RATES), context)
    for segment in _with_progress(segments(trial[:middle], first), progress):
        for reader in readers:
            reader.read(segment)
    checked = [
        Losses.joined(reader.read(segment, learns=False) for segment in segments(trial, middle))
        for reader in readers
    ]
    best = _best([losses.model for losses in checked])
    (reader,) = model.readers([readers[best].rate], context)
    if reader.rate:
        for segment in _with_progress(segments(ids, first), progress):
            reader.read(segment)
    before, after = (float(checked[i].model.mean()) for i in (0, best))
    return Adaptation(reader, len(ids) - first, len(trial) - middle, before, after)


def _best(losses: list[Numbers]) -> int:
    """The losses that are below the first by most, less the errors of the difference.

    >>> _best([np.array([2.0, 2.0]), np.array([1.0, 3.0]), np.array([1.9, 1.8])])
    2
    """
    best, most = 0, 0.0
    for number, found in enumerate(losses[1:], 1):
        gains = losses[0] - found
        surely = float(gains.mean() - ERRORS * gains.std() / math.sqrt(len(gains)))
        if surely > most:  # not if it diverged
            best, most = number, surely
    return best


def adaptive_losses(
    model: AdaptableModel, ids: Ids, first: int, *, progress: bool = False
) -> Losses:
    """The losses of a text of a model that learns from it, each before its token is learned.

    Args:
        model: it is unchanged.
        ids: `(N,)`; those before `first`, at least one, are context.
        first: position of the first token of the text.
        progress: draw a progress bar on stderr.
    """
    ids = np.asarray(ids).astype(np.int64)
    readers = model.readers((0.0, *RATES), ids[: first - 1])
    totals = np.zeros(len(readers))
    losses: list[Losses] = []
    for number, segment in enumerate(_with_progress(segments(ids, first), progress)):
        leader = int(totals.argmin())
        if number * SEGMENT == TRIAL:
            readers, totals, leader = [readers[leader]], totals[[leader]], 0
        found = [reader.read(segment) for reader in readers]
        losses.append(found[leader])
        totals += [np.nan_to_num(each.model, nan=np.inf).sum() for each in found]
    return Losses.joined(losses)


def _with_progress(parts: Iterable[Ids], progress: bool) -> Iterable[Ids]:
    from tqdm import tqdm

    every = list(parts)
    shown: Iterable[Ids] = tqdm(
        every, "reading", file=sys.stderr, leave=False, disable=not progress, unit=""
    )
    return shown
