"""A trained model adapts to a text, with the rate that suits the text.

A rate that helps on a text unlike the corpus harms on one like it. So the first part of the text is
read with several rates at once, one of them 0, and every segment is predicted with the rate that
has predicted those before it best (follow the leader; Cesa-Bianchi and Lugosi 2006). Then the
leader goes on alone. If no rate predicts better than none, the model stays as it is.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from seqgen.adaptation.reader import SEGMENT, AdaptiveReader, Losses
from seqgen.config import ModelConfig
from seqgen.mixing.mixture import Mixture
from seqgen.mixing.repeats import HISTORY
from seqgen.types import Floats, Ids

RATES = (0.0, 3e-4, 1e-3, 3e-3)
TRIAL = 4096  # tokens that are read with all rates
WARM_UP = HISTORY  # tokens to read before the text, without learning from them


@dataclass(frozen=True, eq=False)
class Adaptation:
    """The result of `adapt`."""

    losses: Losses  # of every token of the text, each before it was learned
    trial: Losses  # of the tokens of the trial, without learning
    reader: AdaptiveReader  # that has predicted best, after the text

    @property
    def is_useful(self) -> bool:
        """Whether some rate predicted the text better than none."""
        return self.reader.rate > 0


def adapt(
    config: ModelConfig,
    weights: list[Floats],
    mixture: Mixture | None,
    ids: Ids,
    first: int,
    *,
    progress: bool = False,
) -> Adaptation:
    """Read a text, and learn from it.

    Args:
        config: of the network; `gradient.supports(config)` is true.
        weights: of the network; they are unchanged.
        mixture: of the model, if it has one; it is unchanged.
        ids: `(N,)`; those before `first`, at least one, are context.
        first: position of the first token of the text.
        progress: draw a progress bar on stderr.
    """
    from tqdm import tqdm

    readers = [AdaptiveReader(config, weights, mixture, rate) for rate in RATES]
    ids = np.asarray(ids[max(first - 1 - WARM_UP, 0) :]).astype(np.int64)
    first = min(first, 1 + WARM_UP)
    for reader in readers:
        reader.warm_up(ids[: first - 1])
    totals = np.zeros(len(readers))
    losses: list[Losses] = []
    trial: list[Losses] = []
    starts = range(first - 1, len(ids) - 1, SEGMENT)
    for start in tqdm(starts, "reading", file=sys.stderr, leave=False, disable=not progress):
        leader = int(totals.argmin())
        if start - first + 1 >= TRIAL:
            readers, totals = [readers[leader]], totals[[leader]]
            leader = 0
        found = [reader.read(ids[start : start + SEGMENT + 1]) for reader in readers]
        losses.append(found[leader])
        if len(readers) > 1:
            trial.append(found[0])
        totals += [each.model.sum() for each in found]
    return Adaptation(_joined(losses), _joined(trial), readers[int(totals.argmin())])


def _joined(losses: list[Losses]) -> Losses:
    model, network = map(np.concatenate, zip(*losses, strict=True))
    return Losses(model, network)
