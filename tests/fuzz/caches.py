"""Files in the cache folder: damaged ones are as if they were not there, and nothing else."""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np

from seqgen.corpus.sources import Source
from seqgen.evaluation import ngrams
from seqgen.tasks.load import load_corpus
from seqgen.tasks.music import files
from seqgen.tasks.text import encoding
from tests.fuzz.mutate import VALUES, mutated, mutated_data

TUNE = b"X:1\nT:a\nM:4/4\nL:1/4\nQ:1/4=100\nK:G\nGABc|[M:3/4]def|\n"
TEXT = b"one line\nand another one\n" * 4
IDS = np.arange(400) % 7


def cases(seed: int) -> Iterator[bytes]:
    """Seeds of damages: what is damaged depends on the file, which has to be made first."""
    draw = random.Random(seed)
    while True:
        yield draw.randbytes(8)


def run(case: bytes) -> None:
    """Fill a cache folder, damage a file of it, and use it: the result must be the same."""
    draw = random.Random(case)
    use = draw.choice((_tune, _text, _ngrams))
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, SEQGEN_CACHE=folder):
        expected = use()
        damaged = draw.choice([path for path in Path(folder).rglob("*") if path.is_file()])
        is_data = _damage(damaged, draw)
        found = use()
        assert is_data or found == expected, f"{damaged.name}: {found}"


def _damage(path: Path, draw: random.Random) -> bool:
    """Damage a file; whether the result may be valid data of another content."""
    data = path.read_bytes()
    kind = draw.randrange(5)
    if kind == 0:
        path.unlink()
        draw.choice((path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to("/dev/zero")))()
        return False
    if kind == 1:
        path.write_bytes(b"[" * 100_000)
        return path.suffix != ".json"
    if kind == 2 and path.suffix == ".json":
        path.write_text(json.dumps(mutated_data(json.loads(data), draw)))
        return True
    if kind == 3 and path.suffix == ".json":
        path.write_text(json.dumps(draw.choice(VALUES)))
        return path.name == "vocabulary.json"
    path.write_bytes(mutated(data, draw))
    return True


def _tune() -> list[object]:
    results = files.readings([Source("a.abc", data=TUNE)])
    return [(piece.notes, piece.bars, piece.keys) for result in results for piece in result.pieces]


def _text() -> list[object]:
    with tempfile.NamedTemporaryFile(suffix=".txt") as file:
        Path(file.name).write_bytes(TEXT)
        with mock.patch.object(encoding, "IN_MEMORY_BYTES", 0):
            corpus = load_corpus(file.name, lines=True)
        vocabulary = corpus.vocabulary
        assert int(corpus.ids.max()) < len(vocabulary)
        return [vocabulary.tokens, corpus.ids.tolist()]


def _ngrams() -> list[object]:
    return [round(loss, 9) for loss in ngrams.cached_losses(IDS[:300], IDS[300:], 7)]
