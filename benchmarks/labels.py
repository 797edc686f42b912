"""Accuracy of models of labels beside baselines, and the speed of their training beside Keras.

    python -m benchmarks.labels                    # both tables
    python -m benchmarks.labels --minutes 3 film-sentences languages
    python -m benchmarks.labels --speed

Every model is scored on the same sequences as its baselines, which are fitted on the same training
part: the test part that comes with the series, and a tenth of the texts, stratified.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import median_seconds, print_table, run
from seqgen.config import ModelConfig, TrainConfig
from seqgen.corpus.corpus import Corpus
from seqgen.corpus.packages import table
from seqgen.evaluation.evaluate import evaluate
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train
from seqgen.types import Json
from seqgen.vocabulary import PADDING, UNKNOWN, Vocabulary

# Corpus → options of reading, options of training, minutes, and the accuracy to reach: that of the
# best baseline, and no less than this.
ROWS: dict[str, tuple[Json, Json, float, float]] = {
    "languages": ({}, {"pooling": "mean", "bidirectional": True}, 8.0, 0.985),
    "film-sentences": ({"tokens": "words"}, {"bidirectional": True}, 1.0, 0.0),
    "product-sentences": ({"tokens": "words"}, {"bidirectional": True}, 1.0, 0.0),
    "names-by-origin": ({}, {"bidirectional": True}, 2.0, 0.0),
    "japanese-vowels": ({}, {}, 0.5, 0.96),
    "italy-power-demand": ({}, {"bidirectional": True}, 0.5, 0.95),
    "gun-point": ({}, {"cell": "gru", "pooling": "mean", "bidirectional": True}, 1.0, 0.95),
    "basic-motions": ({}, {"pooling": "mean", "bidirectional": True}, 0.5, 0.0),
    "pickup-gestures": ({}, {"pooling": "mean", "bidirectional": True}, 0.5, 0.0),
}
LENGTHS = 20, 200  # of the sequences whose training is timed
UNITS, EMBEDDING, SIZE, CLASSES = 128, 64, 100, 10
BATCHES = 12  # in a timing
IMPLEMENTATIONS = (
    "seqgen float32",
    "seqgen bfloat16",
    "Keras, batches of similar lengths",
    "Keras, shuffled batches",
)


def accuracy_row(name: str, minutes: float | None) -> list[str]:
    """Train on a corpus, and score the model and its baselines."""
    reading, options, usual, aim = ROWS[name]
    corpus = load_corpus(name, **reading)
    began = time.perf_counter()
    model = train(corpus, minutes=minutes or usual, **options)
    seconds = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        result = evaluate(model, folder=Path(folder))
    for note in result.notes:
        print(f"{name}: {note}")
    scores, baselines = result.scores, result.scores["baselines"]
    config = model.data.model_config
    network = f"{'bidirectional ' if config.bidirectional else ''}{config.cell} {config.units}"
    others = "; ".join(f"{key} {row['accuracy']:.4f}" for key, row in baselines.items())
    best = max((row["accuracy"] for row in baselines.values()), default=0.0)
    return [
        name,
        f"{corpus.training_pieces:,} / {scores['sequences']:,}",
        f"{network}, {config.pooling}, {seconds:.0f} s",
        f"{scores['accuracy']:.4f}",
        f"{scores['macro_f1']:.4f}",
        f"{scores['log_loss']:.3f}",
        others,
        f"{max(aim, best):.4f}",
    ]


def random_corpus(count: int = 64 * 64) -> Corpus:
    """Sequences of random ids with random classes."""
    random = np.random.default_rng(0)
    lengths = random.integers(LENGTHS[0], LENGTHS[1] + 1, count)
    bounds = np.concatenate(([0], np.cumsum(lengths)))
    ids = random.integers(2, SIZE, bounds[-1]).astype(np.uint8)
    vocabulary = Vocabulary((PADDING, UNKNOWN, *(f"t{number}" for number in range(SIZE - 2))))
    return Corpus("random", "labels", vocabulary, ids, bounds, split=len(ids),
                  targets=random.integers(0, CLASSES, count))  # fmt: skip


def seconds_of_seqgen(corpus: Corpus, config: ModelConfig, training: TrainConfig) -> float:
    """Seconds for a sequence, through the loops in C."""
    from seqgen.training.setup import RunSetup
    from seqgen.training.state import RunState
    from seqgen.training.step import StepPlan

    state = RunState(RunSetup(corpus, config, training))
    plan = StepPlan(learning_rate=1e-3, fraction=0.0)

    def work() -> None:
        for _ in range(BATCHES):
            state.advance(plan)

    return median_seconds(work) / (BATCHES * training.batch_size)


def seconds_of_keras(
    corpus: Corpus, config: ModelConfig, training: TrainConfig, *, sort: bool
) -> float:
    """Seconds for a sequence with the layers of Keras and their masks."""
    from seqgen.network.backend import keras, tf
    from seqgen.network.build import build
    from seqgen.training.sequence_batches import SequenceBatches, labelled_batch

    network = build(config, SIZE)
    optimizer = keras.optimizers.Adam(1e-3)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            found = network(inputs, training=True)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(targets, found))
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    def shuffled() -> Iterator[Any]:
        random = np.random.default_rng(0)
        while True:
            pieces = random.integers(corpus.training_pieces, size=training.batch_size)
            yield labelled_batch(corpus, pieces, training.batch_size)

    batches: Iterator[Any] = SequenceBatches(corpus, training.batch_size, 0) if sort else shuffled()

    def work() -> None:
        for _ in range(BATCHES):
            batch = next(batches)
            step(tf.constant(batch.inputs), tf.constant(batch.targets))

    work()
    return median_seconds(work, runs=3) / (BATCHES * training.batch_size)


def seconds_of(implementation: str) -> float:
    """Seconds for a sequence; a process sets TensorFlow's threads only once."""
    from seqgen.network.sharding import divide_threads

    corpus = random_corpus()
    config = ModelConfig(units=UNITS, embedding=EMBEDDING, pooling="last", outputs=CLASSES)
    training = TrainConfig(epochs=1, batch_size=64)
    if implementation.startswith("Keras"):  # with the threads that TensorFlow chooses
        return seconds_of_keras(corpus, config, training, sort="similar" in implementation)
    divide_threads(training.batch_size)
    precision = implementation.split()[-1]
    return seconds_of_seqgen(corpus, config, training.override({"precision": precision}))


def print_speed() -> None:
    """The speed of training in sequences per second, and how many times as fast as Keras it is."""
    seconds = {}
    for name in IMPLEMENTATIONS:
        command = [sys.executable, "-m", "benchmarks.labels", "--one", name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds[name] = float(done.stdout.splitlines()[-1])
    own, keras = IMPLEMENTATIONS[:2], IMPLEMENTATIONS[2:]
    rows = [["LSTM 1 x 128, lengths 20 to 200", "sequences/s", *(f"{name} = 1" for name in keras)]]
    for name, each in seconds.items():
        ratios = [f"{seconds[other] / each:.1f}" if name in own else "" for other in keras]
        rows.append([name, f"{1 / each:,.0f}", *ratios])
    print_table("Training speed of labels; the aim is 3 times that of Keras", rows)


def print_start() -> None:
    """The time of `seqgen classify` of one line, as a process; the aim is 0.3 s."""
    random = np.random.default_rng(0)
    words = ["".join(map(chr, random.integers(97, 123, 80))) for _ in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.jsonl"
        path.write_bytes(table("x", [(word, "ab"[i % 2]) for i, word in enumerate(words)]).data)
        model = Path(folder) / "model.keras"
        train(load_corpus(path), epochs=0.1, units=UNITS).save(model)
        seconds = median_seconds(lambda: run("classify", model, words[0]), runs=11)
    rows = [["whole process", "seconds"], ["seqgen classify, 80 characters", f"{seconds:.2f}"]]
    print_table("Start", rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="*", metavar="CORPUS", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--minutes", type=float, help="of every training [as in the table]")
    parser.add_argument("--speed", action="store_true", help="only measure the speed")
    parser.add_argument("--one", choices=IMPLEMENTATIONS, help="the time of one implementation")
    arguments = parser.parse_args()
    if arguments.one:
        print(seconds_of(arguments.one))
        return
    if not arguments.speed:
        rows = [["corpus", "training / scored", "network", "accuracy", "macro F1", "log loss",
                 "baselines", "to reach"]]  # fmt: skip
        for name in arguments.corpora or ROWS:
            rows.append(accuracy_row(name, arguments.minutes))
            print(" | ".join(rows[-1]), flush=True)
        print_table("Labels", rows)
    if arguments.speed or not arguments.corpora:
        print_speed()
        print_start()


if __name__ == "__main__":
    main()
