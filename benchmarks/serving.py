"""Latency and speed of `seqgen studio` with 1, 8 and 64 clients at a time.

    python -m benchmarks.serving [--tokens 1000] [--requests 4] [--units 256] [--layers 1]

A studio in a process of its own serves an untrained LSTM with a vocabulary of 65 characters. Every
client asks for streams of characters, one after the other, and reads them to the end. Printed are
the time until the first characters arrive and until a stream ends, as the median and the 95th
percentile, and the characters per second of all clients together; beside them that of the same
batch without a server, as `benchmarks.generation` measures it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np

from benchmarks.measure import print_table, untrained
from seqgen.model import Model
from seqgen.sampling.config import SampleConfig
from seqgen.sampling.decode import GeneratedSequence, batches, gather, generate, read
from seqgen.sampling.sampler import Sampler

CLIENTS = (1, 8, 64)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Times(NamedTuple):
    """Of one stream, in seconds after its request."""

    first: float  # characters arrive
    last: float


async def stream(host: str, port: int, tokens: int, seed: int) -> Times:
    """Ask for a stream, and read it to its end."""
    body = json.dumps({"model": "model", "prompt": ":", "max_tokens": tokens, "seed": seed,
                       "temperature": 0.8, "stream": True}).encode()  # fmt: skip
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head.encode() + body)
    first, found = 0.0, b""
    while chunk := await reader.read(1 << 16):
        if not first and b"data: " in chunk:
            first = time.perf_counter() - began
        found = (found + chunk)[-100:]
    writer.close()
    if b"data: [DONE]" not in found:
        raise RuntimeError(f"expected a whole stream, got {found!r}")
    return Times(first, time.perf_counter() - began)


async def load(address: str, clients: int, requests: int, tokens: int) -> tuple[list[Times], float]:
    """The times of all streams, and the seconds that all took."""
    host, port = urlsplit(address).hostname or "", urlsplit(address).port or 0

    async def client(number: int) -> list[Times]:
        return [
            await stream(host, port, tokens, seed=number * requests + i) for i in range(requests)
        ]

    await stream(host, port, 10, 0)  # loads the model
    began = time.perf_counter()
    found = await asyncio.gather(*map(client, range(clients)))
    return [times for each in found for times in each], time.perf_counter() - began


def batch_speed(model: Model, count: int, tokens: int, runs: int = 3) -> float:
    """Characters per second of a batch of `count` texts without a server; the median of runs."""
    engine, speeds = model.engine, []
    for _ in range(runs + 1):
        began = time.perf_counter()
        config = SampleConfig(length=tokens)
        start, sampler = read(engine, np.array([0])), Sampler(config)
        for items, rows in batches(count, engine):
            states = gather(engine, start, [0] * rows)
            outputs = [GeneratedSequence(config, item) for item in items]
            for _ in generate(engine, states, sampler, outputs):
                pass
        speeds.append(count * tokens / (time.perf_counter() - began))
    return statistics.median(speeds[1:])


def milliseconds(seconds: Sequence[float]) -> str:
    """The median and the 95th percentile."""
    low, high = np.quantile(seconds, (0.5, 0.95)) * 1000
    return f"{low:,.0f} / {high:,.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1000, help="characters of a stream")
    parser.add_argument("--requests", type=int, default=4, help="streams of each client")
    parser.add_argument("--units", type=int, default=256, help="of a layer")
    parser.add_argument("--layers", type=int, default=1, help="of the network")
    arguments = parser.parse_args()
    model = untrained(arguments.units, arguments.layers)
    rows = [("clients", "first characters, ms (50 % / 95 %)", "whole stream, ms (50 % / 95 %)",
             "characters/s", "without a server", "share")]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        server = subprocess.Popen(
            [sys.executable, "-m", "seqgen", "studio", folder, "--port", "0", "--no-browser"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            for clients in CLIENTS:
                times, seconds = asyncio.run(
                    load(address, clients, arguments.requests, arguments.tokens)
                )
                speed = len(times) * arguments.tokens / seconds
                alone = batch_speed(model, clients, arguments.tokens)
                first, last = zip(*times, strict=True)
                rows.append((str(clients), milliseconds(first), milliseconds(last),
                             f"{speed:,.0f}", f"{alone:,.0f}", f"{speed / alone:.2f}"))  # fmt: skip
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
    print_table(f"Serving, LSTM {arguments.layers} x {arguments.units}", rows)


if __name__ == "__main__":
    main()
