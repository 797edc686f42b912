"""Model files: damaged archives, wrong facts, hostile weights, and what is no file at all."""

from __future__ import annotations

import json
import os
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np

import seqgen
from seqgen.config import ModelConfig
from seqgen.inference import numpy_engine
from seqgen.mixing import tree as ngrams
from seqgen.mixing.mixture import Weights
from seqgen.mixing.parameters import MixtureParameters
from seqgen.reporting import summaries
from tests.fuzz.mutate import mutated, mutated_data
from tests.fuzz.packing import Arrays, arrays_of, facts_of, hdf5, members_of, packed

CONFIGS = [
    ModelConfig("lstm", 16, 1, 8),
    ModelConfig("gru", 16, 2, 5),
    ModelConfig("simple_rnn", 32, 1, 3, cell_options={"use_bias": False}),
    ModelConfig("gru", 16, 1, 4, cell_options={"reset_after": False}),
    ModelConfig("lstm", 10, 2, 4, cell_options={"activation": "relu"}),
]
WEIGHTS, FACTS = "model.weights.h5", "seqgen.json"
FOLDER = Path(tempfile.gettempdir()) / f"seqgen-fuzz-{os.getuid()}"  # of special files

Members = dict[str, bytes]


def cases(seed: int) -> Iterator[bytes | Path]:
    """Changed model files, and now and then a path that is no regular file."""
    draw = random.Random(seed)
    yield from draw.sample(special_paths(), 1)
    while True:
        name, config = draw.choice(("text", "music")), draw.choice(CONFIGS)
        members = members_of(name, config)
        yield draw.choices(KINDS, WEIGHTS_OF_KINDS)[0](draw, name, config, members)


def run(case: bytes | Path) -> None:
    """Load the model, describe it, and generate with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = case
        if isinstance(case, bytes):
            path = Path(folder) / "m.keras"
            path.write_bytes(case)
        model = seqgen.load(path)
    summaries.model(model.data)
    json.dumps(summaries.model_metadata(model.data))
    if not numpy_engine.supports(model.data.model_config):
        return  # only Keras runs it, which takes seconds to import
    if model.data.task == "text":
        for text in model.texts(2, length=12, seed=1, top_p=0.9, repetition_penalty=1.1):
            assert len("".join(text)) <= 13 and (text.longest_copy or 0) >= 0
        model.generate(length=8, seed=2, max_copy=60)
    else:
        for options in ({"bars": 2}, {"bars": 1, "key": "G"}, {"primer": "C4/4 D4/4 E4/2"}):
            if "primer" in options:
                options["bars"] = 1
            model.compose(seed=1, **options)


def special_paths() -> list[Path]:
    """Paths that are no regular files, or that lead nowhere."""
    FOLDER.mkdir(exist_ok=True)
    fifo, loop, empty = (FOLDER / f"{name}.keras" for name in ("pipe", "loop", "empty"))
    if not fifo.exists():
        os.mkfifo(fifo)
    if not loop.is_symlink():
        loop.symlink_to(loop)
    empty.touch()
    names = ("/dev/zero", "/dev/null", "/dev/urandom", "/dev/full", "/proc/self/mem", "/",
             "no such", "x" * 300, "/proc/self/fd/0/x", "a\0b")  # fmt: skip
    return [fifo, loop, empty, FOLDER, *map(Path, names)]


def _bytes(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """Any bytes of the archive are changed."""
    return mutated(packed(members), draw)


def _member(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """Bytes of one member are changed, or it is gone."""
    which = draw.choice([*members, WEIGHTS])
    if draw.random() < 0.1:
        del members[which]
    else:
        members[which] = mutated(members[which], draw)
    return packed(members)


def _facts(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """Fields of seqgen.json are changed."""
    facts = mutated_data(facts_of(name, config), draw)
    return packed({**members, FACTS: json.dumps(facts).encode()})


def _text_of_facts(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """seqgen.json is something else than an object."""
    hostile = (
        b"", b"null", b"[]", b"[" * 200_000, b'{"a":' * 100_000, b"9" * 10_000, b"1e999",
        b'"\\ud800"', b'{"format_version":1e400}', b"[" + b"[]," * 2_000_000 + b"[]]",
        b" " * 20_000_000, b"\xff\xfe",
    )  # fmt: skip
    return packed({**members, FACTS: draw.choice(hostile)}, draw.choice((0, zipfile.ZIP_DEFLATED)))


def _config(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """The network of seqgen.json is another one than that of the weights."""
    facts = facts_of(name, config)
    field = draw.choice(("units", "layers", "embedding", "cell", "cell_options", "vocabulary"))
    if field == "vocabulary":
        facts["vocabulary"] = [*facts["vocabulary"][draw.randrange(3) :], "duration:1000000000"]
    else:
        hostile = {"module": "os", "class_name": "system"}
        sizes = (0, 1, 2, 15, 16, 17, 128, 16384, 10**6, 1e19, 2**63, "16", None, True)
        values = {
            "cell": ("lstm", "gru", "simple_rnn", "rnn", ["lstm"]),
            "cell_options": (
                {"use_bias": False}, {"reset_after": False}, {"activation": ["x"]},
                {"activation": hostile}, [], {"units": 3},
            ),
        }.get(field, sizes)  # fmt: skip
        facts["model_config"][field] = draw.choice(values)
    return packed({**members, FACTS: json.dumps(facts).encode()})


def _arrays(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """One array of the weights has another shape, type or place, or is not finite."""
    arrays = arrays_of(config, len(facts_of(name, config)["vocabulary"]))
    path = draw.choice(list(arrays))
    array = arrays.pop(path)
    changes: list[Callable[[], Arrays]] = [
        lambda: {path: np.repeat(array, 2, axis=draw.randrange(array.ndim))},
        lambda: {path: array[:-1]},
        lambda: {path: array[..., :-1]},
        lambda: {path: array.T},
        lambda: {path: array.ravel()},
        lambda: {path: array[None]},
        lambda: {path: np.float32(1)},
        lambda: {path: array.astype(draw.choice(("f8", "f2", "i4", "u1", ">f4", "S4", "c8")))},
        lambda: {path: np.where(np.arange(array.size).reshape(array.shape) == 1, np.nan, array)},
        lambda: {path: np.full_like(array, np.inf)},
        lambda: {path: np.full_like(array, 3e38)},
        lambda: {path: np.zeros((0, *array.shape[1:]), np.float32)},
        dict,
        lambda: {path: array, f"{path}x": array},
        lambda: {path.replace("/vars", "/warts"): array},
        lambda: {f"{path}/0": array},
        lambda: {path: array, f"layers/extra_{draw.randrange(3)}/cell/vars/0": array},
    ]
    return packed({**members, WEIGHTS: hdf5({**arrays, **draw.choice(changes)()})})


def _links(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """One array of the weights is stored elsewhere: after a link, in another file, in chunks."""
    arrays = arrays_of(config, len(facts_of(name, config)["vocabulary"]))
    path = draw.choice(list(arrays))
    array = arrays.pop(path)
    other = str(FOLDER / "other.h5")

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout(array.shape, "f4")
        layout[...] = h5py.VirtualSource(other, "x", array.shape)
        file.create_virtual_dataset(path, layout)

    def soft(file: h5py.File) -> None:
        file[path] = h5py.SoftLink(
            "/" + draw.choice([*arrays, path, "nowhere", path.rsplit("/", 1)[0]])
        )

    def external(file: h5py.File) -> None:
        file[path] = h5py.ExternalLink(draw.choice((other, "/dev/zero", "/etc/passwd")), "x")

    def linked_group(file: h5py.File) -> None:
        group = path.rsplit("/", 1)[0]
        if group in file:
            del file[group]
        file[group] = draw.choice((h5py.ExternalLink(other, "x"), h5py.SoftLink("/layers")))

    def storage(file: h5py.File) -> None:
        external = [("/dev/zero", 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(path, array.shape, "f4", external=external)

    def chunked(file: h5py.File) -> None:
        file.create_dataset(
            path, data=array, chunks=True, compression=draw.choice(("gzip", "lzf", None))
        )

    def empty(file: h5py.File) -> None:
        file.create_dataset(path, draw.choice((array.shape, (10**6, 10**6))), "f4")

    def compact_group(file: h5py.File) -> None:
        for i in range(2000):
            file.create_group(f"layers/g{i}")

    hostile = (virtual, soft, external, linked_group, storage, chunked, empty, compact_group)
    return packed({**members, WEIGHTS: hdf5(arrays, draw.choice(hostile))})


def _mixture(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """The model has a mixture, whose n-grams or weights may be changed."""
    facts = facts_of(name, config)
    size, order, count = len(facts["vocabulary"]), draw.randrange(8), 6 if name == "music" else 1
    numbers = np.random.default_rng(draw.randrange(1 << 32))
    scale = draw.choice((0.1, 10, 1e5))
    start = Weights.initial(order, count)
    arrays = [
        numbers.normal(0, scale, array.shape)
        for array in (start.base, start.evidence, *start.tables)
    ]
    tree = ngrams.count(numbers.zipf(1.5, 300) % size, size, order=order)
    mixture = MixtureParameters(tree, Weights(arrays[0], tuple(arrays[2:]), arrays[1]))
    facts["mixture"], data = mixture.metadata(), tree.to_bytes(size)
    change = draw.randrange(4)
    if change == 1:
        data = mutated(data, draw)
    elif change == 2:
        facts["mixture"] = mutated_data(facts["mixture"], draw)
    elif change == 3:
        facts["mixture"]["order"] = draw.randrange(20)
    return packed({**members, FACTS: json.dumps(facts).encode(), "ngrams.bin": data})


def _archive(draw: random.Random, name: str, config: ModelConfig, members: Members) -> bytes:
    """The archive holds bombs, many members, or members that are packed in another way."""
    which = draw.choice(list(members))
    kind = draw.randrange(7)
    if kind == 0:
        members[which] = bytes(draw.choice((10**5, 10**7, 10**8)))
        return packed(members, zipfile.ZIP_DEFLATED)
    if kind == 1:
        return packed(
            members, draw.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        )
    if kind == 2:
        many = {f"{i}": b"" for i in range(draw.choice((100, 20_000)))}
        return packed({**members, **many})
    if kind == 3:
        return packed(
            {**members, f"copies-{draw.randrange(3)}.bin": bytes(draw.choice((0, 63, 10**6)))}
        )
    data = bytearray(packed(members))
    at = data.find(b"PK\1\2")
    while kind == 4 and draw.random() < 0.7 and data.find(b"PK\1\2", at + 1) > 0:
        at = data.find(b"PK\1\2", at + 1)
    offset = draw.choice((8, 10, 20, 24, 28, 30, 42))  # flags, method, sizes, lengths, place
    struct.pack_into("<I", data, at + offset, draw.choice((0, 1, 99, 2**31, 2**32 - 1, 1500 << 20)))
    return bytes(data)


KINDS = (_bytes, _member, _facts, _text_of_facts, _config, _arrays, _links, _mixture, _archive)
WEIGHTS_OF_KINDS = (4, 5, 8, 0.3, 2, 3, 2, 3, 1)
