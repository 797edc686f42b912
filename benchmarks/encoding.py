"""Speed of encoding text, and memory use of training on a large corpus.

    python -m benchmarks.encoding [--text FILE] [--megabytes 1000] [--minutes 0.5]

FILE is repeated up to the given size; the default is the source code of Python's standard library.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import print_table
from seqgen.corpus import catalogue

SMALL = 1.0  # megabytes of the small corpus
ENCODE = "import seqgen, sys; seqgen.load_corpus(sys.argv[1])"
TRAIN = """
import resource, seqgen, sys
corpus = seqgen.load_corpus(sys.argv[1], lines=sys.argv[2] == "lines")
seqgen.train(corpus, minutes=float(sys.argv[3]), units=16)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write(path: Path, text: bytes, megabytes: float) -> None:
    """Write a text repeatedly until the file has the given size."""
    with path.open("wb") as file:
        left = int(megabytes * 1_000_000)
        while left > 0:
            left -= file.write(text[:left])


def python(script: str, cache: Path, *arguments: object) -> str:
    """The output of a script that runs in its own process, with its own cache folder."""
    environment = {**os.environ, "SEQGEN_CACHE": str(cache)}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", type=Path, help="text file to repeat")
    parser.add_argument("--megabytes", type=float, default=1000, help="size of the large corpus")
    parser.add_argument(
        "--minutes", type=float, default=0.5, help="duration of each of the four training runs"
    )
    options = parser.parse_args()
    if options.text:
        text = options.text.read_bytes()
    else:
        sources = catalogue.read_catalogue()["python-code"].read()
        text = b"\n".join(chunk for source in sources for chunk in source.chunks())
    with tempfile.TemporaryDirectory() as folder:
        small, large, cache = (Path(folder) / name for name in ("small.txt", "large.txt", "cache"))
        write(small, text, SMALL)
        write(large, text, options.megabytes)
        times = []
        for _ in range(2):  # the second time, the ids are in the cache
            began = time.perf_counter()
            python(ENCODE, cache, large)
            times.append(time.perf_counter() - began)
        speed = options.megabytes / times[0]
        memory = {
            (mode, path): float(python(TRAIN, cache, path, mode, options.minutes))
            for mode in ("text", "lines")
            for path in (small, large)
        }
    size = f"{options.megabytes:,g} MB"
    print_table(
        "Large corpora",
        [
            (f"corpus of {size}, whole processes", "result", "target"),
            ("reading, validating, encoding and writing, MB/s", f"{speed:.0f}", "at least 50"),
            ("loading from the cache, seconds", f"{times[1]:.1f}", ""),
            *(
                (
                    f"peak memory of training, compared with training on {SMALL:g} MB, {name}",
                    f"{memory[mode, large] - memory[mode, small]:+.0f} MB from "
                    f"{memory[mode, small]:.0f} MB",
                    "at most +300",
                )
                for mode, name in (("text", "continuous text"), ("lines", "lines"))
            ),
        ],
    )


if __name__ == "__main__":
    main()
