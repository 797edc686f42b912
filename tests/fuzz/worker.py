"""A process that runs inputs one after another, each input with limits, and may die of one."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import tests.fuzz
from seqgen.errors import SeqgenError

SECONDS = 10.0  # of processor time for an input
MEMORY = 1 << 30  # bytes that an input may ask for
CHUNK = 100  # inputs of one seed; the next ones have another seed
SLOW = 5.0  # seconds after which a chunk ends early, so that areas take turns


def areas() -> list[str]:
    """The names of the modules with inputs."""
    names = [module.name for module in pkgutil.iter_modules(tests.fuzz.__path__)]
    return [name for name in names if name not in ("__main__", "worker", "mutate", "packing")
            and not name.startswith("test_")]  # fmt: skip


def module_of(area: str) -> ModuleType:
    """The module of an area."""
    return importlib.import_module(f"tests.fuzz.{area}")


def outcome_of(module: ModuleType, case: Any) -> tuple[str, str]:
    """Run an input: `passed`, `refused` or `traceback`, and the last lines of the traceback."""
    try:
        module.run(case)
    except SeqgenError as error:
        is_line = "\n" not in str(error).strip()
        return ("refused", "") if is_line else ("traceback", f"not one line: {error}")
    except Exception:
        return "traceback", "\n".join(traceback.format_exc().splitlines()[-12:])
    return "passed", ""


def to_bytes(case: Any) -> bytes:
    """An input as the content of a file from which `from_bytes` makes it again."""
    if isinstance(case, bytes):
        return b"bytes\n" + case
    if isinstance(case, Path):
        return b"path\n" + os.fsencode(case)
    return b"json\n" + json.dumps(case).encode()


def from_bytes(data: bytes) -> Any:
    """The inverse of `to_bytes`."""
    kind, _, rest = data.partition(b"\n")
    if kind == b"json":
        return json.loads(rest)
    return rest if kind == b"bytes" else Path(os.fsdecode(rest))


def limited(seconds: float = SECONDS) -> None:
    """End the process by a signal after some seconds of processor time; 0 for never."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def limit_memory() -> None:
    """Let this process ask for `MEMORY` bytes more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def chunk(module: ModuleType, seed: int, skip: int, count: int) -> Iterator[tuple[int, Any]]:
    """The inputs of a seed from number `skip` on."""
    yield from islice(enumerate(module.cases(seed)), skip, count)


def main() -> None:
    """Run the orders that come as lines of JSON: area, seed, inputs to skip, inputs to run.

    Before an input it is written to the file that is the first argument. For each input there is a
    line `[number, outcome, seconds, text]`, at the end of an order the line `null`.
    """
    current = Path(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what inputs print is dropped
    warnings.simplefilter("ignore")
    known: set[str] = set()
    for line in sys.stdin:
        area, seed, skip, count = json.loads(line)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
        module = module_of(area)  # what it imports does not count
        if area not in known:
            known.add(area)
            getattr(module, "prepare", lambda: None)()
        limit_memory()
        began = time.process_time()
        for number, case in chunk(module, seed, skip, count):
            current.write_bytes(to_bytes(case))
            limited()
            start = time.process_time()
            outcome, text = outcome_of(module, case)
            limited(0)
            spent = time.process_time() - start
            print(json.dumps([number, outcome, spent, text]), file=answers, flush=True)
            if time.process_time() - began > SLOW:
                break
        print("null", file=answers, flush=True)


if __name__ == "__main__":
    main()
