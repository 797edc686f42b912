"""The size that `seqgen train` chooses: what it predicts, what comes true, and the best by hand.

    python -m benchmarks.choice [--kilobytes 1000] [--minutes 1] [--runs 3] [--busy] [--native avx2]
        [--widths 64,128,256,384,512]

Trains on the corpus `python-docs`, cut or repeated to a length, `--runs` times with an empty cache
in the first run. `--busy` keeps one core busy in the meantime, and `--native` limits the
instruction set as the environment variable `SEQGEN_NATIVE` does. With `--widths`, the loss is
compared with the lowest of runs with these widths, whose other options are chosen.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import print_table, run
from seqgen.native import VARIABLE

TOLERANCE = 0.25  # target for the relative error of the predicted number of tokens
MOST = 0.02  # target for the loss above that of the best width by hand, nats
UNITS = {"million": 1e6, "": 1.0}


def text(kilobytes: int) -> str:
    """The corpus `python-docs`, cut or repeated."""
    from seqgen.tasks.load import load_corpus

    corpus = load_corpus("python-docs")
    whole = "".join(corpus.vocabulary.decode(corpus.ids))
    length = 1000 * kilobytes
    return (whole * (length // len(whole) + 1))[:length]


@contextmanager
def busy_core(*, is_busy: bool) -> Iterator[None]:
    """A context in which a process keeps one core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if is_busy else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def predicted_tokens(why: str) -> float:
    """The number of tokens in the line that says what was chosen.

    >>> predicted_tokens("chosen: units 64; which will see about 1.2 million tokens, 3 times the")
    1200000.0
    """
    found = re.search(r"see about ([\d.,]+) ?(million)? tokens", why)
    if not found:
        raise ValueError(f"expected a number of tokens, got {why!r}; choose fewer options by hand")
    return float(found[1].replace(",", "")) * UNITS[found[2] or ""]


def scores(corpus: Path, minutes: float, *options: object) -> dict[str, Any]:
    """Train, and return the scores, the width and the predicted tokens."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.keras"
        command = ("train", corpus, "-o", model, "--minutes", minutes, "--json", *options)
        result: dict[str, Any] = json.loads(run(*command).stdout)
        info = json.loads(run("info", model, "--json").stdout)
    result["units"] = info["model_config"]["units"]
    result["dropout"] = info["model_config"]["dropout"]
    result["predicted"] = predicted_tokens(info["chosen"])
    return result


def row(name: str, result: dict[str, Any]) -> tuple[str, ...]:
    """A row of the table."""
    error = result["predicted"] / result["tokens_seen"] - 1
    return (
        name,
        f"1 x {result['units']}, {result['dropout']:g}",
        f"{result['predicted'] / 1e6:.3g} million",
        f"{result['tokens_seen'] / 1e6:.3g} million",
        f"{error:+.0%} (at most {TOLERANCE:.0%})",
        f"{result['seconds']:.0f} s",
        f"{result['validation_loss']:.4f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kilobytes", type=int, default=1000, help="length of the text")
    parser.add_argument("--minutes", type=float, default=1, help="length of every run")
    parser.add_argument("--runs", type=int, default=3, help="runs with a chosen width")
    parser.add_argument("--busy", action="store_true", help="keep one core busy")
    parser.add_argument("--native", default="", help="value of SEQGEN_NATIVE")
    parser.add_argument("--widths", default="", help="by hand, separated by commas")
    options = parser.parse_args()
    header = ("run", "width, dropout", "predicted", "seen", "error", "duration", "loss, nats")
    rows: list[tuple[str, ...]] = [header]
    with tempfile.TemporaryDirectory() as folder, busy_core(is_busy=options.busy):
        corpus = Path(folder) / "text.txt"
        corpus.write_text(text(options.kilobytes), encoding="utf-8")
        os.environ["SEQGEN_CACHE"] = folder
        if options.native:
            os.environ[VARIABLE] = options.native
        chosen = [scores(corpus, options.minutes) for _ in range(options.runs)]
        rows += [row(f"{i + 1}, chosen", result) for i, result in enumerate(chosen)]
        widths = [int(width) for width in options.widths.split(",") if width]
        by_hand = [scores(corpus, options.minutes, "--units", width) for width in widths]
        rows += [row("by hand", result) for result in by_hand]
    conditions = f"{options.minutes:g} minutes, {options.kilobytes:,} kB"
    conditions += ", beside a busy core" if options.busy else ""
    conditions += f", {VARIABLE}={options.native}" if options.native else ""
    print_table(f"Choice of the width, {conditions}", rows)
    if chosen:
        widths = [result["units"] for result in chosen]
        print(f"\nthe same width in {max(map(widths.count, widths))} of {len(chosen)} runs")
    if chosen and by_hand:
        best = min(result["validation_loss"] for result in by_hand)
        above = max(result["validation_loss"] for result in chosen) - best
        print(f"loss above the best width by hand: {above:.4f} nats at most (target {MOST})")


if __name__ == "__main__":
    main()
