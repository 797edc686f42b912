"""Labelled sequences: damaged tables, files of series and arrays."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from seqgen.corpus.sources import Source
from seqgen.tasks.labels import corpus, inspection
from tests.fuzz.mutate import mutated

Case = dict[str, Any]


def _arrays() -> bytes:
    memory = io.BytesIO()
    series = np.linspace(0, 1, 24).reshape(6, 4)
    np.savez(memory, X=series, y=np.array(["a", "b"] * 3))
    return memory.getvalue()


FILES = {
    "a.csv": b'text,label\n"fine, day",good\nbad day,bad\n,bad\n"x""y",good\n' * 3,
    "b.csv": "\ufeffreview;sentiment\nna\u00efve;1\n\u732b;0\nx;1\ny;0\n".encode(),
    "c.tsv": b"sentence\tclass\na\t1\nb\t2\nc\t1\nd\t2\n",
    "d.jsonl": b"".join(b'{"text": "%d", "label": %d}\n' % (n, n % 3) for n in range(9)),
    "e.ts": b"#x\n@classLabel true a b\n@data\n1,2:3,?:a\n-1e3,4,5:6,7,8:b\n1:2:a\n",
    "f.tsv": b"1\t0.5\t-0.5\tNaN\n2\t1e3\t2\t3\n1\t1\t1\t1\n2\t0\t0\t0\n",
    "g.npz": _arrays(),
}


def cases(seed: int) -> Iterator[Case]:
    """Files as they should be, then damaged ones, alone or two at a time."""
    draw = random.Random(seed)
    for name, data in FILES.items():
        yield {"kind": "read", "files": {name: data.decode("latin-1")}, "options": {}}
    while True:
        names = draw.sample(sorted(FILES), draw.choice((1, 1, 1, 2)))
        options = {
            "tokens": draw.choice(("characters", "words")),
            "min_count": draw.choice((1, 2, 5)),
            "max_length": draw.choice((1, 3, 1000)),
            "validation": draw.choice((None, 0, 0.5)),
            "encoding": draw.choice(("utf-8", "utf-8", "latin-1", "utf-16", "klingon")),
        }
        yield {
            "kind": draw.choice(("read", "read", "inspect")),
            "files": {name: mutated(FILES[name], draw).decode("latin-1") for name in names},
            "options": options,
        }


def run(case: Case) -> None:
    """Read or describe the files of a case."""
    files = [
        Source(name, data=data.encode("latin-1"), optional=len(case["files"]) > 1)
        for name, data in case["files"].items()
    ]
    if case["kind"] == "inspect":
        for row in inspection.inspect(files, case["options"]["encoding"]):
            assert row.facts["kept"] or row.line
        return
    found = corpus.read(files, name="fuzz", **case["options"])
    assert found.bounds is not None and np.diff(found.bounds).min() >= 1
    assert np.isfinite(found.ids).all() and len(set(found.details["labels"])) >= 2
