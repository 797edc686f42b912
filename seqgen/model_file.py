"""The only reader and writer of model files.

A model file is a `.keras` file (a zip archive) of standard layers; `keras.models.load_model` opens
it without seqgen. Two kinds of members are added: `seqgen.json` with everything but the
weights, and `copies-N.bin` with the copy index of each corpus that the model was trained on. Files
are read without TensorFlow: the weights are an HDF5 file inside the archive.
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

# Exceptions that reading a damaged zip, JSON or HDF5 file may raise.
UNREADABLE = (
    *(OSError, EOFError, zlib.error, NotImplementedError, RuntimeError),
    *(KeyError, ValueError, TypeError, AttributeError, ConfigError),
)
# Keys that must be in `ModelData.corpus` and `ModelData.scores`.
CORPUS_KEYS = {"name", "task", "tokens", "sha256", "split"}
SCORES_KEYS = {"tokens_seen", "seconds", "ended_early", "validation_loss"}


@dataclass(frozen=True, eq=False)
class ModelData:
    """A trained model as plain data."""

    task: str
    model_config: ModelConfig
    train_config: TrainConfig
    vocabulary: Vocabulary
    corpus: dict[str, Any]  # `Corpus.metadata`
    weights: list[Floats]  # in the order of Keras, see `seqgen.inference.numpy_engine.NumpyEngine`
    history: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    chosen: str = ""  # the options that were chosen automatically, and why
    indexes: list[CopyIndex] = field(default_factory=list)  # of every training corpus
    seqgen_version: str = __version__

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(array.size for array in self.weights)

    def metadata(self) -> dict[str, Any]:
        """The content of `seqgen.json`."""
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
    """Raise `OutputError` unless the path ends in `.keras`, which Keras requires."""
    if path.suffix != ".keras":
        raise OutputError(f"{path}: expected a name that ends in .keras; try {path.stem}.keras")


def save(model_data: ModelData, path: Path, *, keep: bool = False) -> None:
    """Write a model file atomically.

    Args:
        model_data: the model.
        path: ends in `.keras`.
        keep: rename an existing file instead of replacing it.

    Raises:
        OutputError: the file cannot be written; an existing file is unchanged.
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
        ModelFileError: the file is missing, damaged, not a model, or has another format version.
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
        return _model_data(facts, weights_file, indexes)
    except zipfile.BadZipFile as error:
        raise ModelFileError(
            f"{path}: expected a .keras file made by seqgen train, got another kind of file, or "
            "only a part of one; check the name"
        ) from error
    except UNREADABLE as error:
        raise ModelFileError(
            f"{str(path)[:80]} is damaged and cannot be read ({error}); use a copy, or train again"
        ) from error


def _facts(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    if MEMBER not in archive.namelist():
        raise ModelFileError(
            f"{path}: expected a file made by seqgen train, got one without {MEMBER}; train a "
            "model with seqgen"
        )
    facts: dict[str, Any] = json.loads(archive.read(MEMBER))
    version = facts.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path}: expected format version {FORMAT_VERSION}, got {version}; this is seqgen "
            f"{__version__}, use the version that made the file ({facts.get('seqgen_version')})"
        )
    return facts


def _model_data(facts: dict[str, Any], weights_file: bytes, indexes: list[CopyIndex]) -> ModelData:
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
    """Read the weights in the order of Keras from the HDF5 file that Keras wrote.

    Raises:
        ValueError: the shapes do not fit the configuration.
    """
    import h5py

    weights: list[Floats] = []
    with h5py.File(io.BytesIO(weights_file)) as file:
        layers = file["layers"]
        recurrent = [name for name in layers if "cell" in layers[name]]
        recurrent.sort(key=lambda name: (len(name), name))  # lstm, lstm_1, ... lstm_10
        if len(recurrent) != config.layers:
            raise ValueError(f"expected {config.layers} recurrent layers, got {len(recurrent)}")
        for group in ("embedding", *(f"{name}/cell" for name in recurrent), "dense"):
            variables = layers[group]["vars"]
            weights += [np.asarray(variables[str(i)], np.float32) for i in range(len(variables))]
    _require_shapes(weights, config, vocabulary_size)
    return weights


def _require_shapes(weights: list[Floats], config: ModelConfig, vocabulary_size: int) -> None:
    """Raise `ValueError` unless all matrices have the shapes of the configuration."""
    gates = get_cell(config.cell).gates * config.units
    expected = [(vocabulary_size, config.embedding)]
    for width in (config.embedding, *[config.units] * (config.layers - 1)):
        expected += [(width, gates), (config.units, gates)]
    expected.append((config.units, vocabulary_size))
    embedding, *recurrent, output_kernel, _ = weights
    per_layer = len(recurrent) // config.layers  # kernel, recurrent kernel and perhaps a bias
    starts = range(0, len(recurrent), per_layer)
    kernels = [each for start in starts for each in recurrent[start : start + 2]]
    found = [each.shape for each in (embedding, *kernels, output_kernel)]
    if found != expected:
        raise ValueError(f"expected weights of shapes {expected}, got {found}")
