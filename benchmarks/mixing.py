"""The mixture of a network with n-grams and repetitions: losses, copies, bytes and time.

    python -m benchmarks.mixing [CORPUS|MODEL]... [--minutes 3] [--copies 20] [--plot FILE.png]

Each CORPUS is trained for the given minutes; a MODEL is a file that `seqgen train` wrote from a
corpus that can be found. The losses are those of the held-out part: of the network alone, of the
best interpolated n-grams, of the network with n-grams only (`--repeat-strength 0`), and of the
whole mixture. `--copies` compares the longest copies in generated texts or pieces, and how many
bars of pieces return. `--plot` draws the weights of the first model.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import replace
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
from seqgen.tasks.music.generate import Composition
from seqgen.tasks.text.generate import TextStream
from seqgen.types import Ids, Mask

CORPORA = ("python-docs", "irish-tunes")
TOKENS = 2000  # of the measurement of time
LENGTH, BARS = 1000, 16  # of a text or piece that is generated
STRENGTH = 1.25  # `--repeat-strength`, beside the default of 1
TABLES = {  # title → header
    "Losses of mixtures": (
        *("held-out part of", "loss", "network", "n-grams", "network, n-grams", "mixture"),
    ),
    "What mixtures cost": (
        *("model", "network", "µs/token alone", "mixed", "bytes/training token (at most 3)"),
        *("copies alone: median, longest", "mixed"),
    ),
    "Bars that are the same as an earlier bar of their piece": (
        *("model", "held-out part", "network", "mixture", f"repeat strength {STRENGTH}"),
    ),
}


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


def generated(model: Model, count: int, strength: float = 1.0) -> list[TextStream | Composition]:
    """Texts or pieces, with their longest copies in the unit of the task."""
    if hasattr(model.task.generator(model), "texts"):
        texts = model.texts(count, length=LENGTH, temperature=1, seed=1, repeat_strength=strength)
        return [text for text in texts if list(text)]
    return list(model.pieces(count, bars=BARS, temperature=0.9, seed=1, repeat_strength=strength))


def returning_bars(sequences: Sequence[Ids], starts: Mask) -> float:
    """The share of bars that are the same as an earlier bar of their sequence.

    Args:
        sequences: of ids, `(T,)` each.
        starts: `(V,)`, whether a token starts the next bar.
    """
    bars = returning = 0
    for ids in sequences:
        found = [bar.tobytes() for bar in np.split(ids, np.flatnonzero(starts[ids])) if len(bar)]
        bars += len(found)
        returning += len(found) - len(set(found))
    return returning / bars


def bars_row(
    model: Model, corpus: Corpus, outputs: Sequence[Sequence[TextStream | Composition]]
) -> tuple[str, ...]:
    """The shares of returning bars in the held-out part and in several lots of pieces."""
    bars, vocabulary = model.task.bars(corpus.vocabulary), corpus.vocabulary
    assert bars is not None and corpus.bounds is not None
    numbers = range(corpus.training_pieces, len(corpus.bounds) - 1)
    held_out = [np.asarray(corpus.piece(number)[:-1]) for number in numbers]  # without the end
    compared = [held_out, *([vocabulary.encode(each.tokens) for each in some] for some in outputs)]
    shares = (returning_bars(sequences, bars.starts) for sequences in compared)
    return corpus.name, *(f"{100 * share:.0f} %" for share in shares)


def without_mixture(model: Model) -> Model:
    """The network of a model alone."""
    return Model(replace(model.data, mixture=None))


def rows_of(path: Path, count: int) -> list[tuple[str, ...] | None]:
    """The rows of a model in the three tables; None in a table that it is not in."""
    model = library.load(path)
    corpus = find_corpus.training_corpus(model, path.parent)
    assert model.data.mixture is not None, path
    unit, found = losses(model, corpus, path.parent)
    ids = np.asarray(corpus.validation_ids[:TOKENS]).astype(np.int64)
    network, mixed = (microseconds(e, ids) for e in (model.network_engine, model.engine))
    size = len(model.data.mixture.tree.to_bytes(len(corpus.vocabulary)))
    config = model.data.model_config
    scores = (corpus.name, unit, *(f"{number:.3f}" for number in found))
    copied, bars = ["", ""], None
    if count:
        outputs = [generated(without_mixture(model), count), generated(model, count)]
        copies = [[output.longest_copy or 0 for output in some] for some in outputs]
        copied = [f"{np.median(some):.0f}, {max(some)}" for some in copies]
        if model.task.bars(corpus.vocabulary) is not None:
            bars = bars_row(model, corpus, [*outputs, generated(model, count, STRENGTH)])
    costs = (
        corpus.name,
        f"{config.cell} {config.layers} x {config.units}",
        f"{network:.0f}",
        f"{mixed:.0f}",
        f"{size / corpus.training_length:.2f}",
        *copied,
    )
    return [scores, costs, bars]


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
    with tempfile.TemporaryDirectory() as folder:
        paths = [trained(name, options.minutes, Path(folder)) for name in options.names]
        rows = [rows_of(path, options.copies) for path in paths]
        if options.plot:
            plot(library.load(paths[0]), options.plot)
    for (title, header), column in zip(TABLES.items(), zip(*rows, strict=True), strict=True):
        if found := [row for row in column if row]:
            print_table(title, [header, *found])


if __name__ == "__main__":
    main()
