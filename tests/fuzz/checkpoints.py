"""Checkpoints: damaged archives, wrong facts and arrays, and states that belong to no run."""

from __future__ import annotations

import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from seqgen.corpus.corpus import Corpus
from seqgen.tasks.load import load_corpus
from seqgen.training import checkpoint
from tests.conftest import SENTENCE
from tests.fuzz.model_files import special_paths
from tests.fuzz.mutate import mutated, mutated_data
from tests.fuzz.packing import SAVED, packed
from tests.test_readme import write_tunes

FACTS = "facts.json"
Members = dict[str, bytes]


@cache
def members_of(name: str) -> Members:
    """The members of the saved checkpoint of `text` or `music`, as one of `corpus_of`."""
    with zipfile.ZipFile(SAVED / f"{name}-0.1.checkpoint") as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    corpus = corpus_of(name)
    facts, metadata = json.loads(members[FACTS]), corpus.metadata()
    del metadata["arguments"]
    facts["corpus_options"] = {**metadata.pop("options"), **metadata.pop("split")}
    facts["corpus"] = {**metadata, "vocabulary": corpus.vocabulary.to_json()}
    return {**members, FACTS: json.dumps(facts).encode()}


@cache
def corpus_of(name: str) -> Corpus:
    """The corpus of the saved checkpoint of `text` or `music`."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "text":
            path = Path(folder) / "book.txt"
            path.write_text(SENTENCE * 200, encoding="utf-8")
            return load_corpus(path)
        write_tunes(Path(folder) / "tunes")
        return load_corpus(Path(folder) / "tunes", validation=0.2)


def prepare() -> None:
    """Import TensorFlow, and read both corpora."""
    run(packed(members_of("text")))
    run(packed(members_of("music")))


def cases(seed: int) -> Iterator[bytes | Path]:
    """Changed checkpoints, and now and then a path that is no regular file."""
    draw = random.Random(seed)
    yield from draw.sample(special_paths(), 1)
    while True:
        kind = draw.choices(KINDS, (3, 4, 8, 1, 3, 1))[0]
        yield kind(draw, dict(members_of(draw.choice(("text", "music")))))


def run(case: bytes | Path) -> None:
    """Read the checkpoint, and restore the state of the run that it belongs to."""
    with tempfile.TemporaryDirectory() as folder:
        path = case
        if isinstance(case, bytes):
            path = Path(folder) / "m.checkpoint"
            path.write_bytes(case)
        options = checkpoint.corpus_options(path)
        _restore(path, corpus_of(options["task"]))


def _restore(path: Path, corpus: Corpus) -> None:
    from seqgen.training import setup
    from seqgen.training.callbacks import Callback
    from seqgen.training.checkpointer import Checkpointer
    from seqgen.training.request import RunInputs, RunRequest
    from seqgen.training.state import RunState

    inputs = RunInputs(RunRequest({}, resume=True), corpus, checkpoint_path=path)
    resolved = setup.resolve(inputs, Callback())
    if resolved.model_config.cell_options:  # any that Keras takes; building them takes long
        return
    state = RunState(resolved)
    Checkpointer(resolved, Callback()).restore(state)
    for _ in range(3):
        batch = next(state.batches)
        assert 0 <= batch.inputs.min() <= batch.inputs.max() < len(corpus.vocabulary)
    state.progress()
    json.dumps(state.state_dict())


def _bytes(draw: random.Random, members: Members) -> bytes:
    return mutated(packed(members), draw)


def _member(draw: random.Random, members: Members) -> bytes:
    which = draw.choice(list(members))
    if draw.random() < 0.2:
        del members[which]
    else:
        members[which] = mutated(members[which], draw)
    return packed(members)


def _facts(draw: random.Random, members: Members) -> bytes:
    facts = json.loads(members[FACTS])
    part = draw.choice((facts, facts["place"], facts["model_config"], facts["train_config"]))
    changed = mutated_data(part, draw)
    part.clear()
    part.update(changed)
    return packed({**members, FACTS: json.dumps(facts).encode()})


def _text_of_facts(draw: random.Random, members: Members) -> bytes:
    hostile = (
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"9" * 10_000,
        b"{}",
        b"\xff",
    )
    return packed({**members, FACTS: draw.choice(hostile)})


def _array(draw: random.Random, members: Members) -> bytes:
    """An array has another shape or type, or a header that promises more than there is."""
    which = draw.choice([name for name in members if name.endswith(".npy")])
    array = np.load(io.BytesIO(members[which]))
    changes: list[Callable[[], Any]] = [
        lambda: array[..., None],
        lambda: np.repeat(array.ravel(), 3),
        lambda: array.ravel()[:0],
        lambda: array.astype(draw.choice(("f8", "f2", "i4", ">f4", "S4", "c8", "?"))),
        lambda: np.full(array.shape, np.nan, array.dtype if array.dtype.kind == "f" else "f4"),
        lambda: np.asfortranarray(np.ones((3, 4), "f4")),
        lambda: np.zeros((1,) * 20, "f4"),
    ]
    file = io.BytesIO()
    np.save(file, draw.choice(changes)())
    data = file.getvalue()
    if draw.random() < 0.5:
        shape = draw.choice(("(10000000000,)", "(-1,)", "(2,) * 10", "()", "(" * 2000, "(1e9,)"))
        head = f"{{'descr': '{draw.choice(('<f4', '|O', '<V99', 'x'))}', 'fortran_order': False, "
        head = (head + f"'shape': {shape}, }}").ljust(118) + "\n"
        data = b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head.encode() + bytes(64)
    return packed({**members, which: data})


def _archive(draw: random.Random, members: Members) -> bytes:
    kind = draw.randrange(3)
    if kind == 0:
        return packed({**members, "variables/99.npy": bytes(10**8)}, zipfile.ZIP_DEFLATED)
    if kind == 1:
        return packed({**members, **{f"x/{i}.npy": b"" for i in range(draw.choice((10, 20_000)))}})
    return packed(members, draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)))


KINDS = (_bytes, _member, _facts, _text_of_facts, _array, _archive)
