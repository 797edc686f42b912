"""The only reader and writer of model files.

A model file is a `.keras` file, that is a zip, of stock layers, which `keras.models.load_model`
opens without seqgen, with one more member, `seqgen.json`, which holds all that the weights do not
say, and one for the index of each corpus that the model was trained on. Reading needs no
TensorFlow: the weights are an HDF5 file inside the zip.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from seqgen._version import __version__
from seqgen.cells.base import get as get_cell
from seqgen.config import ModelConfig, TrainConfig
from seqgen.copying.index import CopyIndex
from seqgen.errors import ConfigError, ModelFileError, OutputError
from seqgen.types import Floats
from seqgen.utils.atomic_files import atomic_write
from seqgen.vocabulary import Vocabulary

FORMAT_VERSION = 1
MEMBER = "seqgen.json"
INDEX_MEMBER = "copies-{}.bin"
WEIGHTS_MEMBER = "model.weights.h5"

# What may be raised by reading a damaged zip, JSON or HDF5 file.
UNREADABLE = (
    *(OSError, EOFError, zlib.error, NotImplementedError, RuntimeError),
    *(KeyError, ValueError, TypeError, AttributeError, ConfigError),
)
# What others rely on in two of the members of `ModelData`.
CORPUS_KEYS = {"name", "task", "tokens", "sha256", "split"}
SCORES_KEYS = {"tokens_seen", "seconds", "ended_early", "validation_loss"}


@dataclass(frozen=True, eq=False)
class ModelData:
    """All that a trained model is, as plain data."""

    task: str
    model_config: ModelConfig
    train_config: TrainConfig
    vocabulary: Vocabulary
    corpus: dict[str, Any]  # `Corpus.metadata`
    weights: list[Floats]  # in Keras's order, see `seqgen.inference.numpy_engine.NumpyEngine`
    history: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    chosen: str = ""  # the options that nobody gave, and why they are what they are
    indexes: list[CopyIndex] = field(default_factory=list)  # of what it was trained on
    seqgen_version: str = __version__

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(each.size for each in self.weights)

    def metadata(self) -> dict[str, Any]:
        """What `seqgen.json` holds."""
        return {
            "format_version": FORMAT_VERSION,
            "seqgen_version": self.seqgen_version,
            "task": self.task,
            "model_config": self.model_config.to_json(),
            "train_config": self.train_config.to_json(),
            "vocabulary": self.vocabulary.to_json(),
            "corpus": self.corpus,
            "history": self.history,
            "scores": self.scores,
            "chosen": self.chosen,
            "indexes": [index.metadata() for index in self.indexes],
        }


def require_model_path(path: Path) -> None:
    """Raise `OutputError` unless the path ends in `.keras`, as Keras wants it."""
    if path.suffix != ".keras":
        raise OutputError(f"{path}: expected a name that ends in .keras; try {path.stem}.keras")


def save(model_data: ModelData, path: Path, *, keep: bool = False) -> None:
    """Write a model file, whole or not at all.

    Args:
        keep: a file that stands at `path` is kept under another name.

    Raises:
        OutputError: the file cannot be written; what was there is as it was.
    """
    require_model_path(path)
    from seqgen.network.build import build

    network = build(model_data.model_config, len(model_data.vocabulary))
    network.set_weights(model_data.weights)
    with atomic_write(path, keep=keep) as temporary:
        network.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(MEMBER, json.dumps(model_data.metadata()))
            for number, index in enumerate(model_data.indexes):
                archive.writestr(INDEX_MEMBER.format(number), index.bits.tobytes())


def load(path: Path) -> ModelData:
    """Read a model file.

    Raises:
        ModelFileError: there is no such file, it is no model, it is damaged, or of another
            format version.
    """
    try:
        if not path.exists():
            raise ModelFileError(f"{path}: no such file; train a model first, or check the name")
        with zipfile.ZipFile(path) as archive:
            facts = _facts(path, archive)
            weights_file = archive.read(WEIGHTS_MEMBER)
            indexes = [
                CopyIndex.from_metadata(each, archive.read(INDEX_MEMBER.format(number)))
                for number, each in enumerate(facts.get("indexes", []))
            ]
        return _bundle(facts, weights_file, indexes)
    except zipfile.BadZipFile as error:
        raise ModelFileError(
            f"{path} is no model file, or only a part of one; expected a .keras file made by "
            "seqgen train"
        ) from error
    except UNREADABLE as error:
        raise ModelFileError(
            f"{str(path)[:80]} is damaged and cannot be read ({error}); use a copy, or train again"
        ) from error


def _facts(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    if MEMBER not in archive.namelist():
        raise ModelFileError(
            f"{path} was not made by seqgen: it has no {MEMBER}; "
            "expected a file made by seqgen train"
        )
    facts: dict[str, Any] = json.loads(archive.read(MEMBER))
    version = facts.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format version {version}, this seqgen {__version__} reads version "
            f"{FORMAT_VERSION}; use the seqgen that made it ({facts.get('seqgen_version')})"
        )
    return facts


def _bundle(facts: dict[str, Any], weights_file: bytes, indexes: list[CopyIndex]) -> ModelData:
    missing = CORPUS_KEYS - facts["corpus"].keys() | SCORES_KEYS - facts["scores"].keys()
    if missing or not isinstance(facts["task"], str):
        raise ValueError(f"task {facts['task']!r}, missing: {', '.join(sorted(missing))}")
    config = ModelConfig.from_json(facts["model_config"])
    return ModelData(
        facts["task"],
        config,
        TrainConfig.from_json(facts["train_config"]),
        Vocabulary.from_json(facts["vocabulary"]),
        facts["corpus"],
        _weights(config, len(facts["vocabulary"]), weights_file),
        facts["history"],
        facts["scores"],
        facts.get("chosen", ""),
        indexes,
        facts["seqgen_version"],
    )


def _weights(config: ModelConfig, vocabulary_size: int, weights_file: bytes) -> list[Floats]:
    """The weights in Keras's order, from where `Model.save` puts them."""
    import h5py

    weights: list[Floats] = []
    with h5py.File(io.BytesIO(weights_file)) as file:
        layers = file["layers"]
        recurrent = [name for name in layers if "cell" in layers[name]]
        recurrent.sort(key=lambda name: (len(name), name))  # lstm, lstm_1, ... lstm_10
        if len(recurrent) != config.layers:
            raise ValueError(f"{config.layers} recurrent layers expected, got {len(recurrent)}")
        for group in ("embedding", *(f"{name}/cell" for name in recurrent), "dense"):
            variables = layers[group]["vars"]
            weights += [np.asarray(variables[str(i)], np.float32) for i in range(len(variables))]
    rows, per_layer = (
        get_cell(config.cell).gates * config.units,
        len(weights[1:-2]) // config.layers,
    )
    expected = [(vocabulary_size, config.embedding)]
    for width in (config.embedding, *[config.units] * (config.layers - 1)):
        expected += [(width, rows), (config.units, rows)]
    expected.append((config.units, vocabulary_size))
    kernels = [each for i in range(1, len(weights) - 2, per_layer) for each in weights[i : i + 2]]
    shapes = [each.shape for each in (weights[0], *kernels, weights[-2])]
    if shapes != expected:
        raise ValueError(f"weights of shapes {expected} expected, got {shapes}")
    return weights
