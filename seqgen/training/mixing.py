"""The mixture of a trained model: n-grams of its corpus, and weights fitted on a reserved part.

The network does not see the start of the training part (`Corpus.reserved_length`). The weights are
fitted there, with n-grams counted in the rest. Then the n-grams are counted again in the whole
training part. The validation part is only scored.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seqgen.corpus.corpus import Corpus
from seqgen.mixing import fit, tree
from seqgen.mixing.mixture import Mixture, Weights, feature_count
from seqgen.mixing.parameters import MAX_VOCABULARY, MixtureParameters
from seqgen.mixing.repeats import Repeats
from seqgen.tasks import base as tasks

if TYPE_CHECKING:
    from seqgen.model import Model
    from seqgen.training.callbacks import Callback

ORDER = 6  # tokens of the longest context
RESERVED = 0.04  # of the training part
FEWEST_TOKENS = 50_000  # of a training part, below which a part of it cannot be spared


def reserved_share(corpus: Corpus) -> float:
    """The share of the training part that is reserved; 0 if the corpus should have no mixture.

    >>> from seqgen.vocabulary import Vocabulary
    >>> reserved_share(Corpus("ab", "text", Vocabulary(("a", "b")), np.zeros(100_000, int)))
    0.04
    """
    size, length = len(corpus.vocabulary), corpus.training_length
    if corpus.targets is not None or size > MAX_VOCABULARY or length < FEWEST_TOKENS:
        return 0.0
    places = fit.most_places(size, feature_count(ORDER, _repeats(corpus).count))
    return min(RESERVED, places / length)


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


def _repeats(corpus: Corpus) -> Repeats:
    bars = tasks.get(corpus.task).bars(corpus.vocabulary)
    return Repeats(bars, corpus.vocabulary.end_id)
