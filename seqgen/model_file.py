"""The only reader and writer of model files.

A model file is a `.keras` file (a zip archive) of standard layers; `keras.models.load_model` opens
it without seqgen. Three kinds of members are added: `seqgen.json` with everything but the
weights, `copies-N.bin` with the copy index of each corpus that the model was trained on, and
`ngrams.bin` with the n-grams that predictions are mixed with. Files are read without TensorFlow:
the weights are an HDF5 file inside the archive.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seqgen._version import __version__
from seqgen.config import ModelConfig, TrainConfig
from seqgen.copying.index import MAX_NGRAMS, ORDERS, CopyIndex
from seqgen.errors import ConfigError, ModelFileError, OutputError, VocabularyError, reason, shown
from seqgen.mixing import parameters as mixing
from seqgen.mixing.parameters import MixtureParameters
from seqgen.mixing.tree import NgramTree
from seqgen.types import Floats, Json
from seqgen.utils import schema
from seqgen.utils.archives import DAMAGED, Archive, open_archive
from seqgen.utils.atomic_files import atomic_write
from seqgen.vocabulary import Vocabulary

FORMAT_VERSION = 1
MEMBER = "seqgen.json"
INDEX_MEMBER = "copies-{}.bin"
NGRAMS_MEMBER = "ngrams.bin"
WEIGHTS_MEMBER = "model.weights.h5"

# What reading a damaged zip, JSON or HDF5 file may raise.
UNREADABLE = (*DAMAGED, KeyError, TypeError, AttributeError, MemoryError, ConfigError,
              VocabularyError)  # fmt: skip
MOST_JSON = 1 << 24  # bytes of seqgen.json
MOST_TOKENS = 0x110000 + 2  # of a vocabulary: every character, and the special tokens
HDF5_BYTES = 1 << 20  # of the file of weights besides the numbers: names, and room for more
LONGEST = 1_000_000  # list in seqgen.json, and the longest text in it


def _file_name(value: Any) -> None:
    """A name that cannot lead out of a folder."""
    schema.text(255, least=1)(value)
    ok = "\0" not in value and value not in (".", "..") and Path(value).name == value
    schema.require(ok, "a name without folders", value)


TOKENS = schema.sequence(schema.text(1000, least=1), MOST_TOKENS, least=1)
CORPUS = schema.record(
    {
        "name": _file_name,
        "task": schema.text(100),
        "tokens": schema.integer(),
        "sha256": schema.text(64),
        "options": schema.any_object,  # the task checks both
        "details": schema.any_object,
        "split": schema.record(
            {
                "validation": schema.number(0, 0.5),
                "training_tokens": schema.integer(),
                "validation_tokens": schema.integer(),
            }
        ),
    },
    {"arguments": schema.sequence(schema.text(10_000), LONGEST)},
)
SCORES = schema.record(
    {
        "tokens_seen": schema.integer(),
        "seconds": schema.any_number,
        "ended_early": schema.optional(schema.text(LONGEST)),
        "validation_loss": schema.optional(schema.any_number),
    },
    {"validation_tokens": schema.integer()},
    others=schema.optional(schema.any_number),
)
HISTORY = schema.record(
    {}, {"scored_tokens": schema.integer()}, others=schema.optional(schema.any_number)
)
INDEX = schema.record(
    {"order": schema.integer(ORDERS[0], ORDERS[-1]), "every": schema.integer(1, 1 << 32)}
)
SCHEMA = schema.record(
    {
        "format_version": schema.integer(),
        "seqgen_version": schema.text(100),
        "task": schema.text(100),
        "model_config": schema.any_object,  # `ModelConfig` and `TrainConfig` check themselves
        "train_config": schema.any_object,
        "vocabulary": TOKENS,
        "corpus": CORPUS,
        "history": schema.sequence(HISTORY, LONGEST),
        "scores": SCORES,
    },
    {
        "chosen": schema.text(LONGEST),
        "indexes": schema.sequence(INDEX, 1000),
        "mixture": mixing.SCHEMA,
    },
)


@dataclass(frozen=True, eq=False)
class ModelData:
    """A trained model as plain data."""

    task: str
    model_config: ModelConfig
    train_config: TrainConfig
    vocabulary: Vocabulary
    corpus: Json  # `Corpus.metadata`
    weights: list[Floats]  # in the order of Keras, see `seqgen.inference.numpy_engine.NumpyEngine`
    history: list[Json] = field(default_factory=list)
    scores: Json = field(default_factory=dict)
    chosen: str = ""  # the options that were chosen automatically, and why
    indexes: list[CopyIndex] = field(default_factory=list)  # of every training corpus
    mixture: MixtureParameters | None = None  # None: predictions are those of the network alone
    seqgen_version: str = __version__

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(array.size for array in self.weights)

    def metadata(self) -> Json:
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
            **({} if self.mixture is None else {"mixture": self.mixture.metadata()}),
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
            if model_data.mixture is not None:
                ngrams = model_data.mixture.tree.to_bytes(len(model_data.vocabulary))
                archive.writestr(NGRAMS_MEMBER, ngrams, zipfile.ZIP_DEFLATED)


def load(path: Path) -> ModelData:
    """Read a model file, from anyone: it is checked, and nothing in it is run.

    Raises:
        ModelFileError: the file is missing, damaged, not a model, or has another format version.
    """
    with translate_errors(path):
        if not path.exists():
            raise ModelFileError(f"{path}: no such file; train a model first, or check the name")
        with open_archive(path) as archive:
            return _model_data(_facts(path, archive), archive)


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise `ModelFileError` for errors of reading a file or of checking its content."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ModelFileError(
            f"{path}: expected a .keras file made by seqgen train, got another kind of file, or "
            "only a part of one; check the name"
        ) from error
    except UNREADABLE as error:
        raise ModelFileError(
            f"{shown(path)} is damaged and cannot be read ({reason(error)}); use a copy, or train "
            "again"
        ) from error


def _facts(path: Path, archive: Archive) -> Json:
    """The checked content of `seqgen.json`."""
    if MEMBER not in archive.names:
        raise ModelFileError(
            f"{path}: expected a file made by seqgen train, got one without {MEMBER}; train a "
            "model with seqgen"
        )
    with naming(MEMBER):
        facts = json.loads(archive.read(MEMBER, MOST_JSON))
        version = facts.get("format_version") if isinstance(facts, dict) else None
        if isinstance(version, int) and version != FORMAT_VERSION:
            raise ModelFileError(
                f"{path}: expected format version {FORMAT_VERSION}, got {version}; this is seqgen "
                f"{__version__}, use the version that made the file "
                f"({str(facts.get('seqgen_version'))[:40]})"
            )
        SCHEMA(facts)
        corpus, split = facts["corpus"], facts["corpus"]["split"]
        schema.require(
            corpus["task"] == facts["task"], f"{facts['task']!r}", corpus["task"], "corpus.task"
        )
        known = split["training_tokens"] + split["validation_tokens"]
        schema.require(known == corpus["tokens"], f"{known:,}", corpus["tokens"], "corpus.tokens")
    return facts  # type: ignore[no-any-return]  # what `SCHEMA` has checked


@contextmanager
def naming(member: str) -> Iterator[None]:
    """Name a member of a model file in the errors of checking it."""
    try:
        yield
    except (ModelFileError, zipfile.BadZipFile):
        raise
    except (*UNREADABLE, IndexError) as error:
        if str(error).startswith(member):
            raise
        raise ValueError(f"{member}: {error}") from error


def _model_data(facts: Json, archive: Archive) -> ModelData:
    with naming(MEMBER):
        config = ModelConfig.from_json(facts["model_config"])
        config.require_coherent()
        train_config = TrainConfig.from_json(facts["train_config"])
        vocabulary = Vocabulary.from_json(facts["vocabulary"])
    return ModelData(
        facts["task"],
        config,
        train_config,
        vocabulary,
        facts["corpus"],
        _weights(config, len(vocabulary), archive),
        facts["history"],
        facts["scores"],
        facts.get("chosen", ""),
        [_index(i, each, archive) for i, each in enumerate(facts.get("indexes", []))],
        _mixture(facts.get("mixture"), len(vocabulary), archive),
        facts["seqgen_version"],
    )


def _index(number: int, facts: Json, archive: Archive) -> CopyIndex:
    member = INDEX_MEMBER.format(number)
    with naming(member):
        return CopyIndex.from_metadata(facts, archive.read(member, MAX_NGRAMS))


def _mixture(
    facts: Json | None, vocabulary_size: int, archive: Archive
) -> MixtureParameters | None:
    if facts is None:
        return None
    with naming(MEMBER):
        weights = mixing.weights_of(facts, vocabulary_size)
    with naming(NGRAMS_MEMBER):
        data = archive.read(NGRAMS_MEMBER, mixing.most_bytes(vocabulary_size))
        tree = NgramTree.from_bytes(data, facts["order"], vocabulary_size)
    return MixtureParameters(tree, weights)


def _weights(config: ModelConfig, vocabulary_size: int, archive: Archive) -> list[Floats]:
    """Read the weights in the order of Keras from the HDF5 file that Keras wrote.

    Raises:
        ValueError: they are not those of the configuration.
    """
    from seqgen.utils.hdf5 import Hdf5File

    layers = config.weight_shapes(vocabulary_size)
    numbers = sum(math.prod(shape) for shapes in layers for shape in shapes)
    with (
        naming(WEIGHTS_MEMBER),
        Hdf5File(archive.read(WEIGHTS_MEMBER, 4 * numbers + HDF5_BYTES)) as file,
    ):
        # Further layers are the input, dropout after every recurrent layer, masking and pooling.
        found = file.names("layers", most=2 * config.layers + 6)
        part = "forward_layer" if config.bidirectional else "cell"
        recurrent = [name for name in found if file.has(f"layers/{name}", part)]
        recurrent.sort(key=lambda name: (len(name), name))  # lstm, lstm_1, ... lstm_10
        if len(recurrent) != config.layers:
            raise ValueError(f"expected {config.layers} recurrent layers, got {len(recurrent)}")
        parts = ("forward_layer/cell", "backward_layer/cell") if config.bidirectional else ("cell",)
        cells = [f"{name}/{part}" for name in recurrent for part in parts]
        ends = ("dense", "dense_1") if config.inputs == "numbers" else ("embedding", "dense")
        return [
            array
            for group, shapes in zip((ends[0], *cells, ends[1]), layers, strict=True)
            for array in file.floats(f"layers/{group}/vars", shapes)
        ]
