"""Tokens per second of generation on one core: seqgen compared with other implementations.

    python -m benchmarks.generation [--rounds 5] [--tokens 1000] [--minutes 0.5] [--isa avx2]

An untrained LSTM with a vocabulary of 65 characters is sampled at temperature 0.8, with a batch of
1 and of 64 streams, by:

- seqgen;
- PyTorch in inference mode, with `nn.LSTM` one step at a time, and with the faster `nn.LSTMCell`
  (`pip install 'seqgen[bench]'`);
- TensorFlow, with one step of the cells as a `tf.function`;
- Keras, with `Model.predict` on the last 40 characters for every new one.

PyTorch samples with its own softmax and multinomial, the others with seqgen's sampler. All run in
one process with one thread on one core; the implementations take turns, and the results are
medians. Further tables show the cost of sampling relative to a step of the network, the effect of
8-bit weights on the loss of a trained model, and the speed at several positions of a long output.
With `--isa`, all implementations use that instruction set at most.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.measure import LIMITS, add_isa_option, median_seconds, print_table, untrained
from seqgen.copying.codes import TokenCodes, index_of
from seqgen.copying.guard import CopyGuard
from seqgen.corpus.corpus import Corpus
from seqgen.evaluation.loss import losses
from seqgen.inference import c_engine
from seqgen.inference.c_engine import CEngine
from seqgen.inference.engine import Engine
from seqgen.inference.keras_engine import KerasEngine
from seqgen.inference.numpy_engine import NumpyEngine
from seqgen.model import Model
from seqgen.network.backend import keras, tf
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.constraints import BannedTokens
from seqgen.sampling.decode import Constraint, GeneratedSequence, batches, gather, generate, read
from seqgen.sampling.sampler import Sampler
from seqgen.tasks.load import load_corpus
from seqgen.training.train import train
from seqgen.vocabulary import Vocabulary

THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
)
CONTEXT = 40  # characters that `Model.predict` reads
SIZES = ((256, 1), (512, 2))  # units and layers of the compared networks
INDEXED = 1_000_000  # tokens of the corpus from which copies are guarded
CORPUS = "python-docs"  # of the model whose weights are rounded
REPEATS = 9  # of each comparison of sampling with bare steps
# Streams → target for the speed relative to the fastest other implementation.
TARGETS = {1: 4.0, 64: 1.2}
TARGETS_AVX2 = {1: 3.0, 64: 1.2}


Run = Callable[[int], None]  # generates this number of tokens in every stream


class CellEngine(KerasEngine):
    """One step of the cells of a Keras network as a `tf.function`."""

    def __init__(self, model: Model) -> None:
        super().__init__(model.data.model_config, model.data.weights)
        self._step = tf.function(self._one_step)

    def _one_step(self, ids: Any, state: Any) -> Any:
        x, before, after = ids, list(state), []
        for layer in self.network.layers[1:]:
            if isinstance(layer, keras.layers.RNN):
                count = 2 if isinstance(layer, keras.layers.LSTM) else 1
                x, layer_state = layer.cell(x, [before.pop(0) for _ in range(count)])
                after += layer_state
            else:
                x = layer(x)
        return x, after

    def step(self, ids: Any, state: Any) -> Any:
        logits, state = self._step(tf.constant(ids, tf.int32), state)
        return logits.numpy(), state


class PredictEngine(KerasEngine):
    """`Model.predict` on the last characters; they are the state."""

    def initial_state(self, batch_size: int) -> Any:
        return np.zeros((batch_size, CONTEXT), np.int32)

    def step(self, ids: Any, state: Any) -> Any:
        state = np.concatenate((state[:, 1:], np.asarray(ids)[:, None]), axis=1)
        return self.network.predict(state, verbose=0)[:, -1], state

    def gather_state(self, state: Any, rows: Any) -> Any:
        return state[rows]


def seqgen_run(engine: Engine, count: int) -> Run:
    """Generation with the batches of `seqgen generate`."""

    def work(length: int) -> None:
        config = SampleConfig(length=length)
        start, sampler = read(engine, np.array([0])), Sampler(config)
        for items, rows in batches(count, engine):
            states = gather(engine, start, [0] * rows)
            outputs = [GeneratedSequence(config, item) for item in items]
            for _ in generate(engine, states, sampler, outputs):
                pass

    return work


def single_batch_run(engine: Engine, count: int) -> Run:
    """Generation with any engine, all outputs in one batch."""

    def work(length: int) -> None:
        config = SampleConfig(length=length)
        states = gather(engine, read(engine, np.array([0])), [0] * count)
        outputs = [GeneratedSequence(config, item) for item in range(count)]
        for _ in generate(engine, states, Sampler(config), outputs):
            pass

    return work


def torch_runs(units: int, layers: int, count: int) -> dict[str, Run]:
    """Generation with PyTorch, with layers and with cells; empty if it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    torch.set_num_threads(1)
    embedding, output = torch.nn.Embedding(65, 64), torch.nn.Linear(units, 65)
    whole = torch.nn.LSTM(64, units, layers, batch_first=True)
    cells = [torch.nn.LSTMCell(units if i else 64, units) for i in range(layers)]

    def draw(logits: Any) -> Any:
        return torch.multinomial(torch.softmax(logits / 0.8, -1), 1)

    def with_layers(length: int) -> None:
        ids, state = torch.zeros(count, 1, dtype=torch.long), None
        with torch.inference_mode():
            for _ in range(length):
                hidden, state = whole(embedding(ids), state)
                ids = draw(output(hidden[:, -1]))
                ids.tolist()

    def with_cells(length: int) -> None:
        ids = torch.zeros(count, 1, dtype=torch.long)
        state = [(torch.zeros(count, units), torch.zeros(count, units)) for _ in cells]
        with torch.inference_mode():
            for _ in range(length):
                hidden = embedding(ids[:, 0])
                for i, cell in enumerate(cells):
                    state[i] = cell(hidden, state[i])
                    hidden = state[i][0]
                ids = draw(output(hidden))
                ids.tolist()

    return {"`nn.LSTM`": with_layers, "`nn.LSTMCell`": with_cells}


def compare(
    units: int, layers: int, count: int, rounds: int, tokens: int, target: float
) -> tuple[str, ...]:
    """Tokens per second of every implementation, and seqgen relative to the fastest other one."""
    model = untrained(units, layers)
    config, weights = model.data.model_config, model.data.weights
    torch = torch_runs(units, layers, count)
    runs = {
        "seqgen": seqgen_run(model.engine, count),
        **torch,
        "`tf.function`": single_batch_run(CellEngine(model), count),
        "predict": single_batch_run(PredictEngine(config, weights), count),
    }
    length = max(tokens if count == 1 else tokens // 10, 1)
    lengths = dict.fromkeys(runs, length) | {"seqgen": 3 * length, "predict": max(length // 50, 1)}
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run(lengths[name])
            if number:  # the first round warms up
                seconds = time.perf_counter() - began
                speeds[name].append(lengths[name] * count / seconds)
    others = [name for name in runs if name != "seqgen"]
    ratio = statistics.median(
        speeds["seqgen"][i] / max(speeds[name][i] for name in others) for i in range(rounds)
    )
    figures = {name: f"{statistics.median(values):,.0f}" for name, values in speeds.items()}
    shown = ("seqgen", "`nn.LSTM`", "`nn.LSTMCell`", "`tf.function`", "predict")
    return (
        f"LSTM {layers} x {units}, {count} stream{'s' if count > 1 else ''}",
        *(figures.get(name, "not installed") for name in shown),
        f"{ratio:.2f} (at least {target:g})",
    )


def masks(vocabulary: Vocabulary) -> list[Constraint]:
    """The constraints of `--ban` and `--max-copy`, with the index of a random corpus."""
    ids = np.random.default_rng(0).integers(0, len(vocabulary), INDEXED)
    codes = TokenCodes(vocabulary)
    index = index_of(Corpus("random", "text", vocabulary, ids), codes)
    banned = BannedTokens(len(vocabulary), [int(ids[0])])
    return [banned, CopyGuard(index, codes, 40, ())]


def sampling_share(tokens: int) -> None:
    """The cost of sampling and constraints, relative to a step of the largest network."""
    rows: list[tuple[str, ...]] = [("options", "% of a step, 1 stream (at most 20)", "64 streams")]
    units, layers = SIZES[-1]
    model = untrained(units, layers)
    engine = model.engine
    ban_and_guard = masks(model.data.vocabulary)
    for title, options, constraints in (
        ("temperature", {}, []),
        ("top-k, top-p, min-p and a repetition penalty", {
            "top_k": 20, "top_p": 0.9, "min_p": 0.01, "repetition_penalty": 1.1}, []),
        ("a banned character, copies of at most 40", {}, ban_and_guard),
    ):  # fmt: skip
        shares = []
        for count in (1, 64):
            config = SampleConfig(length=tokens, **options)
            start = gather(engine, read(engine, np.array([0])), [0] * count)
            ids = np.zeros(count, int)
            copies = [copy.deepcopy(constraints) for _ in range(count)]

            def work(
                start: Any = start, config: Any = config, copies: list[list[Constraint]] = copies
            ) -> None:
                outputs = [
                    GeneratedSequence(config, item, constraints=c) for item, c in enumerate(copies)
                ]
                for _ in generate(engine, start, Sampler(config), outputs):
                    pass

            def steps(start: Any = start, ids: Any = ids) -> None:
                state = start.state
                for _ in range(tokens):
                    _, state = engine.step(ids, state)

            ratios = [median_seconds(work, 1) / median_seconds(steps, 1) for _ in range(REPEATS)]
            shares.append(f"{100 * (statistics.median(ratios) - 1):.0f}")
        rows.append((title, *shares))
    print_table(f"Cost of sampling and constraints, LSTM {layers} x {units}", rows)


def long_output(tokens: int) -> None:
    """The speed at the beginning, in the middle and at the end of a long output."""
    model = untrained(256, 1)
    texts = model.texts(length=tokens, seed=0)
    marks, began = [], time.perf_counter()
    for number, _ in enumerate(texts[0], 1):
        if number % (tokens // 10) == 0:
            marks.append(time.perf_counter() - began)
            began = time.perf_counter()
    rows = [
        ("tokens", "tokens/s"),
        *(
            (f"{i * tokens // 10:,} to {(i + 1) * tokens // 10:,}", f"{tokens / 10 / mark:,.0f}")
            for i, mark in enumerate(marks)
            if i in (0, 4, 9)
        ),
    ]
    print_table("One long text, LSTM 1 x 256", rows)


def rounded_weights(minutes: float) -> None:
    """The loss of a trained model on held-out text, with float32 and with 8-bit weights."""
    corpus = load_corpus(CORPUS)
    model_data = train(corpus, minutes=minutes, seed=1).data
    ids, first = corpus.ids, len(corpus.training_ids)
    rows: list[tuple[str, ...]] = [(f"weights, LSTM of {corpus.name}", "nats per character")]
    kinds: list[tuple[str, type[NumpyEngine] | type[CEngine]]] = [("float32", NumpyEngine)]
    if c_engine.supports(model_data.model_config):
        kinds.append(("int8", CEngine))
    for name, kind in kinds:
        found = losses(kind(model_data.model_config, model_data.weights), ids, first)
        rows.append((name, f"{found.mean():.5f}"))
    print_table("Loss with rounded weights", rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of measurement")
    parser.add_argument("--tokens", type=int, default=1000, help="tokens per round of one stream")
    parser.add_argument(
        "--minutes", type=float, default=0.5, help="training time for the comparison of weights"
    )
    add_isa_option(parser)
    arguments = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in THREADS):
        # NumPy reads the number of threads when it is imported. It may choose its own kernels.
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        environment.pop("OPENBLAS_CORETYPE", None)
        environment.update(LIMITS.get(arguments.isa, {}))
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        command = [sys.executable, "-m", "benchmarks.generation", *sys.argv[1:]]
        sys.exit(subprocess.run(command, env=environment).returncode)
    header = (
        "tokens/s, one core",
        *("seqgen", "PyTorch `nn.LSTM`", "PyTorch `nn.LSTMCell`"),
        *("`tf.function` step", "`Model.predict`", "seqgen / fastest other"),
    )
    targets = TARGETS_AVX2 if arguments.isa else TARGETS
    rows = [
        compare(units, layers, count, arguments.rounds, arguments.tokens, target)
        for units, layers in SIZES
        for count, target in targets.items()
    ]
    title = f"Generation with {arguments.isa}" if arguments.isa else "Generation"
    print_table(title, [header, *rows])
    sampling_share(arguments.tokens // 5)
    rounded_weights(arguments.minutes)
    long_output(arguments.tokens * 1000)


if __name__ == "__main__":
    main()
