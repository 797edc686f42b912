"""The loss on held-out text after some minutes: seqgen's command, and an LSTM in plain PyTorch.

    python -m benchmarks.quality [CORPUS] [--minutes 2.75] [--minutes 15] [--options '--units 256']

CORPUS is what `seqgen train` takes; the figures in the README are of tiny-shakespeare. Both are
whole processes that start, train and score in the minutes given, one after the other, on the same
split; PyTorch (if it is installed: `pip install 'seqgen[bench]'`) gets a recipe that is known to
do well: 1 x 256, AdamW, cosine to the end of the time, state carried, bfloat16, clipped at 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import print_table, run
from seqgen.tasks.load import load_corpus
from seqgen.training.batches import TextBatches

UNITS, BATCH_SIZE, WINDOW, EMBEDDING = 256, 32, 64, 64
LEARNING_RATE, WEIGHT_DECAY = 8e-3, 0.01
SECONDS_TO_SCORE = 8.0  # as many as reading the held-out text takes, at the end
AT_MOST = {2.75: 1.48, 15.0: 1.43, 60.0: 1.41}  # nats on tiny-shakespeare


def seqgen_scores(corpus: str, minutes: float, options: str) -> dict[str, Any]:
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
    """Train and score in this process, which began `minutes` before it shall end."""
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
        inputs, targets = (torch.from_numpy(each.astype(np.int64)) for each in batch[:2])
        optimizer.zero_grad(set_to_none=True)
        loss, after = losses(inputs, targets, state)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        state = tuple(each.detach() for each in after)
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


def row(who: str, minutes: float, corpus: str, scores: dict[str, Any]) -> tuple[str, ...]:
    most = AT_MOST.get(minutes) if who == "seqgen" and "shakespeare" in corpus else None
    return (
        f"{minutes:g} minutes, {who}",
        scores["network"],
        f"{scores['tokens_seen'] / 1e6:.1f} million",
        f"{scores['seconds']:.0f} s",
        f"{scores['validation_loss']:.4f}" + (f" (at most {most})" if most else ""),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", nargs="?", default="python-docs", help="a text, or a name")
    parser.add_argument("--minutes", type=float, action="append", help="may be repeated")
    parser.add_argument("--options", default="", help="of seqgen train")
    parser.add_argument("--torch", type=float, metavar="MINUTES", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.torch:
        print(json.dumps(torch_scores(options.corpus, options.torch)))
        return
    rows: list[tuple[str, ...]] = [
        ("time", "network", "tokens seen", "took", "validation loss, nats")
    ]
    for minutes in options.minutes or [2.75]:
        scores = seqgen_scores(options.corpus, minutes, options.options)
        rows.append(row("seqgen", minutes, options.corpus, scores))
        if importlib.util.find_spec("torch"):
            command = [sys.executable, "-m", "benchmarks.quality", options.corpus]
            done = subprocess.run(
                [*command, "--torch", str(minutes)], check=True, capture_output=True, text=True
            )
            rows.append(row("PyTorch", minutes, options.corpus, json.loads(done.stdout)))
    print_table(f"Quality on {Path(options.corpus).stem}", rows)


if __name__ == "__main__":
    main()
