"""How much a run regularises: it follows the number of tokens that the network sees.

A run with a time limit is planned with the speed of the machine before it. If other programs start
or end in the meantime, the network sees fewer or more tokens, and needs less or more dropout.
"""

from __future__ import annotations

import math
from typing import NamedTuple

NOTICEABLE = 0.03  # smaller changes of dropout are not made


class Regularisation(NamedTuple):
    """What depends on the number of tokens seen."""

    dropout: float
    recurrent_dropout: float
    weight_decay: float

    @classmethod
    def of_run(cls, weights: int, corpus_tokens: int, tokens_seen: float) -> Regularisation:
        """The amount that suits a run; the experiments are in `benchmarks/LOG.md`.

            risk = weights / corpus_tokens · tokens_seen / corpus_tokens
            dropout = 0.25 + 0.055 log2(risk / 8), recurrent dropout = 0.11 log2(risk / 12)

        The risk is that of overfitting: weights per token of the corpus, times epochs. Both rates
        are clipped.

        Args:
            weights: of the network.
            corpus_tokens: tokens in the training part.
            tokens_seen: tokens in all steps.

        >>> Regularisation.of_run(350_000, 1_000_000, 9_000_000)
        Regularisation(dropout=0.18, recurrent_dropout=0.0, weight_decay=0.05)
        """
        risk = weights / corpus_tokens * tokens_seen / corpus_tokens
        return cls(
            _clipped(0.25 + 0.055 * math.log2(risk / 8), 0.5),
            _clipped(0.11 * math.log2(risk / 12), 0.35),
            0.05 if tokens_seen > corpus_tokens else 0.01,
        )

    def corrected(self, suitable: Regularisation, fixed: frozenset[str]) -> Regularisation:
        """This one, or a suitable one if they differ noticeably.

        Args:
            suitable: for the tokens that the run will really see.
            fixed: names of fields that must not change.

        >>> now = Regularisation(0.2, 0.05, 0.05)
        >>> now.corrected(Regularisation(0.1, 0.0, 0.01), frozenset({"weight_decay"}))
        Regularisation(dropout=0.1, recurrent_dropout=0.0, weight_decay=0.05)
        >>> now.corrected(Regularisation(0.19, 0.04, 0.05), frozenset())
        Regularisation(dropout=0.2, recurrent_dropout=0.05, weight_decay=0.05)
        """
        rates = suitable._asdict().items()
        new = self._replace(**{name: rate for name, rate in rates if name not in fixed})
        changes = [abs(a - b) for a, b in zip(self[:2], new[:2], strict=True)]
        is_noticeable = max(changes) >= NOTICEABLE or self.weight_decay != new.weight_decay
        return new if is_noticeable else self


def _clipped(rate: float, highest: float) -> float:
    """Clip to `[0, highest]`, and round."""
    return round(min(max(rate, 0.0), highest), 2)
