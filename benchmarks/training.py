"""Characters per second of training: seqgen, Keras's layers in the same loop, and PyTorch.

    python -m benchmarks.training [--rounds 3] [--seconds 4] [--cells lstm,gru,simple_rnn]
        [--sizes 2x512x64,1x256x32] [--isa avx2]

A step consists of reading a batch, loss, gradients, clipping and the optimizer; the recurrent state
is kept between steps. The implementations run in separate processes, which take turns. A ratio is
the median of the ratios of the rounds. PyTorch is measured if it is installed
(`pip install 'seqgen[bench]'`).

With `--isa`, all of them use that instruction set at most, in float32, and each speed has its share
of the rate at which NumPy multiplies matrices.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.measure import LIMITS, add_isa_option, print_table
from seqgen.cells import base as cells
from seqgen.training.batches import TextBatches

SIZES = "2x512x64,2x256x64,1x256x32"  # layers, units, batch size
WINDOW = 64
WARM_UP = 1.0  # seconds before a measurement
EMBEDDING = 64
LEARNING_RATE = 3e-3
IMPLEMENTATIONS = ["seqgen bfloat16", "seqgen float32", "stock Keras"]
TORCH = ["PyTorch float32", "PyTorch bfloat16"]
# (implementation, layers, units) → target for the speed of seqgen in bfloat16 relative to it
AT_LEAST: dict[tuple[object, ...], float] = {
    ("stock Keras", 2, 512): 3.5, ("stock Keras", 2, 256): 2.8, ("stock Keras", 1, 256): 3.5,
    ("PyTorch float32", 2, 512): 2, ("PyTorch float32", 2, 256): 1.7,
    ("PyTorch float32", 1, 256): 1.3, ("PyTorch bfloat16", 2, 512): 1.4,
    ("PyTorch bfloat16", 2, 256): 1.05, ("PyTorch bfloat16", 1, 256): 0.8,
}  # fmt: skip

# (implementation, cell) → the same for seqgen in float32 with AVX2
AT_LEAST_AVX2: dict[object, float] = {
    ("PyTorch float32", "lstm"): 1.25,
    ("PyTorch float32", "gru"): 2,
}
LEAST_SHARE = 0.7  # target for the share of the rate of products, with AVX2

Step = Callable[[], object]


def text() -> Any:
    """A corpus that needs no download."""
    from seqgen.tasks.load import load_corpus

    return load_corpus("python-docs")


def seqgen_step(precision: str, cell: str, layers: int, units: int, batch_size: int) -> Step:
    """A training step of seqgen."""
    from seqgen.config import ModelConfig, TrainConfig
    from seqgen.training.setup import RunSetup
    from seqgen.training.state import RunState
    from seqgen.training.step import StepPlan

    setup = RunSetup(
        text(),
        ModelConfig(cell=cell, layers=layers, units=units, embedding=EMBEDDING),
        TrainConfig(epochs=1e6, batch_size=batch_size, window=WINDOW, precision=precision,
                    learning_rate=LEARNING_RATE),
    )  # fmt: skip
    state = RunState(setup)
    plan = StepPlan(LEARNING_RATE, 0.1)
    return lambda: state.advance(plan)


def stock_step(cell: str, layers: int, units: int, batch_size: int) -> Step:
    """The same training step with the layers of Keras, and its way of using all cores."""
    mock.patch("seqgen.network.kernels.supports", lambda *_: False).start()
    mock.patch("seqgen.training.state.divide_threads", lambda batch_size: None).start()
    mock.patch("seqgen.training.step.shard_count", lambda batch_size: 1).start()
    return seqgen_step("float32", cell, layers, units, batch_size)


def torch_step(precision: str, cell: str, layers: int, units: int, batch_size: int) -> Step:
    """A training step of PyTorch."""
    import torch

    corpus = text()
    vocabulary_size = len(corpus.vocabulary)
    embedding = torch.nn.Embedding(vocabulary_size, EMBEDDING)
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[cell]
    recurrent = kind(EMBEDDING, units, layers, batch_first=True)
    dense = torch.nn.Linear(units, vocabulary_size)
    parameters = [p for m in (embedding, recurrent, dense) for p in m.parameters()]
    optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, betas=(0.9, 0.99), fused=True)
    batches = TextBatches(corpus.training_ids, batch_size, WINDOW, seed=0)
    state = None

    def step() -> None:
        nonlocal state
        inputs, targets, _ = next(batches)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            outputs, after = recurrent(embedding(torch.from_numpy(inputs)), state)
            logits = dense(outputs).float()
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, vocabulary_size),
            torch.from_numpy(targets.astype(np.int64)).reshape(-1),
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = tuple(s.detach() for s in after) if cell == "lstm" else after.detach()
        loss.item()

    return step


def characters_per_second(
    implementation: str, cell: str, layers: int, units: int, batch_size: int, seconds: float
) -> float:
    """The speed of an implementation, after compilation and `WARM_UP`."""
    kind, _, precision = implementation.rpartition(" ")
    if implementation == "stock Keras":
        step = stock_step(cell, layers, units, batch_size)
    elif kind == "seqgen":
        step = seqgen_step(precision, cell, layers, units, batch_size)
    else:
        step = torch_step(precision, cell, layers, units, batch_size)
    step()
    times: list[tuple[float, float]] = []  # when a step ended, and its seconds
    began = time.perf_counter()
    while time.perf_counter() - began < seconds + WARM_UP or len(times) < 3:
        before = time.perf_counter()
        step()
        times.append((time.perf_counter(), time.perf_counter() - before))
    warm = [duration for end, duration in times if end > began + WARM_UP] or [times[-1][1]]
    return batch_size * WINDOW * len(warm) / sum(warm)


def product_rate(size: int = 1536, repeats: int = 20) -> float:
    """Floating-point operations per second of NumPy's float32 products on all cores, the best."""
    a = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - began)
    return 2 * size**3 / min(times)


def operations_per_character(cell: str, layers: int, units: int) -> float:
    """Floating-point operations of the products of a step, forward and backward."""
    weights, width = 0, EMBEDDING
    for _ in range(layers):
        weights += cells.get(cell).gates * units * (width + units)
        width = units
    return 6 * (weights + units * len(text().vocabulary))


def measured(*arguments: object) -> float:
    """`characters_per_second` in its own process."""
    return own_process("--one", *arguments)


def own_process(*arguments: object) -> float:
    """What this benchmark prints with other arguments."""
    command = [sys.executable, "-m", "benchmarks.training", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def compare(
    cell: str, size: tuple[int, ...], implementations: list[str], options: argparse.Namespace
) -> tuple[str, ...]:
    """A row of the table: the speed of every implementation, and seqgen's ratio to it."""
    rounds = [
        [measured(name, cell, *size, options.seconds) for name in implementations]
        for _ in range(options.rounds)
    ]
    row = [f"{cell} {size[0]} x {size[1]}, batch size {size[2]}"]
    for column, (name, speeds) in enumerate(
        zip(implementations, zip(*rounds, strict=True), strict=True)
    ):
        figure = f"{statistics.median(speeds):,.0f}"
        if options.isa:
            operations = operations_per_character(cell, *size[:2])
            share = statistics.median(speeds) * operations / options.rate
            figure += f", {share:.0%} of the rate"
            figure += f" (at least {LEAST_SHARE:.0%})" if column == 0 else ""
        if name not in IMPLEMENTATIONS[:2]:
            ratio = statistics.median(in_round[0] / in_round[column] for in_round in rounds)
            least = AT_LEAST.get((name, *size[:2])) if cell == "lstm" else None
            if options.isa:
                least = AT_LEAST_AVX2.get((name, cell))
            figure += f", {ratio:.2f} x" + (f" (at least {least:g})" if least else "")
        row.append(figure)
    return tuple(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of measurement")
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--cells", default="lstm,gru,simple_rnn", help="separated by commas")
    parser.add_argument(
        "--sizes", default=SIZES, help="LAYERSxUNITSxBATCH_SIZE, separated by commas"
    )
    add_isa_option(parser)
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    parser.add_argument("--product-rate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.product_rate:
        print(product_rate())
        return
    if options.one:
        implementation, cell, layers, units, batch_size, seconds = options.one
        size = int(layers), int(units), int(batch_size)
        print(characters_per_second(implementation, cell, *size, float(seconds)))
        return
    implementations = [*IMPLEMENTATIONS, *(TORCH if importlib.util.find_spec("torch") else [])]
    title = "Training"
    if options.isa:
        os.environ.update(LIMITS[options.isa])
        implementations = [name for name in implementations if "bfloat16" not in name]
        options.rate = own_process("--product-rate")
        title = f"Training with {options.isa}, products at {options.rate / 1e9:.0f} GFLOP/s"
    header = (
        f"characters/s in training, median of {options.rounds}",
        *(
            name if name in IMPLEMENTATIONS[:2] else f"{name}, seqgen's ratio"
            for name in implementations
        ),
    )
    sizes = [tuple(map(int, size.split("x"))) for size in options.sizes.split(",")]
    rows = [
        compare(cell, size, implementations, options)
        for cell in options.cells.split(",")
        for size in sizes
    ]
    print_table(title, [header, *rows])


if __name__ == "__main__":
    main()
