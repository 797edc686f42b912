"""Loss on held-out text after a given time: `seqgen train`, and an LSTM in PyTorch.

    python -m benchmarks.quality [CORPUS] [--minutes 2.75] [--minutes 15] [--options '--units 256']
        [--isa avx2]

CORPUS is a corpus of `seqgen train`; the documentation reports tiny-shakespeare. Both programs run
one after the other as processes that start, train and score in the given time, on the same split.
PyTorch (if it is installed: `pip install 'seqgen[bench]'`) trains an LSTM 1 x 256 in bfloat16 with
AdamW, a cosine schedule over the whole time, a recurrent state that is kept between windows, and
gradients clipped to a norm of 1. With `--isa`, both use that instruction set at most.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import LIMITS, add_isa_option, print_table, run
from seqgen.tasks.load import load_corpus
from seqgen.training.batches import TextBatches

UNITS, BATCH_SIZE, WINDOW, EMBEDDING = 256, 32, 64, 64
LEARNING_RATE, WEIGHT_DECAY = 8e-3, 0.01
SECONDS_TO_SCORE = 8.0  # for the held-out text, after training
# (instruction set, minutes) → target for the loss on tiny-shakespeare, nats
AT_MOST = {(None, 2.75): 1.48, (None, 15.0): 1.43, (None, 60.0): 1.41, ("avx2", 2.75): 1.47}


def seqgen_scores(corpus: str, minutes: float, options: str) -> dict[str, Any]:
    """Train and score with `seqgen train`."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.keras"
        command = ("train", corpus, "-o", model, "--minutes", minutes, "--json")
        scores: dict[str, Any] = json.loads(run(*command, *shlex.split(options)).stdout)
        facts = json.loads(run("info", model, "--json").stdout)
    network, training = facts["model_config"], facts["train_config"]
    scores["network"] = (
        f"{network['cell']} {network['layers']} x {network['units']}, batch size "
        f"{training['batch_size']}, dropout {network['dropout']:g}, {training['precision']}"
    )
    return scores


def torch_scores(name: str, minutes: float) -> dict[str, Any]:
    """Train and score with PyTorch in this process, within `minutes`."""
    began = time.monotonic()
    import torch

    corpus = load_corpus(name)
    size = len(corpus.vocabulary)
    torch.manual_seed(0)
    embedding = torch.nn.Embedding(size, EMBEDDING)
    recurrent = torch.nn.LSTM(EMBEDDING, UNITS, batch_first=True)
    dense = torch.nn.Linear(UNITS, size)
    torch.nn.init.orthogonal_(recurrent.weight_hh_l0)
    torch.nn.init.zeros_(recurrent.bias_hh_l0)
    with torch.no_grad():
        recurrent.bias_ih_l0.zero_()[UNITS : 2 * UNITS] = 1.0
    parameters = [p for m in (embedding, recurrent, dense) for p in m.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, LEARNING_RATE, betas=(0.9, 0.99), weight_decay=WEIGHT_DECAY, fused=True
    )

    def losses(inputs: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            outputs, state = recurrent(embedding(inputs), state)
            logits = dense(outputs).float()
        flat = logits.reshape(-1, size), targets.reshape(-1)
        return torch.nn.functional.cross_entropy(*flat), state

    batches = TextBatches(corpus.training_ids, BATCH_SIZE, WINDOW, seed=0, restarts=0)
    ending = 60 * minutes - SECONDS_TO_SCORE
    state, steps = None, 0
    stepping = time.monotonic() - began
    while (elapsed := time.monotonic() - began) < ending:
        fraction = (elapsed - stepping) / (ending - stepping)
        share = min(fraction / 0.02, 0.5 + 0.5 * math.cos(math.pi * fraction))
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * share
        batch = next(batches)
        inputs, targets = (torch.from_numpy(array.astype(np.int64)) for array in batch[:2])
        optimizer.zero_grad(set_to_none=True)
        loss, after = losses(inputs, targets, state)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = tuple(tensor.detach() for tensor in after)
        steps += 1
    ids = torch.from_numpy(np.asarray(corpus.ids[corpus.training_length - 1 :], np.int64))
    with torch.no_grad():
        loss, _ = losses(ids[None, :-1], ids[None, 1:], None)
    return {
        "network": f"LSTM 1 x {UNITS}, batch size {BATCH_SIZE}, bfloat16",
        "validation_loss": float(loss),
        "tokens_seen": steps * BATCH_SIZE * WINDOW,
        "seconds": time.monotonic() - began,
    }


def own_process(*arguments: object) -> dict[str, Any]:
    """What this benchmark prints with other arguments."""
    command = [sys.executable, "-m", "benchmarks.quality", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    scores: dict[str, Any] = json.loads(done.stdout)
    return scores


def row(
    program: str, minutes: float, scores: dict[str, Any], most: float | None = None
) -> tuple[str, ...]:
    """A row of the table; `most` is the target for the loss."""
    return (
        f"{minutes:g} minutes, {program}",
        scores["network"],
        f"{scores['tokens_seen'] / 1e6:.1f} million",
        f"{scores['seconds']:.0f} s",
        f"{scores['validation_loss']:.4f}" + (f" (at most {most})" if most else ""),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?", default="python-docs", help="path or name of a corpus")
    parser.add_argument(
        "--minutes", type=float, action="append", help="time of each program; repeatable"
    )
    parser.add_argument("--options", default="", help="further options of seqgen train")
    add_isa_option(parser)
    parser.add_argument("--torch", type=float, metavar="MINUTES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        print(json.dumps(torch_scores(options.corpus, options.torch)))
        return
    os.environ.update(LIMITS.get(options.isa, {}))
    rows: list[tuple[str, ...]] = [
        ("time", "network", "tokens seen", "duration", "validation loss, nats")
    ]
    for minutes in options.minutes or [2.75]:
        scores = seqgen_scores(options.corpus, minutes, options.options)
        is_tiny_shakespeare = "shakespeare" in options.corpus
        most = AT_MOST.get((options.isa, minutes)) if is_tiny_shakespeare else None
        rows.append(row("seqgen", minutes, scores, most))
        if importlib.util.find_spec("torch"):
            scores = own_process(options.corpus, "--torch", minutes)
            rows.append(row("PyTorch", minutes, scores))
    limit = f" with {options.isa}" if options.isa else ""
    print_table(f"Quality on {Path(options.corpus).stem}{limit}", rows)


if __name__ == "__main__":
    main()
