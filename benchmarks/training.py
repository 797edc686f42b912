"""Characters per second in training: seqgen, stock Keras layers in the same loop, and PyTorch.

    python -m benchmarks.training [--rounds 3] [--seconds 4] [--cells lstm,gru,simple_rnn]
        [--sizes 2x512x64,1x256x32]

Whole steps: reading a batch, loss, gradients, clipping, optimizer, with the state carried. Each
contender runs in a process of its own, turn by turn; a ratio is the median of those of the turns.
PyTorch is measured if it is installed (`pip install 'seqgen[bench]'`).
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.measure import print_table
from seqgen.training.batches import TextBatches

SIZES = "2x512x64,2x256x64,1x256x32"  # layers, units, batch size
WINDOW = 64
EMBEDDING = 64
LEARNING_RATE = 3e-3
CONTENDERS = ["seqgen bfloat16", "seqgen float32", "stock Keras"]
TORCH = ["PyTorch float32", "PyTorch bfloat16"]
# seqgen bfloat16 over each, as far as there is a figure to reach
AT_LEAST: dict[tuple[object, ...], float] = {
    ("stock Keras", 2, 512): 3.5, ("stock Keras", 2, 256): 2.8, ("stock Keras", 1, 256): 3.5,
    ("PyTorch float32", 2, 512): 2, ("PyTorch float32", 2, 256): 1.7,
    ("PyTorch float32", 1, 256): 1.3, ("PyTorch bfloat16", 2, 512): 1.4,
    ("PyTorch bfloat16", 2, 256): 1.05, ("PyTorch bfloat16", 1, 256): 0.8,
}  # fmt: skip

Step = Callable[[], object]


def text() -> Any:
    """Text that comes with Python, as a corpus."""
    from seqgen.tasks.load import load_corpus

    return load_corpus("python-docs")


def seqgen_step(precision: str, cell: str, layers: int, units: int, batch_size: int) -> Step:
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
    """The same loop, with Keras's own layers, and every product on all cores as Keras does it."""
    mock.patch("seqgen.network.kernels.supports", lambda *_: False).start()
    mock.patch("seqgen.training.state.divide_threads", lambda batch_size: None).start()
    mock.patch("seqgen.training.step.shard_count", lambda batch_size: 1).start()
    return seqgen_step("float32", cell, layers, units, batch_size)


def torch_step(precision: str, cell: str, layers: int, units: int, batch_size: int) -> Step:
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
    contender: str, cell: str, layers: int, units: int, batch_size: int, seconds: float
) -> float:
    """After compiling and a second of warming up."""
    kind, _, precision = contender.rpartition(" ")
    if contender == "stock Keras":
        step = stock_step(cell, layers, units, batch_size)
    elif kind == "seqgen":
        step = seqgen_step(precision, cell, layers, units, batch_size)
    else:
        step = torch_step(precision, cell, layers, units, batch_size)
    step()
    took: list[tuple[float, float]] = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds + 1 or len(took) < 3:
        before = time.perf_counter()
        step()
        took.append((time.perf_counter(), time.perf_counter() - before))
    warm = [each for end, each in took if end > began + 1] or [took[-1][1]]
    return batch_size * WINDOW * len(warm) / sum(warm)


def measured(*arguments: object) -> float:
    command = [sys.executable, "-m", "benchmarks.training", "--one", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def compare(
    cell: str, size: tuple[int, ...], contenders: list[str], options: argparse.Namespace
) -> tuple[str, ...]:
    turns = [
        [measured(each, cell, *size, options.seconds) for each in contenders]
        for _ in range(options.rounds)
    ]
    row = [f"{cell} {size[0]} x {size[1]}, batch size {size[2]}"]
    for place, (name, speeds) in enumerate(zip(contenders, zip(*turns, strict=True), strict=True)):
        figure = f"{statistics.median(speeds):,.0f}"
        if name not in CONTENDERS[:2]:
            ratio = statistics.median(turn[0] / turn[place] for turn in turns)
            least = AT_LEAST.get((name, *size[:2])) if cell == "lstm" else None
            figure += f", {ratio:.2f} x" + (f" (at least {least:g})" if least else "")
        row.append(figure)
    return tuple(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=4, help="of each turn")
    parser.add_argument("--cells", default="lstm,gru,simple_rnn")
    parser.add_argument("--sizes", default=SIZES, help="LAYERSxUNITSxBATCH_SIZE, with commas")
    parser.add_argument("--one", nargs=6, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        contender, cell, layers, units, batch_size, seconds = options.one
        size = int(layers), int(units), int(batch_size)
        print(characters_per_second(contender, cell, *size, float(seconds)))
        return
    contenders = [*CONTENDERS, *(TORCH if importlib.util.find_spec("torch") else [])]
    header = (
        f"characters/s in training, median of {options.rounds}",
        *(each if each in CONTENDERS[:2] else f"{each}, seqgen's ratio" for each in contenders),
    )
    sizes = [tuple(map(int, each.split("x"))) for each in options.sizes.split(",")]
    rows = [
        compare(cell, size, contenders, options)
        for cell in options.cells.split(",")
        for size in sizes
    ]
    print_table("Training", [header, *rows])


if __name__ == "__main__":
    main()
