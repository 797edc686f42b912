import dataclasses
import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

import seqgen
from seqgen import model_file
from seqgen.cells.base import names as cell_names
from seqgen.config import ModelConfig, TrainConfig
from seqgen.copying.index import CopyIndex, Pieces
from seqgen.errors import ConfigError, ModelFileError, OutputError
from seqgen.model_file import ModelData, load, save
from seqgen.network.build import build
from seqgen.vocabulary import Vocabulary
from tests.fuzz import packing

LETTERS = Vocabulary(("<end>", *"abc☃"))
CORPUS = {
    "name": "letters",
    "arguments": ["letters.txt"],
    "task": "text",
    "tokens": 9,
    "sha256": "f" * 64,
    "options": {"encoding": "utf-8", "lines": True, "min_count": 1, "shuffled": False},
    "details": {},
    "split": {"validation": 0.1, "training_tokens": 8, "validation_tokens": 1},
}


def made(config: ModelConfig, seed: int = 0) -> ModelData:
    return ModelData(
        "text",
        config,
        TrainConfig(minutes=1),
        LETTERS,
        CORPUS,
        build(config, len(LETTERS), seed).get_weights(),
        [{"step": 1, "validation_loss": None}],
        {"validation_loss": 1.5, "tokens_seen": 9, "seconds": 1.0, "ended_early": None},
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save(made(ModelConfig(units=4)), tmp_path / "m.keras")
    return tmp_path / "m.keras"


def rewritten(file: Path, name: str, change: object) -> Path:
    """A copy in which a member is changed by `change`, or left out."""
    copy = file.with_name("changed.keras")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for each in old.namelist():
            data = old.read(each)
            if each == name and change is None:
                continue
            new.writestr(each, change(data) if each == name else data)
    return copy


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "relu"}])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", cell_names())
def test_saving_and_loading_are_inverse(
    cell: str, layers: int, options: dict[str, object], tmp_path: Path
) -> None:
    config = ModelConfig(
        cell=cell, units=4, layers=layers, embedding=3, dropout=0.1, cell_options=options
    )
    saved = made(config)
    save(saved, tmp_path / "m.keras")
    loaded = load(tmp_path / "m.keras")
    assert loaded.metadata() == saved.metadata()
    assert loaded.parameters == saved.parameters
    assert len(loaded.weights) == len(saved.weights)
    assert all((a == b).all() for a, b in zip(loaded.weights, saved.weights, strict=True))


def test_keras_loads_the_file_without_seqgen(file: Path) -> None:
    """In a process that cannot import seqgen; its logits are those of the network saved."""
    script = f"""
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
sys.modules["seqgen"] = None
import keras, numpy
model = keras.models.load_model({str(file)!r})
print(numpy.asarray(model(numpy.array([[1, 2, 3, 4]]))).ravel().tolist())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    expected = build(ModelConfig(units=4), len(LETTERS), seed=0)(np.array([[1, 2, 3, 4]]))
    np.testing.assert_allclose(json.loads(done.stdout), np.ravel(expected), atol=1e-6)


def test_the_file_contains_no_pickle(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
    assert names == {"metadata.json", "config.json", "model.weights.h5", "seqgen.json"}


def test_seqgen_json_has_everything_but_the_weights(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        facts = json.loads(archive.read("seqgen.json"))
    assert facts.keys() == {
        *("format_version", "seqgen_version", "task", "model_config", "train_config"),
        *("vocabulary", "corpus", "history", "scores", "chosen", "indexes"),
    }
    assert facts["vocabulary"] == list(LETTERS.tokens)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        load(tmp_path / "m.keras")


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_a_file_that_is_not_a_zip_is_an_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(data)
    with pytest.raises(ModelFileError, match=r"expected a .keras file .* only a part of one"):
        load(tmp_path / "m.keras")


def test_every_truncation_is_an_error(file: Path) -> None:
    data = file.read_bytes()
    for length in range(0, len(data), len(data) // 50):
        file.write_bytes(data[:length])
        with pytest.raises(ModelFileError, match="only a part of one"):
            load(file)


def test_a_flipped_byte_in_the_weights_is_an_error(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        place = archive.getinfo("model.weights.h5").header_offset + 3000
    data = bytearray(file.read_bytes())
    data[place] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(ModelFileError, match="part of one|damaged"):
        load(file)


def test_any_flipped_byte_is_an_error_or_harmless(file: Path) -> None:
    data = file.read_bytes()
    random = np.random.default_rng(0)
    directory = len(data) - 400  # the directory of the zip file
    for place in (*random.integers(0, len(data), 100), *range(directory, len(data), 2)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(random.integers(8))
        file.write_bytes(flipped)
        with suppress(ModelFileError):
            load(file)


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(ModelFileError, match="cannot be read"):
        load(Path("x" * 300))


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="damaged|no model"):
        load(tmp_path)


def test_another_keras_model_is_an_error(file: Path) -> None:
    with pytest.raises(ModelFileError, match=r"got one without seqgen.json"):
        load(rewritten(file, "seqgen.json", None))


def test_another_format_version(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "FORMAT_VERSION", 2)
    with pytest.raises(ModelFileError, match=r"expected format version 2, got 1; this is seqgen"):
        load(file)


@pytest.mark.parametrize(
    "name, change",
    [
        ("model.weights.h5", None),
        ("model.weights.h5", lambda data: data[: len(data) // 2]),
        ("model.weights.h5", lambda data: b""),
        ("seqgen.json", lambda data: data[:-5]),
        ("seqgen.json", lambda data: b"[]"),
        ("seqgen.json", lambda data: data.replace(b'"task"', b'"tusk"')),
        ("seqgen.json", lambda data: data.replace(b'"split"', b'"cut"')),
        ("seqgen.json", lambda data: data.replace(b'"seconds"', b'"hours"')),
        ("seqgen.json", lambda data: data.replace(b'"units": 4', b'"units": 5')),
        ("seqgen.json", lambda data: data.replace(b'"units": 4', b'"units": -4')),
        ("seqgen.json", lambda data: data.replace(b'"layers": 1', b'"layers": 2')),
        ("seqgen.json", lambda data: data.replace(b'"lstm"', b'"gru"')),
        ("seqgen.json", lambda data: data.replace(b'["<end>", ', b"[")),
        ("seqgen.json", lambda data: data.replace(b'"embedding": 64', b'"embedding": 32')),
    ],
)
def test_a_damaged_part_is_an_error(name: str, change: object, file: Path) -> None:
    with pytest.raises(ModelFileError, match="damaged"):
        load(rewritten(file, name, change))


def test_a_task_that_is_not_installed(file: Path) -> None:
    chess = rewritten(file, "seqgen.json", lambda data: data.replace(b'"text"', b'"chess"'))
    with pytest.raises(ModelFileError, match="a model of text or music.*, got one of 'chess'"):
        seqgen.load(chess)


def test_a_failed_save_keeps_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputError, match="No space left"):
        save(made(ModelConfig(units=4), seed=1), file)
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == ["m.keras"]


def test_the_name_ends_in_keras(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"expected a name that ends in .keras; try m.keras"):
        save(made(ModelConfig(units=4)), tmp_path / "m.h5")


def test_indexes_are_saved_and_loaded(tmp_path: Path) -> None:
    codes = np.arange(300, dtype=np.uint64)
    indexes = [CopyIndex.of(Pieces(codes * n, np.array([0, 300])), order=n + 4) for n in (1, 2)]
    path = tmp_path / "indexed.keras"
    save(dataclasses.replace(made(ModelConfig(units=4)), indexes=indexes), path)
    for index, again in zip(indexes, load(path).indexes, strict=True):
        assert again.order == index.order and (again.bits == index.bits).all()
    with zipfile.ZipFile(path) as archive:
        assert {"copies-0.bin", "copies-1.bin"} < set(archive.namelist())


HOSTILE = {
    "layers": ("layers: expected a whole number", "model_config", "layers", 1e19),
    "units": ("units: expected a whole number from 1 to 16,384", "model_config", "units", 10**6),
    "vocabulary": (r"vocabulary\[1\]: expected a character, got 'duration:1", "vocabulary", 1,
                   "duration:1000000000"),
    "a surrogate": (r"vocabulary\[1\]: expected a text without", "vocabulary", 1, "\ud800"),
    "history": (r"history\[0\].step: expected a number, got 'x'", "history", 0, {"step": "x"}),
    "scores": ("scores.seconds: expected a number", "scores", "seconds", "long"),
    "corpus.name": ("corpus.name: expected a name without folders", "corpus", "name", "../x"),
    "corpus.tokens": ("corpus.tokens: expected 9, got 10", "corpus", "tokens", 10),
    "corpus.task": ("corpus.task: expected 'text', got 'music'", "corpus", "task", "music"),
    "corpus.split": ("corpus.split: 'validation' is missing", "corpus", "split", {}),
    "corpus.options": ("corpus.options.lines: expected true, got False", "corpus", "options",
                       {"lines": False}),
    "indexes": (r"indexes: expected a list", "indexes", None, {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_every_field_is_checked(kind: str, file: Path) -> None:
    message, field, key, value = HOSTILE[kind]

    def change(data: bytes) -> bytes:
        facts = json.loads(data)
        if key is None:
            facts[field] = value
        else:
            facts[field][key] = value
        return json.dumps(facts).encode()

    with pytest.raises(
        ModelFileError, match=rf"keras is damaged .*\(seqgen.json: {message}"
    ) as error:
        seqgen.load(rewritten(file, "seqgen.json", change))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("path", ["layers/dense/vars/1", "layers/lstm/cell/vars/2"])
def test_every_bias_has_the_shape_of_the_configuration(path: str, tmp_path: Path) -> None:
    config = ModelConfig(units=16, embedding=4)
    members = packing.members_of("text", config)
    vocabulary_size = len(json.loads(members["seqgen.json"])["vocabulary"])
    arrays = packing.arrays_of(config, vocabulary_size)
    (tmp_path / "m.keras").write_bytes(packing.packed(members))
    assert len(seqgen.load(tmp_path / "m.keras").data.weights) == 6
    for wrong in (np.repeat(arrays[path], 2), arrays[path] * np.float32(np.nan)):
        weights = packing.hdf5({**arrays, path: wrong})
        (tmp_path / "m.keras").write_bytes(packing.packed({**members, "model.weights.h5": weights}))
        with pytest.raises(ModelFileError, match=rf"\(model.weights.h5: {path}: expected"):
            seqgen.load(tmp_path / "m.keras")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_devices_and_pipes_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.keras")
    for path in (tmp_path / "m.keras", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(ModelFileError, match="it is a device or a pipe; expected a file"):
            load(path)


def test_members_are_limited_before_they_are_read(file: Path) -> None:
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(file.with_name("b.keras"), "w", 8) as new:
        for member in old.namelist():
            data = bytes(10**8) if member == "model.weights.h5" else old.read(member)
            new.writestr(member, data)
    with pytest.raises(
        ModelFileError, match="model.weights.h5: expected at most 1,0.* got 100,000,000"
    ):
        load(file.with_name("b.keras"))


def test_options_of_a_stranger_import_nothing() -> None:
    hostile = {"module": "os", "class_name": "system", "config": {}}
    with pytest.raises(ConfigError, match="expected objects of Keras, got one of the module 'os'"):
        build(ModelConfig(cell_options={"kernel_initializer": hostile}), 5)
