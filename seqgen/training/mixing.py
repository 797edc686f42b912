"""The mixture of a trained model: n-grams of its corpus, and weights fitted on a reserved part.

The network does not see the start of the training part (`Corpus.reserved_length`). The weights are
fitted there, with n-grams counted in the rest. Then the n-grams are counted again in the whole
training part. The validation part is only scored.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.mixing import fit, tree
from seqgen.mixing.growing_tree import GrowingTree
from seqgen.mixing.mixture import Mixture, Weights, feature_count
from seqgen.mixing.parameters import MAX_VOCABULARY, MixtureParameters
from seqgen.mixing.repeats import Repeats
from seqgen.tasks import base as tasks

if TYPE_CHECKING:
    from seqgen.model import Model
    from seqgen.model_file import ModelData
    from seqgen.training.callbacks import Callback

ORDER = 6  # tokens of the longest context
RESERVED = 0.04  # of the training part
FEWEST_TOKENS = 50_000  # of a training part, below which a part of it cannot be spared
FEWEST_PLACES = 1_000  # to fit weights on
# About what a mixture takes: for the features of the places, and to count all tokens twice.
SECONDS_PER_NUMBER, SECONDS_PER_TOKEN = 4e-7, 1e-6
SHARE_OF_FIT, SHARE_OF_COUNTS = 0.05, 0.25  # of the time of a run, at most


def reserved_share(corpus: Corpus, minutes: float | None = None) -> float:
    """The share of the training part that is reserved; 0 if the corpus should have no mixture.

    Args:
        corpus: what to train on.
        minutes: the time of the run, of which a mixture may take a part; None for any time.

    >>> import numpy as np
    >>> from seqgen.vocabulary import Vocabulary
    >>> reserved_share(Corpus("ab", "text", Vocabulary(("a", "b")), np.zeros(100_000, int)))
    0.04
    """
    size, length = len(corpus.vocabulary), corpus.training_length
    if corpus.targets is not None or size > MAX_VOCABULARY or length < FEWEST_TOKENS:
        return 0.0
    numbers = _numbers_per_place(corpus)
    places = min(int(RESERVED * length), fit.MAX_NUMBERS // numbers)
    if minutes is not None:
        places = min(places, int(SHARE_OF_FIT * 60 * minutes / SECONDS_PER_NUMBER / numbers))
        if SECONDS_PER_TOKEN * length > SHARE_OF_COUNTS * 60 * minutes:
            return 0.0
    return min(RESERVED, places / length) if places >= FEWEST_PLACES else 0.0


def seconds_to_fit(corpus: Corpus) -> float:
    """About how long `fit_mixture` will take; 0 if nothing is reserved."""
    if not corpus.reserved:
        return 0.0
    numbers = corpus.reserved_length * _numbers_per_place(corpus)
    return SECONDS_PER_NUMBER * numbers + SECONDS_PER_TOKEN * corpus.training_length


def fit_mixture(model: Model, corpus: Corpus, callback: Callback) -> MixtureParameters | None:
    """The mixture of a trained model; None if it would not lower the loss.

    Args:
        model: the model, without a mixture.
        corpus: on which it was trained, of which a part is reserved.
        callback: receives a message about what the mixture gains.
    """
    started = time.monotonic()
    size, end_id = len(corpus.vocabulary), corpus.vocabulary.end_id
    repeats = _repeats(corpus)
    counted = tree.count(corpus.network_ids, size, order=ORDER, end_id=end_id)
    start = Mixture(counted, repeats, size, Weights.initial(ORDER, repeats.count))
    reserved = corpus.ids[: corpus.reserved_length]
    fitted = fit.fit(start, model.network_engine, reserved, first=1)
    if fitted is None:
        return None
    token, seconds = tasks.get(corpus.task).token_name, time.monotonic() - started
    callback.on_message(
        f"mixture with n-grams and repetitions: {fitted.loss:.3f} instead of "
        f"{fitted.network_loss:.3f} nats on the {fitted.places:,} {token}s on which it was fitted, "
        f"in {seconds:.0f} s"
    )
    whole = tree.count(corpus.training_ids, size, order=ORDER, end_id=end_id)
    return MixtureParameters(whole, fitted.weights)


def extended_mixture(base: ModelData, corpus: Corpus) -> MixtureParameters | None:
    """The mixture of a model that was trained further, whose n-grams also count the new corpus.

    Its weights stay as they are: the corpus is too small for a part of it to be reserved.

    Args:
        base: the model before.
        corpus: on which it was trained further, in its extended vocabulary.
    """
    mixture, vocabulary = base.mixture, corpus.vocabulary
    if mixture is None or len(vocabulary) > MAX_VOCABULARY:
        return None
    table = np.array([vocabulary.ids[token] for token in base.vocabulary.tokens])
    counted = GrowingTree(mixture.tree.relabelled(table), vocabulary.end_id)
    counted.add(np.asarray(corpus.training_ids).astype(np.int64), first=0)
    tokens = base.corpus["split"]["training_tokens"] + corpus.training_length
    frozen = counted.frozen(tree.most_nodes(tokens, len(vocabulary)))
    return MixtureParameters(frozen, mixture.weights)


def _numbers_per_place(corpus: Corpus) -> int:
    """The number of features of all tokens at a place."""
    return len(corpus.vocabulary) * feature_count(ORDER, _repeats(corpus).count)


def _repeats(corpus: Corpus) -> Repeats:
    bars = tasks.get(corpus.task).bars(corpus.vocabulary)
    return Repeats(bars, corpus.vocabulary.end_id)
