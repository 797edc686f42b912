"""The mixture of a network with n-grams and repetitions: losses, copies, bytes and time.

    python -m benchmarks.mixing [CORPUS|MODEL]... [--minutes 3] [--copies 20] [--plot FILE.png]

Each CORPUS is trained for the given minutes; a MODEL is a file that `seqgen train` wrote from a
corpus that can be found. The losses are those of the held-out part: of the network alone, of the
best interpolated n-grams, of the network with n-grams only (`--repeat-strength 0`), and of the
whole mixture. `--copies` compares the longest copies in generated texts or pieces. `--plot` draws
the weights of the first model.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.measure import median_seconds, print_table, run
from seqgen import model as library
from seqgen.corpus.corpus import Corpus
from seqgen.evaluation import evaluate, find_corpus, loss
from seqgen.inference.engine import Engine
from seqgen.mixing.engine import with_strength
from seqgen.mixing.mixture import MATCHES, TOPS
from seqgen.model import Model

CORPORA = ("python-docs", "irish-tunes")
TOKENS = 2000  # of the measurement of time
LENGTH, BARS = 1000, 16  # of a text or piece whose copies are measured


def losses(model: Model, corpus: Corpus, folder: Path) -> tuple[str, list[float]]:
    """The unit of losses, and in nats or bits per unit those of network, n-grams, network with
    n-grams, and mixture."""
    scores = evaluate.evaluate(model, folder=folder).scores
    key = next((k for k in scores if k.startswith("bits_per_") and k != "bits_per_token"), "")
    key = key or "nats_per_token"
    without = with_strength(model.engine, 0)
    nats = loss.losses(without, corpus.ids, corpus.training_length).mean()
    ngrams = float(nats) * scores[key] / scores["nats_per_token"]
    found = [scores["network"][key], scores["baseline"][key], ngrams, scores[key]]
    return key.replace("_", " "), found


def microseconds(engine: Engine, ids: np.ndarray) -> float:
    """The time of a step of one stream."""

    def read() -> None:
        state = engine.initial_state(1)
        for token in ids:
            _, state = engine.step(np.array([token]), state)

    return median_seconds(read, 3) / len(ids) * 1e6


def longest_copies(model: Model, count: int) -> list[int]:
    """The longest copy in each of several generated sequences, in the unit of the task."""
    generator = model.task.generator(model)
    if hasattr(generator, "texts"):
        texts = model.texts(count, length=LENGTH, temperature=1, seed=1)
        return [text.longest_copy or 0 for text in texts if list(text)]
    pieces = islice(model.pieces(count, bars=BARS, temperature=0.9, seed=1), count)
    return [piece.longest_copy or 0 for piece in pieces]


def without_mixture(model: Model) -> Model:
    """The network of a model alone."""
    return Model(replace(model.data, mixture=None))


def rows_of(path: Path, copies: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rows of a model in both tables."""
    model = library.load(path)
    corpus = find_corpus.training_corpus(model, path.parent)
    assert model.data.mixture is not None, path
    unit, found = losses(model, corpus, path.parent)
    ids = np.asarray(corpus.validation_ids[:TOKENS]).astype(np.int64)
    network, mixed = (microseconds(e, ids) for e in (model.network_engine, model.engine))
    size = len(model.data.mixture.tree.to_bytes(len(corpus.vocabulary)))
    config = model.data.model_config
    first = (corpus.name, unit, *(f"{number:.3f}" for number in found))
    copied = ["", ""]
    if copies:
        both = (longest_copies(each, copies) for each in (without_mixture(model), model))
        copied = [f"{np.median(each):.0f}, {max(each)}" for each in both]
    second = (
        corpus.name,
        f"{config.cell} {config.layers} x {config.units}",
        f"{network:.0f}",
        f"{mixed:.0f}",
        f"{size / corpus.training_length:.2f}",
        *copied,
    )
    return first, second


def plot(model: Model, path: Path) -> None:
    """Draw the weights: of a match by its length, and of network and n-grams by what selects
    them."""
    assert model.data.mixture is not None
    weights, order = model.data.mixture.weights, model.data.mixture.tree.order
    base, (tops, contexts, matches, *_) = weights.base, weights.tables
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    lengths = np.arange(1, weights.evidence.shape[1])
    rows = np.searchsorted(MATCHES, lengths, side="right")
    suggestion = 2 + order
    boost = (base + matches[rows])[:, suggestion] * weights.evidence[0, 1:]
    axes[0].plot(lengths, boost)
    axes[0].set(title="a match", xlabel="tokens that agree", ylabel="added to log p")
    bounds = [f"{bound:g}" for bound in (0, *TOPS)]
    axes[1].plot(bounds, base[0] + tops[:, 0])
    axes[1].set(title="the network", xlabel="its largest probability, at least", ylabel="weight")
    for is_single, label in enumerate(("several followers", "one follower")):
        chosen = (base + contexts[is_single::2])[:, 2 : 2 + order]
        axes[2].plot(np.arange(1, order + 1), chosen[1:].diagonal(), label=label)
    axes[2].set(title="n-grams", xlabel="longest context known", ylabel="weight of its order")
    axes[2].legend()
    figure.savefig(path, dpi=110)


def trained(name: str, minutes: float, folder: Path) -> Path:
    """A model file: the one that is named, or one that is trained on a corpus."""
    if name.endswith(".keras"):
        return Path(name)
    path = folder / f"{Path(name).stem}.keras"
    run("train", name, "-o", path, "--minutes", minutes)
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=CORPORA, metavar="CORPUS|MODEL")
    parser.add_argument("--minutes", type=float, default=3.0, help="training time of each model")
    parser.add_argument("--copies", type=int, default=0, metavar="N", help="texts or pieces")
    parser.add_argument("--plot", type=Path, help="image of the weights of the first model")
    options = parser.parse_args(arguments)
    scores: list[tuple[str, ...]] = [
        ("held-out part of", "loss", "network", "n-grams", "network, n-grams", "mixture")
    ]
    costs: list[tuple[str, ...]] = [
        (
            *("model", "network", "µs/token alone", "mixed", "bytes/training token (at most 3)"),
            *("copies alone: median, longest", "mixed"),
        )
    ]
    with tempfile.TemporaryDirectory() as folder:
        paths = [trained(name, options.minutes, Path(folder)) for name in options.names]
        for path in paths:
            first, second = rows_of(path, options.copies)
            scores.append(first)
            costs.append(second)
        if options.plot:
            plot(library.load(paths[0]), options.plot)
    print_table("Losses of mixtures", scores)
    print_table("What mixtures cost", costs)


if __name__ == "__main__":
    main()
