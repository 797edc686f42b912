"""Shared pages: characters a second in Chromium beside those of the command line, and bytes.

The networks have random weights: speed and size do not depend on training. The command line has
one core; the page writes in one thread, while the other processes of Chromium draw.

    python -m benchmarks.sharing
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from seqgen import model_file
from seqgen.config import ModelConfig
from seqgen.inference.c_engine import CEngine, best_isa
from seqgen.model import Model
from seqgen.model_file import ModelData
from seqgen.native import ISAS
from seqgen.sharing.page import PageOptions, page
from seqgen.tasks.text.generate import TextGenerator
from seqgen.vocabulary import Vocabulary

SAVED = Path(__file__).parent.parent / "tests" / "saved" / "text-0.1.keras"
CHROMIUM = "/usr/bin/chromium"
TOKENS = tuple(map(chr, range(32, 128)))
SIZES = (128, 256, 512)  # units
SECONDS = 1.5  # of each measurement
ROUNDS = 3  # the best one counts


def network(units: int) -> ModelData:
    """A model of text with random weights."""
    saved = model_file.load(SAVED)
    config = ModelConfig(units=units)
    random = np.random.default_rng(0)
    shapes = [shape for layer in config.weight_shapes(len(TOKENS)) for shape in layer]
    weights = [random.normal(0, 0.05, shape).astype(np.float32) for shape in shapes]
    vocabulary = Vocabulary(TOKENS)
    return dataclasses.replace(
        saved, model_config=config, weights=weights, vocabulary=vocabulary, indexes=[]
    )


def native_rate(data: ModelData, isa: str) -> float:
    """Characters a second of one stream, as `seqgen generate` makes them."""
    engine = CEngine(data.model_config, data.weights, isa=isa)
    characters = TextGenerator(engine, data.vocabulary).stream(length=10**8, temperature=1, seed=0)
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + SECONDS:
        for _ in range(100):
            next(characters)
        count += 100
    return count / (time.perf_counter() - started)


def page_rate(chromium: Any, path: Path, length: int) -> float:
    """Characters a second of the page, as it shows them."""
    tab = chromium.new_page()
    tab.goto(path.as_uri())
    tab.wait_for_selector("#output[aria-busy=false]")
    tab.fill("#temperature", "1")
    tab.fill("#length", str(length))
    tab.click("#write")
    tab.wait_for_selector("#output[aria-busy=false]", timeout=120_000)
    rate = float(tab.get_attribute("#output", "data-rate"))
    tab.close()
    return rate


def main() -> None:
    """Print a table."""
    from playwright.sync_api import sync_playwright

    cores = os.sched_getaffinity(0)
    isas = (ISAS[best_isa() or -1], "plain")
    print(f"{'units':>5}{'bytes':>12}{'limit':>12}" + "".join(f"{isa:>14}" for isa in isas), end="")
    print(f"{'Chromium':>12}{'ratio':>8}")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for units in SIZES:
            data = network(units)
            path = Path(folder) / f"{units}.html"
            path.write_bytes(page(Model(data), PageOptions("random.keras")))
            os.sched_setaffinity(0, {min(cores)})
            rates = [max(native_rate(data, isa) for _ in range(ROUNDS)) for isa in isas]
            os.sched_setaffinity(0, cores)
            length = int(SECONDS * rates[0])
            browser = max(page_rate(chromium, path, length) for _ in range(ROUNDS))
            limit = 1.4 * data.parameters + 150_000
            cells = "".join(f"{rate:14,.0f}" for rate in rates)
            print(f"{units:5}{path.stat().st_size:12,}{limit:12,.0f}{cells}", end="")
            print(f"{browser:12,.0f}{browser / rates[0]:8.2f}", flush=True)
        chromium.close()


if __name__ == "__main__":
    main()
