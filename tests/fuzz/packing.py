"""Model files without Keras: the members that seqgen reads, and hostile versions of them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from seqgen.config import ModelConfig

SAVED = Path(__file__).parents[1] / "saved"
Facts = dict[str, Any]
Arrays = dict[str, np.ndarray]  # path in the HDF5 file → array


@cache
def saved(name: str) -> tuple[str, bytes]:
    """`seqgen.json` and the index of a saved model: `text` or `music`."""
    with zipfile.ZipFile(SAVED / f"{name}-0.1.keras") as archive:
        return archive.read("seqgen.json").decode(), archive.read("copies-0.bin")


def facts_of(name: str, config: ModelConfig) -> Facts:
    """`seqgen.json` of a saved model, with another network."""
    facts: Facts = json.loads(saved(name)[0])
    return {**facts, "model_config": config.to_json()}


def arrays_of(config: ModelConfig, vocabulary_size: int, seed: int = 0) -> Arrays:
    """Random weights, by the paths at which Keras stores them."""
    random = np.random.default_rng(seed)
    first, *layers, last = config.weight_shapes(vocabulary_size)
    groups = {"embedding": first, "dense": last}
    for i, shapes in enumerate(layers):
        groups[f"{config.cell}{f'_{i}' if i else ''}/cell"] = shapes
    return {
        f"layers/{group}/vars/{i}": random.normal(0, 0.3, shape).astype(np.float32)
        for group, shapes in groups.items()
        for i, shape in enumerate(shapes)
    }


def hdf5(arrays: Arrays, more: Callable[[h5py.File], object] = lambda file: None) -> bytes:
    """An HDF5 file with these arrays; `more` may change it before it is closed."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        for path, array in arrays.items():
            file[path] = array
        more(file)
    return memory.getvalue()


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return memory.getvalue()


def members_of(name: str, config: ModelConfig) -> dict[str, bytes]:
    """The members of a model file that loads and generates."""
    facts = facts_of(name, config)
    return {
        "seqgen.json": json.dumps(facts).encode(),
        "model.weights.h5": hdf5(arrays_of(config, len(facts["vocabulary"]))),
        "copies-0.bin": saved(name)[1],
    }
