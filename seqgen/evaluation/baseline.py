"""The n-grams that a model is set beside, scored once and kept in the cache."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress

import numpy as np

from seqgen.evaluation import ngrams
from seqgen.types import Ids
from seqgen.utils.atomic_files import atomic_write
from seqgen.utils.cache import cache_folder

MOST = 5_000_000  # training tokens that are counted, the last ones
VERSION = 1  # of `ngrams.losses`, whose results are kept


def losses(training: Ids, scored: Ids, vocabulary_size: int) -> list[float]:
    """Nats per token of n-grams of order 1 to 8, fitted on a training part.

    Args:
        training: ids `(N,)`, of which the last five million are counted.
        scored: ids `(M,)`, at least one.
        vocabulary_size: how many tokens there can be.
    """
    training = np.ascontiguousarray(training[-MOST:], np.int32)
    scored = np.ascontiguousarray(scored, np.int32)
    digest = hashlib.sha256(f"{VERSION} {vocabulary_size} {len(training)} ".encode())
    digest.update(training.tobytes())
    digest.update(scored.tobytes())
    path = cache_folder() / "ngrams" / f"{digest.hexdigest()}.json"
    with suppress(OSError, ValueError):
        found: list[float] = json.loads(path.read_bytes())
        return found
    found = ngrams.losses(training, scored, vocabulary_size)
    with suppress(OSError):  # a cache that cannot be written makes the next time slow, no more
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(found), "utf-8")
    return found
