"""What a model gains on the next part of a text after it has learned the part before.

    python -m benchmarks.adaptation MODEL CORPUS... [--learn 300 1000 3000] [--score 5000]
        [--from 0]

For every corpus and number of tokens: the loss of the tokens that follow, scored without learning,
of the model as it is and after `seqgen.adaptation.adapt`; both have read the part before.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import print_table
from seqgen.adaptation.adapt import AdaptableModel, adapt
from seqgen.adaptation.reader import AdaptiveReader, Losses, segments
from seqgen.model import Model, load
from seqgen.tasks.given import read_corpora
from seqgen.types import Ids


def score(reader: AdaptiveReader, ids: Ids, first: int) -> Losses:
    """The losses of ids from position `first` on, without learning."""
    return Losses.joined(reader.read(each, learns=False) for each in segments(ids, first))


def measure(model: AdaptableModel, ids: Ids, learned: int) -> list[str]:
    """Rate, seconds, and the losses after a number of ids, of the mixture and of the network."""
    begun = time.perf_counter()
    found = adapt(model, ids[: learned + 1], 1)
    seconds = time.perf_counter() - begun
    (before,) = model.readers([0], ids[:learned])
    # A model that has learned nothing has read nothing, either.
    after = found.reader if found.is_useful else before
    static = score(before, ids, learned + 1)
    losses = static if after is before else score(after, ids, learned + 1)
    return [
        f"{found.reader.rate:g}",
        f"{seconds:.1f}",
        *(
            f"{pair[0].mean():.3f} → {pair[1].mean():.3f}"
            for pair in zip(static, losses, strict=True)
        ),
    ]


def text_of(model: Model, corpus: str, start: int, length: int) -> Ids:
    """The start of a piece, and a part of a corpus."""
    ids = read_corpora(model.data, [corpus]).corpus.ids[start : start + length]
    return np.concatenate((model.task.opening(model.data.vocabulary)[-1:], ids)).astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("corpora", nargs="+", metavar="CORPUS")
    parser.add_argument("--learn", type=int, nargs="+", default=[300, 1000, 3000])
    parser.add_argument("--score", type=int, default=5000)
    parser.add_argument("--from", type=int, default=0, dest="start", help="position in the corpus")
    options = parser.parse_args()
    model = load(options.model)
    rows = [["corpus", "tokens", "rate", "seconds", "nats per token", "the network alone"]]
    for corpus in options.corpora:
        for learned in options.learn:
            ids = text_of(model, corpus, options.start, learned + options.score)
            rows.append(
                [Path(corpus).stem, f"{learned:,}", *measure(model.adaptable, ids, learned)]
            )
    print_table(f"adaptation of {options.model.stem}", rows)


if __name__ == "__main__":
    main()
